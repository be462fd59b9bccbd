// The options that every verb has, and the ways in which verbs call the daemon and print.

import ArgumentParser
import ControlAPI
import DNSWire
import LinuxNet
import Varlink

/// Options of every verb.
struct CommonOptions: ParsableArguments {
    /// Control socket unless the configuration says otherwise.
    static let defaultSocket = "/run/intercom/control.sock"

    @Option(help: ArgumentHelp("The daemon's control socket.", valueName: "path"), completion: .file())
    var socket = CommonOptions.defaultSocket

    @Flag(help: "Print JSON with stable field names.")
    var json = false

    /// Calls the daemon; with `--json` prints its reply as it is, else lets `show` print it.
    func call<Method: ControlMethod>(
        _ method: Method.Type, _ parameters: Method.Parameters, show: (Method.Reply) -> String = { _ in "" }
    ) throws {
        _ = try reply(method, parameters, show: show)
    }

    /// Calls the daemon, prints its reply likewise, and gives it.
    func reply<Method: ControlMethod>(
        _ method: Method.Type, _ parameters: Method.Parameters, show: (Method.Reply) -> String
    ) throws -> Method.Reply {
        let client = try ControlClient(socket: socket)
        let reply = try client.call(method, parameters)
        Files.write(json ? Self.document(reply) : show(reply), to: .standardOutput)
        return reply
    }

    /// Calls the daemon once for each name. What is refused is said, and the others are carried out.
    /// - Parameter show: takes the results before the exit status is decided.
    func callEach<Result>(
        _ names: [String], _ body: (ControlClient, String) throws(Failure) -> Result,
        show: ([Result]) -> Void = { _ in }
    ) throws {
        let client = try ControlClient(socket: socket)
        var results: [Result] = []
        var refusals: [Failure] = []
        for name in names {
            do throws(Failure) {
                results.append(try body(client, name))
            } catch {
                guard error.status == 1 else { throw error }
                refusals.append(error)
            }
        }
        show(results)
        for refusal in refusals { refusal.report() }
        if !refusals.isEmpty { throw ExitCode(1) }
    }

    /// JSON as people read it, with what could steer a terminal escaped.
    static func document(_ value: some Encodable) -> String {
        DisplayText.escapedJSON(VarlinkParameters.text(value)) + "\n"
    }
}

extension Failure {
    /// Says it on standard error, in one line.
    func report() {
        Files.write("intercomctl: \(DisplayText.escaped(message))\n", to: .standardError)
    }
}
