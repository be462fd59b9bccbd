// Names that lie under ours or beside them and belong to a cloud or a company: asked of its servers, and nothing else is.

import Foundation
import Testing

@Suite("On a host of a cloud, a container", .needsRoot)
struct CloudNameTests {
    private static let resolver = """
        nameserver 127.0.0.5
        search corp.local c.project.internal google.internal

        """

    private static let configuration =
        House.undiscovered + """
            [[route]]
            domain = "lab.internal"
            upstreams = ["127.0.0.6"]
            [[route]]
            domain = "2.10.in-addr.arpa"
            upstreams = ["127.0.0.6"]
            [[network]]
            name = "n"
            subnets = ["10.1.0.0/16", "10.2.0.0/16"]
            [[container]]
            name = "db"
            networks = [{ name = "other", ip = ["10.3.0.2"] }]
            [[network]]
            name = "other"

            """

    /// Answer of the servers to each name, asked or not.
    private static let records = [
        "metadata.google.internal": "169.254.169.254", "ip-10-0-0-1.ec2.internal": "10.0.0.1",
        "vm.eu-west-1.compute.internal": "10.0.0.2", "node.c.project.internal": "10.0.0.3",
        "host.corp.local": "10.0.0.4",
        "a.lab.internal": "10.0.0.5",
        // Not to be asked for.
        "db.internal": "192.0.2.66", "vm.c.other.internal": "192.0.2.66", "printer.local": "192.0.2.66",
        "nobody": "192.0.2.66", "corp.internal": "192.0.2.66",
    ]

    /// Starts the cloud's server, 127.0.0.5, and that of the routes, 127.0.0.6, which know all names.
    private func startServers(in house: House) throws {
        let options =
            [
                "--log-queries", "--local=/internal/corp.local/",
                "--ptr-record=9.9.2.10.in-addr.arpa,printer.lab.internal",
            ]
            + Self.records.map { "--host-record=\($0),\($1)" }
        for address in ["127.0.0.5", "127.0.0.6"] { try house.startDNSMasq(in: "house", at: address, options) }
    }

    /// The names that a server was asked for.
    private func asked(_ address: String, in house: House) throws -> Set<String> {
        let log = try String(contentsOfFile: "\(house.directory)/dnsmasq-\(address)", encoding: .utf8)
        let words = log.split(separator: "\n").map { $0.split(separator: " ") }
        return Set(
            words.compactMap { line in
                line.firstIndex { $0.hasPrefix("query[") }.map { String(line[$0 + 1]) }
            })
    }

    @Test("finds the metadata server, names of the cloud and of the host's search domains; others stay here")
    func names() throws {
        try House.lend(configuration: Self.configuration, resolver: Self.resolver) { house in
            try startServers(in: house)
            try house.routedContainer("app", "--network", "n,ip=10.1.0.2")
            for (name, address) in [
                ("metadata.google.internal", "169.254.169.254"), ("ip-10-0-0-1.ec2.internal", "10.0.0.1"),
                ("vm.eu-west-1.compute.internal", "10.0.0.2"), ("node.c.project.internal", "10.0.0.3"),
                ("host.corp.local", "10.0.0.4"), ("a.lab.internal", "10.0.0.5"),
                // By the search list, which is the container's, too.
                ("host", "10.0.0.4"), ("node", "10.0.0.3"), ("metadata", "169.254.169.254"), ("app", "10.1.0.2"),
            ] {
                let found = try house.run(in: "app", ["getent", "ahostsv4", name])
                #expect(found.text.hasPrefix("\(address) "), "\(name): \(found)")
            }
            for name in ["db.internal", "vm.c.other.internal", "printer.local", "nobody", "corp.internal"] {
                #expect(try house.dig("app", name).status == "NXDOMAIN", "\(name)")
                #expect(try house.run(in: "app", ["getent", "ahosts", name + "."]).status == 2, "\(name)")
            }
            #expect(try house.dig("app", "-x", "10.2.9.9").data == ["printer.lab.internal."], "a reverse route")
            #expect(try house.dig("app", "-x", "10.1.9.9").status == "NXDOMAIN", "within a subnet of ours")
            #expect(
                try asked("127.0.0.6", in: house).isSubset(of: ["localhost", "a.lab.internal", "9.9.2.10.in-addr.arpa"])
            )
            let denied: Set = ["db.internal", "vm.c.other.internal", "printer.local", "nobody", "corp.internal"]
            #expect(try asked("127.0.0.5", in: house).isDisjoint(with: denied))
        }
    }
}
