// intercomctl cache …

import ArgumentParser
import ControlAPI
import DNSWire

struct CacheVerbs: ParsableCommand {
    /// The answers that a verb is about.
    struct SelectionOptions: ParsableArguments {
        @Argument(help: "A domain name: all answers about it are meant.")
        var name: String?

        @Option(help: ArgumentHelp("A domain name: it and all names under it are meant.", valueName: "name"))
        var suffix: String?

        func validate() throws {
            if name != nil, suffix != nil { throw ValidationError("Give a name or --suffix, not both.") }
        }

        var parameters: KeptAnswersSelection {
            KeptAnswersSelection(name: suffix ?? name, suffix: suffix == nil ? nil : true)
        }
    }

    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Kept answers of upstreams; 'status' shows how many.",
        subcommands: [ListVerb.self, FlushVerb.self])

    struct ListVerb: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "Show kept answers: all, or those about a name.",
            discussion: """
                TYPE is * for NXDOMAIN, which holds for all types. LEFT is 0 where the life of an answer is over: it is given \
                only while no upstream answers. Each worker keeps its own answers.
                """)

        @OptionGroup var selection: SelectionOptions
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.call(ListCache.self, selection.parameters) { $0.shown }
        }
    }

    struct FlushVerb: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "flush", abstract: "Forget kept answers: all, or those about a name.")

        @OptionGroup var selection: SelectionOptions
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.call(FlushCache.self, selection.parameters) { reply in
                DisplayText.counted(reply.flushed, "answer") + " forgotten\n"
            }
        }
    }
}

extension ListCache.Reply {
    fileprivate var shown: String {
        var table = Table(["NAME", "TYPE", "ANSWER", "AGE", "LEFT", "UPSTREAMS"])
        for answer in answers {
            table.add([
                answer.name, answer.type ?? "*", answer.rcode, "\(answer.age) s", "\(answer.left) s", answer.upstreams,
            ])
        }
        return table.text + (further > 0 ? "and \(further) more: give a name, or --suffix\n" : "")
    }
}

extension ListCache.CacheEntry {
    /// The upstreams that gave it, in words.
    fileprivate var upstreams: String {
        let parts = [network.map { "network \($0)" }, domain.map { "route \($0)" }, container.map { "from \($0)" }]
        let words = parts.compactMap(\.self)
        return words.isEmpty ? "default" : words.joined(separator: ", ")
    }
}
