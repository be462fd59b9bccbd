// The daemon's cluster socket: one connection for what it tells, one for calls.

import Clustering
import ControlAPI
import LinuxNet
import SystemPackage
import Varlink

/// Why the daemon is not spoken to.
struct DaemonFailure: Error, CustomStringConvertible {
    let description: String
}

/// Both connections to one daemon, for one session.
final class DaemonConnection {
    /// One Unix socket with what is not sent yet.
    final class Stream {
        let descriptor: Descriptor
        private var framer = VarlinkFramer()
        private var unsent: [UInt8] = []
        private var buffer = [UInt8](repeating: 0, count: 64 * 1024)

        init(path: String) throws(LinuxError) { descriptor = try UnixSocket.connectAtOnce(path: path) }

        var hasUnsent: Bool { !unsent.isEmpty }

        func send(_ message: [UInt8] = []) throws(LinuxError) {
            unsent += message
            var sent = 0
            while sent < unsent.count {
                let octets = unsent
                guard let count = try descriptor.send(octets.span.extracting(sent..<octets.count)) else { break }
                sent += count
            }
            unsent.removeFirst(sent)
        }

        /// The messages that have come.
        func receive() throws -> [[UInt8]] {
            while let count = try descriptor.read(into: &buffer) {
                guard count > 0 else { throw DaemonFailure(description: "the daemon closed the connection") }
                try framer.feed(buffer, count)
                // A part that did not fill the buffer was the last: poll(2) tells of what comes after it.
                if count < buffer.count { break }
            }
            var messages: [[UInt8]] = []
            while let message = framer.next() { messages.append(message) }
            return messages
        }
    }

    private enum Call { case tell, report }

    private struct Explained: Decodable { var message: String }

    /// The usual reply to `Apply`, which is known by its octets.
    private static let nothingRefused = Array(VarlinkReply.encode(Apply.Reply(refused: [])).dropLast())

    let listening: Stream
    let calling: Stream
    private var session: Int?
    private var underWay: [Call] = []
    private let log: BridgeLog

    init(path: String, host: String, log: BridgeLog) throws {
        self.log = log
        do throws(LinuxError) {
            listening = try Stream(path: path)
            calling = try Stream(path: path)
            let parameters = Attach.Parameters(agent: "intercom-etcd", version: Release.text, host: host)
            try listening.send(VarlinkCall.encode(method: Attach.name, parameters: parameters, more: true))
        } catch  where error.errno == .permissionDenied {
            throw DaemonFailure(description: "may not use \(path): this user has to be in the socket's group")
        } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .connectionRefused {
            throw DaemonFailure(description: "no daemon at \(path) ([cluster] networks of intercom.toml has it listen)")
        } catch {
            throw DaemonFailure(description: "\(error)")
        }
    }

    /// The events since the last time.
    /// - Parameters:
    ///   - isTold: ``listening`` has something, or room.
    ///   - isAnswered: ``calling`` has something, or room.
    func events(isTold: Bool, isAnswered: Bool) throws -> [BridgeEvent] {
        (isTold ? try told() : []) + (isAnswered ? try answered() : [])
    }

    private func told() throws -> [BridgeEvent] {
        var events: [BridgeEvent] = []
        try listening.send()
        for message in try listening.receive() {
            let response = try VarlinkResponse(message: message, reading: Attach.Reply.self)
            try check(response)
            let reply = try response.parameters(Attach.Reply.self)
            if reply.ended == true {
                throw DaemonFailure(
                    description: "the daemon ended the session: it ends, or another bridge has attached")
            }
            if let session = reply.session, self.session == nil {
                self.session = session
                events.append(.attached)
            }
            events.append(.local(reply))
        }
        return events
    }

    private func answered() throws -> [BridgeEvent] {
        var events: [BridgeEvent] = []
        try calling.send()
        for message in try calling.receive() {
            guard !underWay.isEmpty, underWay.removeFirst() == .tell else { continue }
            if message != Self.nothingRefused { try look(at: VarlinkResponse(message: message)) }
            events.append(.told)
        }
        return events
    }

    private func look(at response: VarlinkResponse) throws {
        try check(response)
        guard let reply = try? response.parameters(Apply.Reply.self) else { return }
        for refusal in reply.refused.prefix(4) {
            log.write(.warning, "the daemon refused \(refusal.key) of host \(refusal.host): \(refusal.reason)")
        }
    }

    private func check(_ response: VarlinkResponse) throws {
        guard let error = response.error else { return }
        // What has room is in force; the daemon says so itself, too.
        if error.hasSuffix(".TooManyEntries") { return }
        let text = (try? response.parameters(Explained.self))?.message
        throw DaemonFailure(description: "the daemon refused: \(text ?? error)")
    }

    func tell(_ telling: BridgeEffect.Telling) throws {
        guard let session else { return }
        underWay.append(.tell)
        switch telling {
        case .begin(let expected):
            try send(Begin.self, Begin.Parameters(session: session, expected: expected))
        case .apply(var parameters):
            parameters.session = session
            try send(Apply.self, parameters)
        case .complete(let cursor, let keep):
            try send(Complete.self, Complete.Parameters(session: session, cursor: cursor, keep: keep))
        }
    }

    func report(_ state: Report.State, _ message: String?, lag: Int?) throws {
        guard let session else { return }
        underWay.append(.report)
        try send(Report.self, Report.Parameters(session: session, state: state, message: message, lag: lag))
    }

    private func send<Method: ControlMethod>(_ method: Method.Type, _ parameters: Method.Parameters) throws {
        try calling.send(VarlinkCall.encode(method: Method.name, parameters: parameters))
    }
}
