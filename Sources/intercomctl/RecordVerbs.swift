// intercomctl record …

import ArgumentParser
import ControlAPI
import DNSWire

struct RecordVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record", abstract: "Records: names of your own, beside those of containers.",
        subcommands: [Add.self, Remove.self, List.self])
}

extension RecordVerbs {
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a record, as: record add api.test A 10.1.0.9",
            discussion: """
                Types: A, AAAA, CNAME, TXT, MX, SRV, CAA, HTTPS, SVCB, PTR; others by number, with their octets, as \
                TYPE65280 '\\# 2 0A01'. A name may have several records of a type. A container's name comes first.
                """)

        @Argument(help: "The name, as api.test, or *.app.test for all names under app.test.")
        var name: String

        @Argument(help: "The type, as A, CNAME or TXT.")
        var type: String

        @Argument(help: "The data, as in a zone file; each argument of TXT is one string.")
        var data: [String]

        @Option(help: ArgumentHelp("The network whose containers see it.", valueName: "network"), completion: .networks)
        var network: String?

        @Option(
            help: ArgumentHelp(
                "How long it may be kept; holds for all records of this name and type.", valueName: "seconds"))
        var ttl: Int?

        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.call(
                AddRecord.self, AddRecord.Parameters(name: name, type: type, data: data, network: network, ttl: ttl)
            ) { reply in
                guard let holders = reply.shadowedBy else { return "" }
                let text =
                    "\(holders.joined(separator: ", ")) \(holders.count == 1 ? "is" : "are") called \(name), and answered in place of the record there"
                return DisplayText.escaped(text) + "\n"
            }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Remove the records of a name, of one type or of all.",
            discussion:
                "Records of intercom.toml and of hosts files stay: remove them there, then 'intercomctl reload'.")

        @Argument(help: "The name, as it was added.", completion: .records)
        var name: String

        @Argument(help: "The type; all, if it is left out.")
        var type: String?

        @Option(
            help: ArgumentHelp("The network that they were added for.", valueName: "network"), completion: .networks)
        var network: String?

        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.call(RemoveRecord.self, RemoveRecord.Parameters(name: name, type: type, network: network))
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List all records.")

        @OptionGroup var common: CommonOptions

        func run() throws {
            var listing = Listing<DeclaredRecord>(
                "records", ["NAME", "TTL", "TYPE", "DATA", "NETWORK", "SOURCE"], isJSON: common.json,
                name: { "\($0.name) \($0.type)" }
            ) { record in
                [
                    record.name, record.ttl.map { "\($0)" } ?? "", record.type, record.data, record.network ?? "",
                    record.shadowedBy.map { "\(record.source), shadowed by \($0)" } ?? record.source,
                ]
            }
            let client = try ControlClient(socket: common.socket)
            try client.replies(to: ListRecords.self, Nothing()) { reply in
                for record in reply.records { listing.add(record) }
            }
            listing.end()
        }
    }
}
