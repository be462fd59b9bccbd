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
        let response = try exchange(VarlinkCall.encode(method: Method.name, parameters: parameters))
        if let error = response.error { throw Self.failure(error, response) }
        do throws(InvalidParameter) {
            return try response.parameters(Method.Reply.self)
        } catch {
            throw Failure(
                status: 1, message: "the daemon's reply lacks '\(error.parameter)': is it of another version?")
        }
    }

    private func exchange(_ message: [UInt8]) throws(Failure) -> VarlinkResponse {
        var framer = VarlinkFramer()
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        do {
            var sent = 0
            while sent < message.count {
                sent += try descriptor.write(message.span.extracting(sent..<message.count)) ?? 0
            }
            while true {
                if let reply = framer.next() { return try VarlinkResponse(message: reply) }
                guard let count = try descriptor.read(into: &buffer), count > 0 else { break }
                try framer.feed(buffer, count)
            }
        } catch let error as LinuxError {
            throw Failure(status: 3, message: "the daemon at \(path) broke off (\(error.errno))")
        } catch {
            throw Failure(status: 1, message: "what listens at \(path) does not speak Varlink")
        }
        throw Failure(status: 3, message: "the daemon at \(path) closed the connection")
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
