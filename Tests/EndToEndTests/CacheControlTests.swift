// The cache as operators and clients see it: forgotten on demand, counted, kept apart.

import Foundation
import Testing

@Suite("What is kept of upstreams' answers", .needsRoot)
struct CacheControlTests {
    /// Number of queries that the upstream got for a name.
    private func queries(_ house: House, _ name: String, of upstream: String = "127.0.0.5") -> Int {
        house.queries(of: upstream).filter { $0.contains(" \(name). ") }.count
    }

    @Test("is forgotten on demand: all, one name, or a name and those under it")
    func flush() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            let names = ["example", "www.example", "a.www.example", "notwww.example"].map { "\($0).test" }
            func ask() throws { for name in names { #expect(try house.dig("app", name).data == ["192.0.2.1"]) } }
            try ask()
            try ask()
            #expect(names.map { queries(house, $0) } == [1, 1, 1, 1])
            #expect(try house.ctl("cache", "flush", "WWW.example.test").out == "1 answer forgotten\n")
            try ask()
            #expect(names.map { queries(house, $0) } == [1, 2, 1, 1])
            #expect(try house.ctl("cache", "flush", "--suffix", "www.example.test").out == "2 answers forgotten\n")
            try ask()
            #expect(names.map { queries(house, $0) } == [1, 3, 2, 1])
            #expect(try house.ctl("--json", "cache", "flush").out.contains("\"flushed\" : 4"))
            try ask()
            #expect(names.map { queries(house, $0) } == [2, 4, 3, 2])
            #expect(try house.ctl("cache", "flush", "nobody.test").out == "0 answers forgotten\n")
            #expect(try house.ctl("cache", "flush", "a..b").status == 1)
            #expect(try house.ctl("cache", "flush", "a.test", "--suffix", "b.test").status == 2)
        }
    }

    @Test("is listed with its code, its age and the time that is left: all, one name, or a name and those under it")
    func list() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            #expect(try house.ctl("cache", "ls").lines.count == 1, "the header alone")
            for name in ["www.example.test", "brief.www.example.test", "nothing.example"] {
                _ = try house.dig("app", name)
            }
            func rows(_ words: String...) throws -> [[Substring]] {
                try house.ctl(["cache", "ls"] + words).lines.dropFirst().map { $0.split(separator: " ") }
            }
            let all = try rows()
            #expect(
                all.map { $0.prefix(3).joined(separator: " ") } == [
                    "brief.www.example.test A NOERROR", "nothing.example * NXDOMAIN", "www.example.test A NOERROR",
                ], "\(all)")
            #expect(all.allSatisfy { $0.last == "default" && $0[4] == "s" && $0[6] == "s" }, "\(all)")
            #expect(try rows("WWW.example.test").map { $0[0] } == ["www.example.test"])
            #expect(try rows("--suffix", "example.test").count == 2)
            #expect(try rows("nobody.test").isEmpty)
            // Past its life it serves while nobody answers, and is still shown.
            #expect(try eventually { try rows("brief.www.example.test").first?[5] == "0" })
            #expect(try house.ctl("cache", "ls", "--json").out.contains("\"rcode\" : \"NXDOMAIN\""))
            #expect(try house.ctl("cache", "ls", "a..b").status == 1)
            #expect(try house.ctl("cache", "ls", "a.test", "--suffix", "b.test").status == 2)
        }
    }

    @Test("is counted in status")
    func counters() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            for _ in 1...3 { _ = try house.dig("app", "www.example") }
            _ = try house.dig("app", "other.example")
            let json = try house.ctl("status", "--json").out
            let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
            let cache = try #require(object?["cache"] as? [String: Int])
            #expect(cache["hits"] == 2 && cache["misses"] == 2 && cache["entries"] == 2, "\(cache)")
            #expect(cache["limit"] == 16 << 20 && cache["octets", default: 0] > 100, "\(cache)")
            let status = try house.ctl("status").out
            #expect(status.contains("CACHE ") && status.contains(" of 16 MiB"), "\(status)")
            #expect(status.contains("cached "), "\(status)")
        }
    }

    @Test("is never told to who asks other upstreams, and forgotten when they are others")
    func apart() throws {
        let configuration = """
            [forward]
            upstreams = ["127.0.0.5"]
            [[network]]
            name = "n"
            [[network]]
            name = "own"
            upstreams = ["127.0.0.6"]

            """
        try House.lend(configuration: configuration) { house in
            for address in ["127.0.0.5", "127.0.0.6", "127.0.0.7"] { try house.startUpstream(address) }
            try house.container("one", "--network", "n")
            try house.container("two", "--network", "own")
            for _ in 1...2 {
                #expect(try house.dig("one", "www.example", "TXT").data == ["\"from 127.0.0.5\""])
                #expect(try house.dig("two", "www.example", "TXT").data == ["\"from 127.0.0.6\""])
            }
            let moved = configuration.replacingOccurrences(of: "127.0.0.6", with: "127.0.0.7")
            try moved.write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            #expect(try house.dig("two", "www.example", "TXT").data == ["\"from 127.0.0.7\""])
            #expect(queries(house, "www.example") == 1, "the others' is kept")
            try house.mustCtl("network", "connect", "n", "two")
            try house.mustCtl("network", "disconnect", "own", "two")
            #expect(try house.dig("two", "www.example", "TXT").data == ["\"from 127.0.0.5\""])
        }
    }

    @Test(
        "of the host's upstreams is forgotten when its resolv.conf is written, even the same, or that behind the stub")
    func rewritten() throws {
        try House.lend(configuration: "[[network]]\nname = \"n\"\n", resolver: "nameserver 127.0.0.5\n") { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            for _ in 1...2 { #expect(try house.dig("app", "nothing.example").status == "NXDOMAIN") }
            #expect(queries(house, "nothing.example") == 1)
            for (number, file) in [house.resolver, "\(house.resolved)/resolv.conf"].enumerated() {
                try "nameserver 127.0.0.5\n".write(toFile: file, atomically: true, encoding: .utf8)
                #expect(
                    try eventually(within: 1) {
                        _ = try house.dig("app", "nothing.example")
                        return queries(house, "nothing.example") == 2 + number
                    }, "\(file)")
            }
        }
    }
}
