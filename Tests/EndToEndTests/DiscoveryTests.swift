// An empty configuration, and `ip` alone: what the kernel shows is what is answered.

import Foundation
import Testing

@Suite("With ip alone and no configuration,", .needsRoot)
struct DiscoveryTests {
    /// A bridge `br0` with `web` at 10.1.0.2 and `app` at 10.1.0.3; the host's ends are called as their containers.
    private func lend(configuration: String = "", _ body: (House) throws -> Void) throws {
        try House.lend(configuration: configuration) { house in
            try house.bridge("br0", "10.1.0.1/24")
            try house.plug("web", into: "br0", "10.1.0.2/24")
            try house.plug("app", into: "br0", "10.1.0.3/24")
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] }, "\(house.log)")
            try body(house)
        }
    }

    @Test("containers find each other, their addresses their names, and their programs the intercom")
    func answers() throws {
        try lend { house in
            #expect(try eventually { try house.dig("web", "app").data == ["10.1.0.3"] })
            #expect(try house.dig("app", "web.br0").data == ["10.1.0.2"])
            #expect(try house.dig("app", "-x", "10.1.0.2").data == ["web.br0.internal."])
            #expect(try house.dig("app", "-x", "10.1.0.77").status == "NXDOMAIN")
            let known = try house.run(in: "app", ["getent", "hosts", "web"])
            #expect(known.text.hasPrefix("10.1.0.2"))
            #expect(try house.ctl("network", "ls").out.contains("br0"))
            #expect(try house.ctl("container", "ls").out.contains("web"))
        }
    }

    @Test("an address is there as soon as it is added, and gone as soon as it is removed")
    func addresses() throws {
        try lend { house in
            try house.ip(in: "web", "addr add 10.1.0.22/24 dev eth0")
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2", "10.1.0.22"] })
            try house.ip(in: "web", "addr del 10.1.0.2/24 dev eth0")
            try house.ip(in: "web", "addr flush dev eth0")
            #expect(try eventually { try house.dig("app", "web").data == [] })
            #expect(try house.dig("app", "web").status == "NOERROR")
            try house.ip(in: "web", "addr add fd00::2/64 dev eth0")
            #expect(try eventually { try house.dig("app", "web", "AAAA").data == ["fd00::2"] })
            #expect(try house.dig("app", "-x", "fd00::2").data == ["web.br0.internal."])
        }
    }

    @Test("an IPv6 address counts when its duplicate address detection is done, and never where that failed")
    func duplicates() throws {
        try lend { house in
            try house.ip(in: "web", "addr add fd00::2/64 dev eth0")
            #expect(try eventually { try house.dig("app", "web", "AAAA").data == ["fd00::2"] })
            try house.ip(in: "app", "addr add fd00::2/64 dev eth0")
            let hasFailed = try eventually {
                try house.run(in: "app", ["ip", "addr", "show", "dev", "eth0"]).out.contains("dadfailed")
            }
            #expect(hasFailed)
            #expect(try house.dig("web", "app", "AAAA").data == [])
            #expect(try house.dig("web", "app", "AAAA").status == "NOERROR")
        }
    }

    @Test("a link that is down, unplugged, plugged in elsewhere or pulled takes its names with it, and no others")
    func links() throws {
        try lend { house in
            try house.bridge("br1", "10.2.0.1/24")
            try house.plug("db", into: "br1", "10.2.0.4/24")
            try house.ip(in: "web", "link set eth0 down")
            #expect(try eventually { try house.dig("app", "web").status == "NXDOMAIN" })
            #expect(try eventually { try house.dig("web", "app").status == "NXDOMAIN" })
            try house.ip(in: "web", "link set eth0 up")
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] })
            try house.ip("link set web-br0 down")
            #expect(try eventually { try house.dig("app", "web").status == "NXDOMAIN" })
            try house.ip("link set web-br0 up nomaster")
            #expect(try !house.ctl("container", "inspect", "web").out.contains("br0"))
            try house.ip("link set web-br0 master br1")
            #expect(try eventually { try house.dig("db", "web").data == ["10.1.0.2"] })
            #expect(try house.dig("app", "web").status == "NXDOMAIN")
            #expect(try house.dig("app", "app").data == ["10.1.0.3"])
            try house.ip("link del web-br0")
            #expect(try eventually { try house.dig("db", "web").status == "NXDOMAIN" })
        }
    }

    @Test("a container on two networks sees both; the network of the link with the smaller number answers first")
    func twoNetworks() throws {
        try lend { house in
            try house.bridge("br1", "10.2.0.1/24")
            try house.plug("db", into: "br1", "10.2.0.4/24")
            #expect(try eventually { try house.dig("db", "db").data == ["10.2.0.4"] })
            try house.plug("app", into: "br1", "10.2.0.3/24", as: "eth1")
            #expect(try eventually { try house.dig("app", "db").data == ["10.2.0.4"] })
            #expect(try house.dig("app", "app").data == ["10.1.0.3"])
            #expect(try house.dig("db", "app").data == ["10.2.0.3"])
            #expect(try house.dig("web", "db").status == "NXDOMAIN")
        }
    }

    @Test("a bridge is called by its alias, and otherwise when that changes")
    func renamed() throws {
        try lend { house in
            try house.ip("link set br0 alias frontend")
            #expect(try eventually { try house.dig("app", "web.frontend").data == ["10.1.0.2"] })
            #expect(try house.dig("app", "-x", "10.1.0.2").data == ["web.frontend.internal."])
            try house.ip("link set br0 alias backend")
            #expect(try eventually { try house.dig("app", "web.backend").data == ["10.1.0.2"] })
            #expect(try house.dig("app", "web.frontend").data == [])
            try house.ip("link set br0 name br9")
            #expect(try eventually { try house.ctl("network", "inspect", "backend").out.contains("br9") })
        }
    }

    @Test("a namespace that is deleted is gone, and one of the same name is another")
    func deleted() throws {
        try lend { house in
            try house.deleteNamespace("web")
            #expect(try eventually { try house.dig("app", "web").status == "NXDOMAIN" })
            #expect(try eventually { try !house.hasLink("web-br0") }, "nothing keeps it alive")
            try house.plug("web", into: "br0", "10.1.0.9/24")
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.9"] })
            #expect(try eventually { try house.dig("web", "app").data == ["10.1.0.3"] })
        }
    }

    @Test("a namespace with loopback alone has its listener, and no names")
    func none() throws {
        try lend { house in
            _ = try house.namespace("lone")
            #expect(try eventually { try house.dig("lone", "localhost").data == ["127.0.0.1"] })
            #expect(try house.dig("lone", "web").status == "NXDOMAIN")
            #expect(try house.dig("web", "lone").status == "NXDOMAIN")
        }
    }

    @Test("macvlans of one parent are on its network, in whatever namespaces they are")
    func macvlan() throws {
        try lend { house in
            try house.ip("link add parent type ifb")
            try house.ip("link set parent up alias lan")
            for (name, address) in [("one", "10.3.0.1/24"), ("two", "10.3.0.2/24")] {
                _ = try house.namespace(name)
                try house.ip("link add mv0 link parent netns \(name) type macvlan mode bridge")
                try house.ip(in: name, "link set mv0 up")
                try house.ip(in: name, "addr add \(address) dev mv0")
            }
            #expect(try eventually { try house.dig("one", "two.lan").data == ["10.3.0.2"] }, "\(house.log)")
            #expect(try house.dig("app", "two").status == "NXDOMAIN")
            try house.ip(in: "two", "link set mv0 down")
            #expect(try eventually { try house.dig("one", "two").status == "NXDOMAIN" })
            // A parent of its own: another network, although the number of the link may be the same.
            try house.ip(in: "app", "link add mv1 link eth0 netns two type macvlan mode bridge")
            try house.ip(in: "two", "link set mv1 up")
            try house.ip(in: "two", "addr add 10.3.0.3/24 dev mv1")
            #expect(try house.dig("one", "two").status == "NXDOMAIN")
        }
    }

    @Test("a link that moves from namespace to namespace takes its network with it")
    func moves() throws {
        try lend { house in
            _ = try house.namespace("two")
            try house.ip(in: "web", "link set eth0 netns two")
            #expect(try eventually { try house.dig("app", "web").status == "NXDOMAIN" })
            try house.ip(in: "two", "link set eth0 up")
            try house.ip(in: "two", "addr add 10.1.0.5/24 dev eth0")
            #expect(try eventually { try house.dig("app", "two").data == ["10.1.0.5"] })
            #expect(try eventually { try house.dig("two", "app").data == ["10.1.0.3"] })
        }
    }
}

extension House {
    /// Makes a bridge with an address.
    func bridge(_ name: String, _ address: String) throws {
        try ip("link add \(name) type bridge")
        try ip("addr add \(address) dev \(name)")
        try ip("link set \(name) up")
    }

    /// Connects a container to a bridge by a veth, whose host's end is called `CONTAINER-BRIDGE`; makes its namespace if
    /// there is none.
    func plug(_ name: String, into bridge: String, _ address: String, as link: String = "eth0") throws {
        if !hasNamespace(name) { _ = try namespace(name) }
        try ip("link add \(name)-\(bridge) type veth peer name \(link) netns \(name)")
        try ip("link set \(name)-\(bridge) master \(bridge) up")
        try ip(in: name, "link set \(link) up")
        try ip(in: name, "addr add \(address) dev \(link)")
    }
}
