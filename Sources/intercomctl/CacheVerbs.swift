// intercomctl cache …

import ArgumentParser
import ControlAPI
import DNSWire

struct CacheVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Kept answers of upstreams; 'status' shows how many.",
        subcommands: [FlushVerb.self])

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
