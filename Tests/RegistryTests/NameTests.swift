// Names, and the containers that can resolve them.

import DNSWire
import Testing

@testable import Registry

@Suite("A name")
struct NameTests {
    @Test(
        "is found as it is, with its network and with the domain behind it",
        arguments: [
            "web", "WEB", "web.", "web.front", "web.internal", "web.front.internal", "Web.Front.INTERNAL", "site",
            "site.front", "www.example", "www.example.front.internal", "0123456789ab", "0123456789abcdef",
        ])
    func forms(name: String) throws {
        var town = try Town()
        try town.network("front")
        try town.container("web", "front 10.0.0.2 /site", hostname: "www.example", id: "0123456789abcdef")
        try town.container("app", "front 10.0.0.3")
        #expect(try town.ask("app", name) == ["10.0.0.2"])
        #expect(try town.ask("web", "app") == ["10.0.0.3"])
    }

    @Test("of a network that one is not on does not exist")
    func otherNetworks() throws {
        var town = try Town()
        try town.network("front")
        try town.network("back")
        try town.container("web", "front 10.0.0.2")
        try town.container("db", "back 10.1.0.2")
        try town.container("app", "front 10.0.0.3", "back 10.1.0.3")
        #expect(try town.ask("web", "db") == nil)
        #expect(try town.ask("web", "db.back.internal") == nil)
        #expect(try town.ask("app", "db") == ["10.1.0.2"])
        #expect(try town.ask("app", "web") == ["10.0.0.2"])
        #expect(try town.ask("db", "app") == ["10.1.0.3"], "only the address on the shared network")
    }

    @Test("that several networks have is that of the first; with a network behind it, of that one")
    func firstNetwork() throws {
        var town = try Town()
        try town.network("front")
        try town.network("b.c")
        try town.container("web", "front 10.0.0.2")
        try town.container("api", "b.c 10.1.0.2 /web")
        try town.container("one", "front", "b.c")
        try town.container("two", "b.c", "front")
        #expect(try town.ask("one", "web") == ["10.0.0.2"])
        #expect(try town.ask("two", "web") == ["10.1.0.2"])
        #expect(try town.ask("one", "web.b.c") == ["10.1.0.2"])
        #expect(try town.ask("one", "web.b.c.internal") == ["10.1.0.2"])
        #expect(try town.source("two", "web.front") == "front")
        #expect(try town.ask("one", "web.c") == nil)
    }

    @Test("as a whole comes before the same labels as name and network")
    func wholeFirst() throws {
        var town = try Town()
        try town.network("front")
        try town.network("c")
        try town.network("b.c")
        try town.container("x", "front 10.0.0.1 /a.b.c")
        try town.container("y", "c 10.0.0.2 /a.b")
        try town.container("a", "b.c 10.0.0.3")
        try town.container("me", "b.c", "c", "front")
        #expect(try town.ask("me", "a.b.c") == ["10.0.0.1"])
        try town.remove("x")
        #expect(try town.ask("me", "a.b.c") == ["10.0.0.2"])
        try town.remove("y")
        #expect(try town.ask("me", "a.b.c") == ["10.0.0.3"])
    }

    @Test("that is exact comes before any wildcard, and the longest wildcard before shorter ones")
    func wildcards() throws {
        var town = try Town()
        try town.network("front")
        try town.network("back")
        try town.container("short", "front 10.0.0.1 /*.test")
        try town.container("long", "back 10.0.0.2 /*.app.test")
        try town.container("exact", "back 10.0.0.3 /x.app.test")
        try town.container("me", "front", "back")
        #expect(try town.ask("me", "a.test") == ["10.0.0.1"])
        #expect(try town.ask("me", "b.a.test") == ["10.0.0.1"])
        #expect(try town.ask("me", "a.app.test") == ["10.0.0.2"])
        #expect(try town.ask("me", "x.app.test") == ["10.0.0.3"])
        #expect(try town.ask("me", "y.x.app.test") == ["10.0.0.2"])
        #expect(try town.ask("me", "app.test") == ["10.0.0.1"])
        #expect(try town.ask("me", "test") == nil)
        #expect(try town.ask("me", "a.app.test.back.internal") == ["10.0.0.2"])
        try town.remove("long")
        #expect(try town.ask("me", "a.app.test") == ["10.0.0.1"])
        try town.remove("short")
        #expect(try town.ask("me", "a.app.test") == nil)
    }

