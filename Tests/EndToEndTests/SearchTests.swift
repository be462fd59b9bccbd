// Search domains of networks: in the resolv.conf of their containers, and never before a container's own name.

import Foundation
import Testing

@Suite("The search domains of a network", .needsRoot)
struct SearchTests {
    private static let configuration = """
        [server]
        resolv-conf-directories = ["\(NSTemporaryDirectory())"]
        [discover]
        enabled = false
        [forward]
        upstreams = ["127.0.0.5"]
        [[network]]
        name = "lab"
        subnets = ["10.2.0.0/24"]
        search = ["lab.example"]

        """

    private func search(_ house: House) throws -> String? {
        let text = try String(contentsOfFile: house.file("/etc/netns/web/resolv.conf"), encoding: .utf8)
        #expect(text == (try? String(contentsOfFile: "\(house.directory)/web.conf", encoding: .utf8)))
        return text.split(separator: "\n").first { $0.hasPrefix("search ") }.map(String.init)
    }

    @Test("stand in the files of its containers, in place of the host's; a container's name comes before them")
    func files() throws {
        let resolver = "nameserver 127.0.0.5\nsearch host.example\noptions ndots:3 timeout:2\n"
        try House.lend(configuration: Self.configuration, resolver: resolver) { house in
            try house.startDNSMasq(
                in: "house", at: "127.0.0.5",
                [
                    "--local=/example/", "--host-record=node.corp.example,10.9.0.1",
                    "--host-record=db.corp.example,192.0.2.66",
                    "--host-record=tool.lab.example,10.9.0.2", "--host-record=node.host.example,192.0.2.66",
                ])
            try house.mustCtl(
                "network", "create", "n", "--subnet", "10.1.0.0/24", "--search", "corp.example", "--search", "b.example"
            )
            try house.routedContainer(
                "web", "--network", "n,ip=10.1.0.2", "--resolv-conf", "\(house.directory)/web.conf")
            try house.mustCtl("container", "add", "db", "--network", "n,ip=10.1.0.3")
            #expect(try search(house) == "search corp.example b.example")
            #expect(try house.ctl("network", "inspect", "n").out.contains("search"))
            func found(_ name: String) throws -> String? {
                try house.run(in: "web", ["getent", "ahostsv4", name]).text.split(separator: " ").first.map(String.init)
            }
            #expect(try found("node") == "10.9.0.1" && found("db") == "10.1.0.3")
            #expect(try found("tool") == nil)

            // Live: on another network, off it, with another configuration, on a network that is declared anew.
            try house.mustCtl("network", "connect", "lab", "web", "--ip", "10.2.0.2")
            #expect(try eventually { try search(house) == "search corp.example b.example lab.example" })
            #expect(try found("tool") == "10.9.0.2" && found("db") == "10.1.0.3")
            try Self.configuration.replacing("lab.example", with: "lab2.example")
                .write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            #expect(try eventually { try search(house) == "search corp.example b.example lab2.example" })
            try house.mustCtl("network", "disconnect", "n", "web")
            #expect(try eventually { try search(house) == "search lab2.example" })
            try house.mustCtl("network", "disconnect", "lab", "web")
            #expect(try eventually { try search(house) == "search host.example" })
        }
    }

    @Test("are refused with the reason where they cannot be")
    func refused() throws {
        try House.lend(configuration: House.undiscovered) { house in
            let output = try house.ctl("network", "create", "n", "--search", "corp/example")
            #expect(
                output.status == 1 && output.err.contains("bad name 'corp/example': a search domain has"), "\(output)")
        }
    }
}
