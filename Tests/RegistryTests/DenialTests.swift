// Names that a container does not have: which of them are ours all the same, and which exist without records.

import DNSWire
import Testing

@testable import Registry

@Suite("A name that a container does not have")
struct DenialTests {
    private func name(_ text: String) throws -> FoldedName {
        var folded = FoldedName()
        folded.set(try Name(text))
        return folded
    }

    private func town() throws -> Town {
        var town = try Town()
        try town.network("front")
        try town.network("back.end")
        try town.network("elsewhere")
        try town.container(
            "web", "front 10.0.0.2 /site /api.shop.test /*.app.test", links: [("db", "store.data")],
            ports: [PortDefinition(number: 80, service: "http")])
        try town.container("db", "front 10.0.0.3")
        try town.container("hidden", "elsewhere 10.3.0.2 /deep.secret", ports: [PortDefinition(number: 80)])
        try town.container("_odd", "front 10.0.0.4")
        try town.container("me", "front", "back.end", links: [("db", "link.of.mine")])
        return town
    }

    @Test("is ours where it has an underscored label before a name of ours (RFC 8552)")
    func underscored() throws {
        var town = try town()
        for (text, isOurs) in [
            ("_dmarc.web", true), ("_8443._https.web", true), ("_tcp.web", true), ("_ldap._tcp.web.front", true),
            ("_x._sctp.web.front.internal", true), ("_sip._udp.site.internal", true), ("_tcp.link.of.mine", true),
            ("_dmarc._odd", true), ("_acme-challenge.any.app.test", true), ("_ldap._tcp.dc._msdcs.web", true),
            ("_tcp.hidden", false), ("_tcp.hidden.elsewhere", false), ("_dmarc.nobody", false), ("_tcp.front", false),
            ("_dmarc.example.com", false), ("x.web", false), ("_web", false), ("web", false),
            (String(repeating: "_.", count: 100) + "web", true), ("web" + String(repeating: "._", count: 100), false),
        ] {
            let folded = try name(text)
            let ours = town.directory.isUnderscoredNameOfOurs(folded, view: try town.view("me"))
            #expect(ours == isOurs, "\(text)")
            // Looked up are those alone that have such a label.
            #expect(folded.hasUnderscoredLabel || !isOurs, "\(text)")
        }
        for (text, hasSuch) in [("web", false), ("_web", false), ("a_.web._", false), ("a._b.web", true)] {
            let folded = try name(text)
            #expect(folded.hasUnderscoredLabel == hasSuch, "\(text)")
        }
    }

    @Test("exists without records where names of the container's view are beneath it (RFC 8020)")
    func empty() throws {
        var town = try town()
        for (text, isEmpty) in [
            ("internal", true), ("front", true), ("front.internal", true), ("back.end", true), ("end", true),
            ("end.internal", true), ("back.end.internal", true), ("_tcp.web", true), ("_tcp.web.front.internal", true),
            ("_tcp.site.front", true), ("shop.test", true), ("test", true), ("app.test.internal", true),
            ("test.front.internal", true), ("of.mine", true), ("mine", true),
            // Of others.
            ("elsewhere", false), ("elsewhere.internal", false), ("secret", false), ("secret.elsewhere", false),
            ("_tcp.hidden", false), ("data", false), ("_udp.web", false), ("nobody", false), ("nobody.internal", false),
            ("back", false), ("front.end", false), ("mine.internal", false), ("xfront", false), ("ront", false),
            ("test.back.end", false),
        ] {
            let folded = try name(text)
            let found = town.directory.hasNamesBeneath(folded, view: try town.view("me"))
            #expect(found == isEmpty, "\(text)")
        }
    }

    @Test("is empty no more when the last name beneath it goes, and nothing of it is left behind")
    func emptiness() throws {
        var town = try Town(domain: "corp.lan")
        try town.network("front")
        try town.container("me", "front")
        let before = town.directory.index.count
        let folded = try name("b.c")
        try town.container("one", "front 10.0.0.2 /a.b.c /x.b.c")
        try town.container("two", "front 10.0.0.3 /*.b.c")
        for (gone, isEmpty) in [("one", true), ("two", false)] {
            try town.remove(gone)
            let found = town.directory.hasNamesBeneath(folded, view: try town.view("me"))
            #expect(found == isEmpty, "without \(gone)")
        }
        #expect(town.directory.index.count == before)
        let above = try name("lan")
        let isAbove = town.directory.hasNamesBeneath(above, view: try town.view("me"))
        #expect(isAbove, "the domain is beneath it")
    }

    @Test("under a domain of the host is the host's to know, where the container asks the host's upstreams")
    func hostDomains() throws {
        var town = try Town()
        try town.network("plain")
        try town.network("own", upstreams: ["192.0.2.53"])
        try town.network("closed", isInternal: true)
        for (container, network) in [("a", "plain"), ("b", "own"), ("c", "closed")] {
            try town.container(container, network)
        }
        town.registry.setHostDomains(try Registry.cloudDomains + [Name("corp.local"), Name("lan"), .root])
        town.settle()
        for (container, text, labels, isKnown) in [
            ("a", "metadata.google.internal", 1, true), ("a", "google.internal", 1, true),
            ("a", "ip-10-0-0-1.eu-west-1.compute.internal", 1, true), ("a", "compute.internal", 2, false),
            ("a", "x.corp.local", 0, true), ("a", "corp.local", 0, true), ("a", "local", 0, false),
            ("a", "lan", 0, true),
            ("a", "nas.lan", 0, true), ("a", "internal", 1, false), ("a", "xgoogle.internal", 1, false),
            ("a", "db.internal", 1, false), ("b", "metadata.google.internal", 1, false),
            ("c", "metadata.google.internal", 1, false),
        ] {
            let folded = try name(text)
            let known = town.directory.isUnderHostDomain(folded, view: try town.view(container), longerThan: labels)
            #expect(known == isKnown, "\(text) for \(container)")
        }
        town.registry.setHostDomains([])
        town.settle()
        let folded = try name("metadata.google.internal")
        let known = town.directory.isUnderHostDomain(folded, view: try town.view("a"), longerThan: 1)
        #expect(!known)
    }

    @Test("of an address on a LAN bridge is the LAN's to know; a route for a reverse zone wins over a subnet")
    func reverseElsewhere() throws {
        var town = try Town()
        town.bridge(3, "br0", subnets: ["10.0.0.0/24"])
        town.namespace(1, "/run/netns/web", "3 10.0.0.2")
        let read = try name("9.0.0.10.in-addr.arpa").reverseBlock
        let block = try #require(read)
        func isOurs(_ town: inout Town, unlessRouted prefix: Int = -1) throws -> Bool {
            town.directory.isReverseOfMyNetworks(block, view: try town.view("web"), unlessRouted: prefix)
        }
        #expect(try isOurs(&town))
        #expect(try isOurs(&town, unlessRouted: 16), "the subnet is longer than a route for 0.10.in-addr.arpa")
        #expect(try !isOurs(&town, unlessRouted: 24))
        town.registry.observeDefaultRoutes(over: [InterfaceIndex(rawValue: 3)])
        town.settle()
        #expect(try !isOurs(&town))
        #expect(try town.ask("web", "2.0.0.10.in-addr.arpa", .ptr) == ["web.br0.internal."], "containers keep theirs")
        town.registry.observeDefaultRoutes(over: [])
        town.settle()
        #expect(try isOurs(&town))
    }
}