    @Test("of several endpoints has all their addresses, another first each time")
    func replicas() throws {
        var town = try Town()
        try town.network("front")
        for number in 1...3 { try town.container("r\(number)", "front 10.0.0.\(number) /all") }
        let circle = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1", "10.0.0.2"]
        for _ in 0..<4 {
            let round = try (0..<3).map { _ in try town.ask("r1", "all") ?? [] }
            #expect(Set(round.compactMap(\.first)).count == 3, "each is first once in a round")
            for turn in round { #expect((0..<3).contains { Array(circle[$0..<$0 + 3]) == turn }, "\(turn)") }
        }
        try town.disconnect("r2", "front")
        #expect(try town.ask("r1", "all")?.sorted() == ["10.0.0.1", "10.0.0.3"])
    }

    @Test("exists without addresses of a type; services are names of their own")
    func types() throws {
        var town = try Town()
        try town.network("front", ttl: 60)
        try town.container(
            "web", "front 10.0.0.2 fd00::2 /site",
            ports: [PortDefinition(number: 80, service: "http"), PortDefinition(number: 53, transport: .udp)])
        #expect(try town.ask("web", "web", .aaaa) == ["fd00::2"])
        #expect(try town.ask("web", "web", .mx) == [])
        #expect(try town.ask("web", "_http._tcp.site", .srv) == ["0 0 80 web.front.internal."])
        #expect(try town.ask("web", "_80._tcp.web.front", .srv) == ["0 0 80 web.front.internal."])
        #expect(try town.ask("web", "_53._udp.web", .srv) == ["0 0 53 web.front.internal."])
        #expect(try town.ask("web", "_http._tcp.web", .a) == [])
        #expect(try town.ask("web", "_http._udp.web", .srv) == nil)
        #expect(try town.ttl("web", "web") == 60)
    }

    @Test("of an address is found on one's own networks alone")
    func reverse() throws {
        var town = try Town()
        try town.network("front", subnets: ["10.0.0.0/24", "fd00::/64"])
        try town.network("back")
        try town.container("web", "front 10.0.0.2 fd00::2")
        try town.container("db", "back 10.0.0.2")
        #expect(try town.ask("web", "2.0.0.10.in-addr.arpa", .ptr) == ["web.front.internal."])
        #expect(try town.ask("web", "\(IPAddress("fd00::2")!.reverseName)", .ptr) == ["web.front.internal."])
        #expect(try town.ask("db", "2.0.0.10.in-addr.arpa", .ptr) == ["db.back.internal."])
        #expect(try town.ask("web", "3.0.0.10.in-addr.arpa", .ptr) == nil)
        let web = try town.view("web")
        let db = try town.view("db")
        for (text, ours) in [
            ("3.0.0.10.in-addr.arpa", true), ("3.1.0.10.in-addr.arpa", false), ("0.0.10.in-addr.arpa", true),
            ("0.10.in-addr.arpa", false), ("lb._dns-sd._udp.0.0.10.in-addr.arpa", true), ("1.0.10.in-addr.arpa", false),
            ("\(IPAddress("fd00::99")!.reverseName)", true), ("\(IPAddress("fd00:0:0:1::")!.reverseName)", false),
            ("0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", true), ("0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", false),
        ] {
            var name = FoldedName()
            name.set(try Name(text))
            let read = name.reverseBlock
            let block = try #require(read)
            let isInside = town.directory.isReverseOfMyNetworks(block, view: web)
            let isOutside = town.directory.isReverseOfMyNetworks(block, view: db)
            #expect(isInside == ours && !isOutside, "\(text)")
        }
    }

    @Test("by a link is its owner's alone, while the target is there and shares a network")
    func links() throws {
        var town = try Town()
        try town.network("front")
        try town.network("back")
        try town.container("app", "front 10.0.0.3", links: [("db", "store"), ("db", "a.b")])
        #expect(try town.ask("app", "store") == nil)
        try town.container("db", "back 10.1.0.2", ports: [PortDefinition(number: 5432)])
        #expect(try town.ask("app", "store") == nil, "no network is shared")
        try town.connect("app", "back 10.1.0.3")
        #expect(try town.ask("app", "store") == ["10.1.0.2"])
        #expect(try town.ask("app", "a.b") == ["10.1.0.2"])
        #expect(try town.ask("app", "_5432._tcp.store", .srv) == ["0 0 5432 db.back.internal."])
        #expect(try town.ask("db", "store") == nil)
        #expect(try town.source("app", "store") == "links of app")
        try town.disconnect("app", "back")
        #expect(try town.ask("app", "store") == nil)
        try town.connect("app", "back")
        try town.remove("db")
        #expect(try town.ask("app", "store") == nil)
        try town.container("db", "back 10.1.0.9")
        #expect(try town.ask("app", "store") == ["10.1.0.9"])
        try town.container("shadow", "back 10.1.0.10 /store")
        #expect(try town.ask("app", "store") == ["10.1.0.9"], "a link comes before a name of a network")
    }

    @Test("goes to the upstreams of the first network that may forward")
    func upstreams() throws {
        var town = try Town()
        try town.network("inner", isInternal: true)
        try town.network("plain")
        try town.network("own", upstreams: ["192.0.2.53"])
        try town.container("a", "inner")
        try town.container("b", "inner", "plain", "own")
        try town.container("c", "inner", "own", "plain")
        try town.container("d")
        #expect(try town.group("a") == nil && town.group("d") == nil)
        #expect(try town.group("b") == UpstreamGroupID.default.rawValue)
        #expect(try town.group("c") == town.group(of: nil, network: "own"))
        try town.disconnect("c", "own")
        #expect(try town.group("c") == 0)
    }
}
