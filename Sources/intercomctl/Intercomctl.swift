// intercomctl: the command line of the control socket. Verbs and words are those of Docker's.

import ArgumentParser
import ControlAPI
import LinuxNet

struct Intercomctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "intercomctl",
        abstract: "Names and networks of containers, as intercomd answers them at 127.0.0.11.",
        usage: "intercomctl [--socket <path>] [--json] <verb> ...",
        discussion: """
            Exit status: 0 done; 1 the daemon refused, has no such thing, or (resolve) the name does not exist; \
            2 wrong usage; 3 no daemon at the socket.
            """,
        version: Release.text,
        subcommands: [
            NetworkVerbs.self, ContainerVerbs.self, CacheVerbs.self, ResolveVerb.self, StatusVerb.self,
            MonitorVerb.self, ReloadVerb.self,
        ]
    )

    /// As `ParsableCommand.main()`, with the exit statuses that the manual promises.
    static func main() {
        var command: any ParsableCommand
        do {
            command = try parseAsRoot(verbFirst(Array(ProcessArguments.all.dropFirst())))
        } catch {
            leave(error)
        }
        do {
            try command.run()
        } catch let failure as Failure {
            failure.report()
            Exit.now(failure.status)
        } catch let code as ExitCode {
            Exit.now(code.rawValue)
        } catch {
            leave(error)
        }
    }

    /// Says what is wrong with the command line, or what help was asked for.
    private static func leave(_ error: any Error) -> Never {
        let isHelp = exitCode(for: error).isSuccess
        Files.write(fullMessage(for: error) + "\n", to: isHelp ? .standardOutput : .standardError)
        Exit.now(isHelp ? 0 : 2)
    }

    /// Moves the options that stand before the verb, or between its words, behind it, where each verb takes them.
    static func verbFirst(_ arguments: [String]) -> [String] {
        var rest = arguments[...]
        var options = takeOptions(&rest)
        let nouns = [NetworkVerbs.configuration, ContainerVerbs.configuration, CacheVerbs.configuration].map(
            \.commandName)
        var words: [String] = []
        if let noun = rest.first, nouns.contains(noun) {
            words.append(noun)
            rest = rest.dropFirst()
            options += takeOptions(&rest)
        }
        // Where no verb is to come there is nothing that takes them: help is printed, or what is wrong.
        guard let verb = rest.first, !verb.hasPrefix("-"), verb != "help" else { return words + rest }
        if let end = rest.firstIndex(of: "--") { return words + rest[..<end] + options + rest[end...] }
        return words + rest + options
    }

    /// Takes the options of every verb that stand at the beginning.
    private static func takeOptions(_ rest: inout ArraySlice<String>) -> [String] {
        var options: [String] = []
        while let argument = rest.first {
            if argument == "--json" || argument.hasPrefix("--socket=") {
                options.append(argument)
                rest = rest.dropFirst()
            } else if argument == "--socket", rest.count > 1 {
                options += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else {
                break
            }
        }
        return options
    }
}
