// The client's side of the control socket.

import ControlAPI
import LinuxNet
import SystemPackage
import Varlink

/// Failure of a verb.
struct Failure: Error {
    /// 1: refused. 3: there is no daemon.
    var status: Int32
    /// Sentence for people: the failure, its subject, the remedy.
    var message: String
}

/// One connection to the daemon.
final class ControlClient {
    private let descriptor: Descriptor
    private let path: String
    private var framer = VarlinkFramer()
    private var buffer = [UInt8](repeating: 0, count: 64 * 1024)

    /// - Throws: ``Failure`` with status 3 where there is no daemon, 1 where this user may not call it.
    init(socket path: String) throws(Failure) {
        self.path = path
        do throws(LinuxError) {
            descriptor = try UnixSocket.connect(path: path)
        } catch {
            if error.errno == .permissionDenied {
                throw Failure(
                    status: 1,
                    message:
                        "you may not use \(path); run as root or as a member of the group in [control] of the configuration"
                )
            }
            throw Failure(
                status: 3,
                message: "no daemon at \(path) (\(error.errno)); start intercomd, or name its socket by --socket")
        }
    }

    /// Calls a method and waits for its reply.
    /// - Throws: ``Failure``.
    func call<Method: ControlMethod>(
        _ method: Method.Type, _ parameters: Method.Parameters
    ) throws(Failure) -> Method.Reply {
        try send(VarlinkCall.encode(method: Method.name, parameters: parameters))
        return try Self.reply(of: method, try nextResponse())
    }

    /// Calls a method that may give many replies, and takes each as it comes, until the last.
    /// - Throws: ``Failure``.
    func replies<Method: ControlMethod>(
        to method: Method.Type, _ parameters: Method.Parameters, each: (Method.Reply) throws(Failure) -> Void
    ) throws(Failure) {
        try send(VarlinkCall.encode(method: Method.name, parameters: parameters, more: true))
        while true {
            let response = try nextResponse()
            try each(try Self.reply(of: method, response))
            if !response.continues { return }
        }
    }

    /// Calls such a method and gives all its replies.
    /// - Throws: ``Failure``.
    func allReplies<Method: ControlMethod>(
        to method: Method.Type, _ parameters: Method.Parameters
    ) throws(Failure) -> [Method.Reply] {
        try send(VarlinkCall.encode(method: Method.name, parameters: parameters, more: true))
        var replies: [Method.Reply] = []
        while true {
            let response = try nextResponse()
            replies.append(try Self.reply(of: method, response))
            if !response.continues { return replies }
        }
    }

    /// Calls a method whose replies never end, and takes each as it comes, until the user or the daemon ends it.
    /// - Throws: ``Failure``.
    func stream<Method: ControlMethod>(
        _ method: Method.Type, _ parameters: Method.Parameters, each: (Method.Reply) -> Void
    ) throws(Failure) -> StreamEnd {
        var watch = try watch()
        try send(VarlinkCall.encode(method: Method.name, parameters: parameters, more: true))
        while true {
            switch watch.wait() {
            case .end: return .byUser
            case .nothing: continue
            case .reply: if try takeReplies(of: method, each) { return .byDaemon }
            }
        }
    }

    /// Calls such a method, and does something between its replies.
    /// - Parameters:
    ///   - method: the method.
    ///   - parameters: its parameters.
    ///   - terminal: its keys end a wait.
    ///   - each: takes a reply.
    ///   - between: is called after each wait; gives the milliseconds of the next, at most, or nil to end.
    /// - Throws: ``Failure``.
    func stream<Method: ControlMethod>(
        _ method: Method.Type, _ parameters: Method.Parameters, keysOf terminal: borrowing Terminal,
        each: (Method.Reply) -> Void, between: () -> Int?
    ) throws(Failure) -> StreamEnd {
        var watch = try watch()
        do throws(LinuxError) {
            try watch.add(keysOf: terminal)
        } catch {
            throw Failure(status: 1, message: "keys cannot be waited for (\(error))")
        }
        return try stream(method, parameters, &watch, each: each, between: between)
    }

