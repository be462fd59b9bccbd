// The client's side of the control socket, and the options that every verb has.

import ArgumentParser
import ControlAPI
import LinuxNet
import SystemPackage
import Varlink

/// What every verb takes.
struct CommonOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The daemon's control socket.", valueName: "path"))
    var socket = "/run/intercom/control.sock"

    @Flag(help: "Print JSON with stable field names.")
    var json = false

    /// Calls the daemon; with `--json` prints its reply as it is, else lets `show` print it.
    func call<Method: ControlMethod>(
        _ method: Method.Type, _ parameters: Method.Parameters, show: (Method.Reply) -> String = { _ in "" }
    ) throws {
        _ = try reply(method, parameters, show: show)
    }

    /// The same, and gives the reply.
    func reply<Method: ControlMethod>(
        _ method: Method.Type, _ parameters: Method.Parameters, show: (Method.Reply) -> String
    ) throws -> Method.Reply {
        let reply = try ControlClient(socket: socket).call(method, parameters)
        let text = json ? VarlinkParameters.text(reply) + "\n" : show(reply)
        Files.write(text, to: .standardOutput)
        return reply
    }
}

/// One connection to the daemon.
struct ControlClient: ~Copyable {
    private let descriptor: Descriptor
    private let path: String

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
        var framer = VarlinkFramer()
        while true {
            if let reply = framer.next() { return try Self.reply(of: method, try response(reply)) }
            try receive(into: &framer)
        }
    }

    /// Calls a method that gives many replies, and takes each as it comes, until the user or the daemon ends it.
    /// - Throws: ``Failure``.
    func stream<Method: ControlMethod>(
        _ method: Method.Type, _ parameters: Method.Parameters, each: (Method.Reply) -> Void
    ) throws(Failure) -> StreamEnd {
        var watch: StreamWatch
        do throws(LinuxError) {
            watch = try StreamWatch(of: descriptor)
        } catch {
            throw Failure(status: 1, message: "signals cannot be waited for (\(error))")
        }
        try send(VarlinkCall.encode(method: Method.name, parameters: parameters, more: true))
        var framer = VarlinkFramer()
        while watch.waitForReply() {
            try receive(into: &framer)
            while let message = framer.next() {
                let response = try response(message)
                let reply = try Self.reply(of: method, response)
                if !response.continues { return .byDaemon }
                each(reply)
            }
        }
        return .byUser
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

    private func receive(into framer: inout VarlinkFramer) throws(Failure) {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
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
            throw Failure(status: 1, message: "what listens at \(path) does not speak Varlink")
        }
    }

    private func brokenOff(_ error: LinuxError) -> Failure {
        Failure(status: 3, message: "the daemon at \(path) broke off (\(error.errno))")
    }

    private func response(_ message: [UInt8]) throws(Failure) -> VarlinkResponse {
        do throws(VarlinkCallError) {
            return try VarlinkResponse(message: message)
        } catch {
            throw Failure(status: 1, message: "what listens at \(path) does not speak Varlink")
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
                status: 1, message: "the daemon's reply lacks '\(error.parameter)': is it of another version?")
        }
    }

    /// What an error reply means for the user.
    private static func failure(_ error: String, _ response: VarlinkResponse) -> Failure {
        struct Explained: Decodable { var message: String }
        struct Parameter: Decodable { var parameter: String }
        if let explained = try? response.parameters(Explained.self) {
            return Failure(status: 1, message: explained.message)
        }
        if let wrong = try? response.parameters(Parameter.self) {
            return Failure(
                status: 1, message: "the daemon does not take '\(wrong.parameter)': is it of another version?")
        }
        return Failure(status: 1, message: "the daemon refused: \(error)")
    }
}
