// intercomctl cache …

import ArgumentParser
import ControlAPI
import DNSWire

struct CacheVerbs: ParsableCommand {
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

        @Argument(help: "A domain name; all answers about it are shown.")
        var name: String?

        @Option(help: ArgumentHelp("A domain name: it and all names under it are meant.", valueName: "name"))
        var suffix: String?

        @OptionGroup var common: CommonOptions

        func validate() throws {
            if name != nil, suffix != nil { throw ValidationError("Give a name or --suffix, not both.") }
        }

        func run() throws {
            let parameters = ListCache.Parameters(name: suffix ?? name, suffix: suffix == nil ? nil : true)
            try common.call(ListCache.self, parameters) { $0.shown }
        }
    }

    struct FlushVerb: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "flush", abstract: "Forget kept answers: all, or those about a name.")

        @Argument(help: "A domain name; all answers about it are forgotten.")
        var name: String?

        @Option(help: ArgumentHelp("A domain name: it and all names under it are meant.", valueName: "name"))
        var suffix: String?

        @OptionGroup var common: CommonOptions

        func validate() throws {
            if name != nil, suffix != nil { throw ValidationError("Give a name or --suffix, not both.") }
        }

        func run() throws {
            let parameters = FlushCache.Parameters(name: suffix ?? name, suffix: suffix == nil ? nil : true)
            try common.call(FlushCache.self, parameters) { reply in
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
