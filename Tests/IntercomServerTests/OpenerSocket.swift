// The opener's socket, served by a thread of the test: what the daemon asks there, and what it makes of the replies.

import Foundation
import Logging
import Synchronization
import SystemPackage

@testable import IntercomServer
@testable import LinuxNet

/// A socket in a directory of the test's own, with a thread that serves connections one after another.
final class OpenerSocket: Sendable {
    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    let path: String
    /// Number of connections that were accepted.
    let accepted = Atomic<Int>(0)
    private let isOver = Atomic<Bool>(false)

    /// Runs a test with such a socket.
    /// - Parameter serve: is given each message with its descriptors, and its connection.
    static func lend(
        _ serve: @escaping @Sendable ([UInt8], consuming PassedDescriptors, consuming Descriptor) throws -> Void,
        _ body: (RemoteOpener, OpenerSocket) throws -> Void
    ) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ico-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let made = OpenerSocket(path: directory.appendingPathComponent("opener.sock").path)
        let listener = Handover(try UnixSocket.listenForMessages(path: made.path))
        let thread = try Thread.start(name: "opener") {
            guard let listener = listener.take() else { return }
            made.run(listener, serve)
        }
        defer {
            made.isOver.store(true, ordering: .relaxed)
            thread.join()
        }
        try body(RemoteOpener(path: made.path, logger: logger), made)
    }

    /// Runs a test with a socket where each call is checked, as the opener's own process does it, and then carried out.
    static func lend(by opener: any Opener, _ body: (RemoteOpener, OpenerSocket) throws -> Void) throws {
        let host = try NetworkNamespace.current().identity
        try lend(
            { message, descriptors, connection in
                try OpenerErrand(host: host, caller: ProcessDescriptor.own, connection: connection, by: opener)
                    .carryOut(message, descriptors)
            }, body)
    }

    private init(path: String) { self.path = path }

    private func run(
        _ listener: borrowing Descriptor,
        _ serve: ([UInt8], consuming PassedDescriptors, consuming Descriptor) throws -> Void
    ) {
        var buffer = [UInt8](repeating: 0, count: OpenerCalls.maximumMessage)
        while !isOver.load(ordering: .relaxed) {
            do {
                guard let connection = try UnixSocket.accept(from: listener) else {
                    Thread.pause(milliseconds: 1)
                    continue
                }
                accepted.add(1, ordering: .relaxed)
                let end = ContinuousClock.now + .seconds(5)
                while ContinuousClock.now < end {
                    guard let received = try connection.receivePassed(into: &buffer) else {
                        Thread.pause(milliseconds: 1)
                        continue
                    }
                    let message = Array(buffer[..<received.count].prefix { $0 != 0 })
                    try serve(message, received.takeDescriptors(), connection)
                    break
                }
            } catch {
                // The connection is closed, which the caller sees.
            }
        }
    }
}