    /// Calls such a method, and does something between its replies, without a terminal.
    /// - Parameters:
    ///   - method: the method.
    ///   - parameters: its parameters.
    ///   - each: takes a reply.
    ///   - between: is called after each wait; gives the milliseconds of the next, at most, or nil to end.
    /// - Throws: ``Failure``.
    func stream<Method: ControlMethod>(
        _ method: Method.Type, _ parameters: Method.Parameters, each: (Method.Reply) -> Void, between: () -> Int?
    ) throws(Failure) -> StreamEnd {
        var watch = try watch()
        return try stream(method, parameters, &watch, each: each, between: between)
    }

    private func stream<Method: ControlMethod>(
        _ method: Method.Type, _ parameters: Method.Parameters, _ watch: inout StreamWatch,
        each: (Method.Reply) -> Void, between: () -> Int?
    ) throws(Failure) -> StreamEnd {
        try send(VarlinkCall.encode(method: Method.name, parameters: parameters, more: true))
        while let milliseconds = between() {
            switch watch.wait(milliseconds: milliseconds) {
            case .end: return .byUser
            case .nothing: continue
            case .reply: if try takeReplies(of: method, each) { return .byDaemon }
            }
        }
        return .byUser
    }

    private func watch() throws(Failure) -> StreamWatch {
        do throws(LinuxError) {
            return try StreamWatch(of: descriptor)
        } catch {
            throw Failure(status: 1, message: "signals cannot be waited for (\(error))")
        }
    }

    /// Takes the replies that have come.
    /// - Returns: true where the last of all was among them.
    private func takeReplies<Method: ControlMethod>(
        of method: Method.Type, _ each: (Method.Reply) -> Void
    ) throws(Failure) -> Bool {
        try receive()
        while let message = framer.next() {
            let response = try response(message)
            let reply = try Self.reply(of: method, response)
            if !response.continues { return true }
            each(reply)
        }
        return false
    }

    // MARK: - Messages

    private func send(_ message: [UInt8]) throws(Failure) {
        do throws(LinuxError) {
            var sent = 0
            while sent < message.count {
                sent += try descriptor.write(message.span.extracting(sent..<message.count)) ?? 0
            }
        } catch {
            throw brokenOff(error)
        }
    }

    private func nextResponse() throws(Failure) -> VarlinkResponse {
        while true {
            if let message = framer.next() { return try response(message) }
            try receive()
        }
    }

    private func receive() throws(Failure) {
        let count: Int?
        do throws(LinuxError) {
            count = try descriptor.read(into: &buffer)
        } catch {
            throw brokenOff(error)
        }
        if count == 0 { throw Failure(status: 3, message: "the daemon at \(path) closed the connection") }
        do throws(VarlinkFramerError) {
            try framer.feed(buffer, count ?? 0)
        } catch {
            throw Failure(status: 1, message: "the server at \(path) does not speak Varlink")
        }
    }

    private func brokenOff(_ error: LinuxError) -> Failure {
        Failure(status: 3, message: "connection to the daemon at \(path) lost (\(error.errno))")
    }

    private func response(_ message: [UInt8]) throws(Failure) -> VarlinkResponse {
        do throws(VarlinkCallError) {
            return try VarlinkResponse(message: message)
        } catch {
            throw Failure(status: 1, message: "the server at \(path) does not speak Varlink")
        }
    }

    private static func reply<Method: ControlMethod>(
        of method: Method.Type, _ response: VarlinkResponse
    ) throws(Failure) -> Method.Reply {
        if let error = response.error { throw failure(error, response) }
        do throws(InvalidParameter) {
            return try response.parameters(Method.Reply.self)
        } catch {
            throw Failure(
                status: 1,
                message:
                    "the daemon's reply lacks '\(error.parameter)': install intercomctl and intercomd of one version")
        }
    }

    /// Failure that an error reply stands for.
    private static func failure(_ error: String, _ response: VarlinkResponse) -> Failure {
        struct Explained: Decodable { var message: String }
        struct Parameter: Decodable { var parameter: String }
        struct Method: Decodable { var method: String }
        if let explained = try? response.parameters(Explained.self) {
            return Failure(status: 1, message: explained.message)
        }
        let advice = "install intercomctl and intercomd of one version"
        if let wrong = try? response.parameters(Parameter.self) {
            return Failure(status: 1, message: "the daemon does not take '\(wrong.parameter)': \(advice)")
        }
        if let unknown = try? response.parameters(Method.self) {
            return Failure(status: 1, message: "the daemon does not know \(unknown.method): \(advice)")
        }
        return Failure(status: 1, message: "the daemon refused: \(error)")
    }
}
