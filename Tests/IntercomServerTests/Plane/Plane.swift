// A whole control plane inside the test: without root, without the kernel's links, called over its control socket.

import ControlAPI
import Foundation
import LinuxNet
import Logging
import Synchronization
import Testing

@testable import ClientCommand
@testable import IntercomServer

/// A daemon on a thread of this process, with a directory of its own for its configuration, its socket and its state.
final class Plane: Sendable {
    /// Configuration that discovers nothing and needs no group.
    static let quiet = "[discover]\nenabled = false\n[control]\ngroup = ''\n[server]\nworkers = 1\n"

    let directory: String
    /// Messages of the daemon.
    let log = LogRecord()
    private let openerSocket: String?
    private let thread = Mutex<(id: pthread_t, handle: ThreadHandle)?>(nil)
    private let failure = Mutex<String?>(nil)

    var socket: String { "\(directory)/control.sock" }
    var configuration: String { "\(directory)/intercom.toml" }

    /// Runs a test with a daemon, and ends the daemon.
    /// - Parameter opener: carries out what takes privileges, over a socket; nil: this process, which may have none.
    static func lend(
        _ text: String = "", opener: (any Opener)? = nil, _ body: (Plane) throws -> Void
    ) throws {
        guard let opener else { return try Plane().lend(text, body) }
        try OpenerSocket.lend(by: opener) { _, socket in try Plane(openerSocket: socket.path).lend(text, body) }
    }

    private func lend(_ text: String, _ body: (Plane) throws -> Void) throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try configure(text)
        try start()
        defer { stop() }
        try body(self)
    }

    private init(openerSocket: String? = nil) throws {
        self.openerSocket = openerSocket
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("icp-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    /// - Parameter text: with `DIRECTORY` for that of the test. A table of it takes the place of that in ``quiet``.
    func configure(_ text: String) throws {
        var whole = Self.quiet
        for (table, lines) in [("[discover]", "enabled = false\n"), ("[server]", "workers = 1\n")]
        where text.contains(table) {
            whole.replace("\(table)\n\(lines)", with: "")
        }
        whole += text.replacing("DIRECTORY", with: directory)
        try whole.write(toFile: configuration, atomically: true, encoding: .utf8)
    }

    // MARK: - The daemon

    func start() throws {
        try waitForState()
        let id = Mutex<pthread_t?>(nil)
        let handle = try Thread.start(name: "plane") { [self] in
            id.withLock { $0 = pthread_self() }
            do {
                var file = ConfigurationFile(path: configuration, isOptional: false)
                try file.read()
                let options = DaemonOptions(
                    configurationFile: file, socket: socket, stateDirectory: "\(directory)/state",
                    openerSocket: openerSocket)
                let plane = try ControlPlane(options: options, logger: log.logger)
                try plane.begin()
                try plane.run()
            } catch {
                failure.withLock { $0 = "\(error)" }
            }
        }
        let isOver = eventually(within: .seconds(20)) {
            (try? call(Status.self, Nothing())) != nil || failure.withLock { $0 } != nil
        }
        guard isOver else { throw Failure(status: 3, message: "the daemon is not ready") }
        let number = try #require(id.withLock { $0 }, "\(failure.withLock { $0 ?? "" })")
        thread.withLock { $0 = (number, handle) }
    }

    /// Ends the daemon as its service manager would.
    func stop() {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        pthread_kill(thread.id, SIGTERM)
        thread.handle.join()
        #expect(failure.withLock { $0 } == nil)
        #expect(throws: Never.self) { try waitForState() }
    }

    /// Waits until the next can take the state. A process that another test begins has a copy of each descriptor of this one until
    /// it executes its program, of that with the lock, too.
    private func waitForState() throws {
        let path = "\(directory)/state"
        guard FileManager.default.fileExists(atPath: path) else { return }
        let isFree = try eventually {
            guard let lock = try Files.lock(directory: path) else { return false }
            // Also of copies.
            return flock(lock.rawValue, LOCK_UN) == 0
        }
        #expect(isFree)
    }

    /// Has the daemon read its configuration again, by SIGHUP.
    func hangUp() { thread.withLock { if let thread = $0 { _ = pthread_kill(thread.id, SIGHUP) } } }

    // MARK: - Calls

    func call<Method: ControlMethod>(_ method: Method.Type, _ parameters: Method.Parameters) throws -> Method.Reply {
        try ControlClient(socket: socket).call(method, parameters)
    }

    /// Replies to a call that takes several.
    func list<Method: ControlMethod>(_ method: Method.Type, _ parameters: Method.Parameters) throws -> [Method.Reply] {
        try ControlClient(socket: socket).allReplies(to: method, parameters)
    }

    /// Message with which a call is refused; nil: it is not.
    func refusal<Method: ControlMethod>(_ method: Method.Type, _ parameters: Method.Parameters) throws -> String? {
        do {
            _ = try call(method, parameters)
            return nil
        } catch let failure as Failure {
            return failure.message
        }
    }

    func container(_ name: String) throws -> ControlAPI.Container {
        try call(InspectContainer.self, Named(name: name)).container
    }

    /// Data of the records that a container is answered, or the response code where there are none.
    func resolve(_ name: String, _ type: String = "A", from container: String) throws -> [String] {
        let answer = try call(Resolve.self, .init(name: name, type: type, container: container)).answer
        return answer.answers.isEmpty ? [answer.rcode] : answer.answers.map(\.data).sorted()
    }
}

/// Waits until a condition is true, for a while at most.
func eventually(within time: Duration = .seconds(10), _ condition: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock.now + time
    while try !condition() {
        guard ContinuousClock.now < end else { return false }
        Thread.pause(milliseconds: 2)
    }
    return true
}
