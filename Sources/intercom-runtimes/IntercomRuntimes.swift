// intercom-runtimes: adapters, each of which tells intercomd of one runtime's containers.

import ArgumentParser
import ControlAPI
import DNSWire
import LinuxNet
import Runtimes
import Varlink

struct IntercomRuntimes: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "intercom-runtimes",
        abstract: "Tell intercomd of the containers of a runtime, for as long as it runs.",
        discussion: """
            An adapter reads the runtime's containers and networks, follows its events and publishes what is new at the \
            control socket. It logs to standard error and ends on SIGTERM; what it has published stays. Exit status: 0 \
            told to end, or printed (--once); 1 cannot read the runtime (--once); 2 wrong usage.
            """,
        version: Release.text,
        subcommands: [DockerCommand.self, PodmanCommand.self, NerdctlCommand.self, MachinedCommand.self]
    )

    /// As `ParsableCommand.main()`, with the exit statuses that the manual promises.
    static func main() {
        var command: any ParsableCommand
        do {
            command = try parseAsRoot(Array(ProcessArguments.all.dropFirst()))
        } catch {
            leave(error)
        }
        do {
            try command.run()
        } catch let code as ExitCode {
            Exit.now(code.rawValue)
        } catch let failure as AdapterFailure {
            Files.write("intercom-runtimes: \(DisplayText.escaped(failure.description))\n", to: .standardError)
            Exit.now(1)
        } catch let failure as LinuxError {
            Files.write("intercom-runtimes: \(failure)\n", to: .standardError)
            Exit.now(1)
        } catch {
            // Without a verb: its help.
            leave(error)
        }
    }

    private static func leave(_ error: any Error) -> Never {
        let isHelp = exitCode(for: error).isSuccess
        Files.write(fullMessage(for: error) + "\n", to: isHelp ? .standardOutput : .standardError)
        Exit.now(isHelp ? 0 : 2)
    }
}

/// Options of every adapter.
struct AdapterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The daemon's control socket.", valueName: "path"), completion: .file())
    var control = "/run/intercom/control.sock"

    @Flag(help: "Print what would be published, as JSON, and exit; needs no daemon.")
    var once = false

    /// Publishes a runtime that is read as a whole, or prints what would be published.
    /// - Throws: `AdapterFailure`, `LinuxError`.
    func run(_ runtime: some WatchedRuntime) throws {
        let adapter = WatchingAdapter(runtime, control: control)
        if once {
            show(try adapter.readOnce())
        } else {
            try adapter.run()
        }
    }

    /// Prints a publication as people read JSON.
    func show(_ publication: Publish.Parameters) {
        Files.write(DisplayText.escapedJSON(VarlinkParameters.text(publication)) + "\n", to: .standardOutput)
    }
}
