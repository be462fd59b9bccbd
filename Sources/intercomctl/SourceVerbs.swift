// intercomctl source …

import ArgumentParser
import ControlAPI

struct SourceVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "source", abstract: "Sources: adapters of runtimes that tell of containers.",
        subcommands: [List.self, Remove.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List all sources.")

        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.call(ListSources.self, Nothing()) { reply in
                var table = Table(["SOURCE", "CONTAINERS", "WAITING", "ENDED", "NETWORKS", "LEFT OUT", "LAST CALL"])
                for source in reply.sources {
                    table.add([
                        source.name, "\(source.containers)", "\(source.waiting)", "\(source.ended ?? 0)",
                        "\(source.networks)", "\(source.leftOut)",
                        source.lastHeard.map { "\(Units.duration(seconds: $0)) ago" } ?? "before the start",
                    ])
                }
                return table.text
            }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Forget all that a source told.",
            discussion: "What others say of the same containers stays. An adapter that runs may tell all of it again.")

        @Argument(completion: .sources) var names: [String]
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.callEach(names) { client, name throws(Failure) in
                let known = try client.call(ListSources.self, Nothing()).sources.map(\.name)
                guard known.contains(name) else {
                    throw Failure(
                        status: 1, message: "no source \(name); 'intercomctl source ls' shows those that exist")
                }
                _ = try client.call(Forget.self, .init(source: name))
            }
        }
    }
}
