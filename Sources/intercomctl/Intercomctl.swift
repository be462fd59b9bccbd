// intercomctl: the command line of the control socket. Verbs and words are those of Docker's.

import ArgumentParser
import ControlAPI
import DNSWire
import LinuxNet

struct Intercomctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "intercomctl",
        abstract: "Names and networks of containers, as intercomd answers them at 127.0.0.11.",
        usage: "intercomctl [--socket <path>] [--json] <verb> ...",
        discussion: """
            Exit status: 0 done; 1 the daemon refused, has no such thing, (resolve) the name does not exist, or \
            (explain, doctor) something has to be mended; \
            2 wrong usage; 3 no daemon at the socket.
            """,
        version: Release.text,
        subcommands: [
            NetworkVerbs.self, ContainerVerbs.self, RecordVerbs.self, PolicyVerbs.self, SourceVerbs.self,
            CacheVerbs.self, HostVerbs.self,
            ResolveVerb.self, ExplainVerb.self, DoctorVerb.self, StatusVerb.self, MonitorVerb.self, MetricsVerb.self,
            MapVerb.self, TopVerb.self, ReloadVerb.self,
        ]
    )

    /// As `ParsableCommand.main()`, with the exit statuses that the manual promises.
    static func main() {
        var command: any ParsableCommand
        do {
            let arguments = Array(ProcessArguments.all.dropFirst())
            if let mistake = unknownVerb(arguments) { leave(mistake) }
            command = try parseAsRoot(separated(verbFirst(arguments)))
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
        let message = fullMessage(for: error)
        Files.write((isHelp ? message : brief(message)) + "\n", to: isHelp ? .standardOutput : .standardError)
        Exit.now(isHelp ? 0 : 2)
    }

    /// Leaves out the summary of all options where it is wider than a line: help has it in columns.
    private static func brief(_ message: String) -> String {
        message.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("Usage: ") || $0.count <= Table.leastWidth }.joined(separator: "\n")
    }

    /// Refuses a first or second word that is no verb: the options behind it would be blamed instead.
    private static func unknownVerb(_ arguments: [String]) -> ValidationError? {
        var rest = arguments[...]
        _ = takeOptions(&rest)
        guard let word = rest.popFirst(), !word.hasPrefix("-"), word != "help" else { return nil }
        guard let command = configuration.subcommands.first(where: { $0.name == word }) else {
            return .unknownVerb(word, of: "intercomctl", configuration.subcommands)
        }
        let verbs = command.configuration.subcommands
        _ = takeOptions(&rest)
        guard !verbs.isEmpty, let verb = rest.first, !verb.hasPrefix("-"), verb != "help" else { return nil }
        let names = verbs.map { $0.name }
        return names.contains(verb) ? nil : .unknownVerb(verb, of: "intercomctl \(word)", verbs)
    }

    /// Moves the options that stand before the verb, or between its words, behind it, where each verb takes them.
    static func verbFirst(_ arguments: [String]) -> [String] {
        var rest = arguments[...]
        var options = takeOptions(&rest)
        let nouns = [
            NetworkVerbs.configuration, ContainerVerbs.configuration, RecordVerbs.configuration,
            PolicyVerbs.configuration, SourceVerbs.configuration, CacheVerbs.configuration, HostVerbs.configuration,
        ].map(\.commandName)
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

    /// Parts `--intercept=ADDR` at its sign: where another option follows, the parser takes it for `--intercept` without a value.
    static func separated(_ arguments: [String]) -> [String] {
        let option = "--intercept"
        return arguments.flatMap {
            $0.hasPrefix("\(option)=") ? [option, String($0.dropFirst(option.count + 1))] : [$0]
        }
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

extension ValidationError {
    /// A word in the place of a verb.
    fileprivate static func unknownVerb(
        _ word: String, of command: String, _ verbs: [any ParsableCommand.Type]
    ) -> ValidationError {
        let names = verbs.map { $0.name }.joined(separator: ", ")
        return ValidationError("'\(DisplayText.escaped(word))' is no verb of \(command); expected \(names).")
    }
}

extension ParsableCommand {
    /// The verb as it is typed.
    fileprivate static var name: String { configuration.commandName ?? "\(Self.self)".lowercased() }
}
