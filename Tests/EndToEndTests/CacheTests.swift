// The cache of upstream answers in the daemon itself, with its sockets, its configuration and its clock.

import Foundation
import Testing

@Suite("What upstreams have said", .needsRoot)
struct CacheTests {
    static let configuration = ForwardingTests.configuration("127.0.0.5") + "\n"

    /// Number of queries that the upstream got for a name.
    static func queries(_ house: House, _ name: String) -> Int {
        house.queries(of: "127.0.0.5").filter { $0.contains(" \(name). ") }.count
    }

    @Test("is told again without asking, over UDP and TCP, to every container, with the time that is left")
    func kept() throws {
        try House.lend(configuration: Self.configuration + "[server]\nworkers = 1\n") { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            try house.container("other", "--network", "n")
            #expect(try house.dig("app", "www.example").answer == ["www.example. 300 IN A 192.0.2.1"])
            let isCountedDown = try eventually {
                let reply = try house.dig("app", "www.example")
                #expect(reply.data == ["192.0.2.1"])
                return reply.answer.first?.hasPrefix("www.example. 299 ") == true
            }
            #expect(isCountedDown)
            #expect(try house.dig("app", "+tcp", "WWW.example").data == ["192.0.2.1"])
            #expect(try house.dig("app", "+noedns", "www.example").data == ["192.0.2.1"])
            #expect(try house.dig("other", "www.example").data == ["192.0.2.1"])
            #expect(Self.queries(house, "www.example") == 1)

            for _ in 0..<2 { #expect(try house.dig("app", "nothing.example").status == "NXDOMAIN") }
            #expect(Self.queries(house, "nothing.example") == 1)

            for _ in 0..<2 {
                let cut = try house.dig("app", "+noedns", "+ignore", "big.example")
                #expect(cut.flags.contains("tc") && cut.answer.count < 100, "\(cut)")
                #expect(try house.dig("app", "big.example").data.count == 100)
            }
            #expect(Self.queries(house, "big.example") == 1)
        }
    }

    @Test("is kept in as much memory as the configuration says, from the next reload on")
    func size() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            for (size, asked) in [("0", 2), ("1MiB", 3), ("0", 5)] {
                let text = Self.configuration + "[cache]\nsize = \"\(size)\"\n"
                try text.write(toFile: house.configuration, atomically: true, encoding: .utf8)
                try house.mustCtl("reload")
                for _ in 0..<2 { #expect(try house.dig("app", "www.example").data == ["192.0.2.1"]) }
                #expect(Self.queries(house, "www.example") == asked, "size \(size)")
            }
        }
    }
}
