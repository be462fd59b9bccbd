// Causes on the wire between two containers. Each is made for real, its cure is typed, and the connection comes about.

import Foundation
import Testing

@Suite("explain, of the wire", .needsRoot)
struct ExplainWireTests: ExplainSuite {
    private func explain(_ house: House) throws -> Explained {
        try house.explain(["web", "--port", "8080"], from: "app")
    }

    /// A server in a container, which lives as long as the house.
    private func serve(_ house: House, in name: String) throws {
        try house.start(in: name, ["python3", "-m", "http.server", "8080", "--bind", "0.0.0.0"], log: "http-\(name)")
        #expect(try eventually { try house.run(in: name, ["ss", "-Hltn"]).text.contains("0.0.0.0:8080") })
    }

    @Test("Two isolated ports of a bridge are named, and nothing of it where one alone is")
    func isolated() throws {
        try lendFound { house in
            try serve(house, in: "web")
            #expect(try explain(house).cause == nil)
            for peer in ["app-front", "web-front"] {
                #expect(try house.type("bridge link set dev \(peer) isolated on").status == 0)
                if peer == "app-front" { #expect(try explain(house).cause == nil) }
            }
            let explained = try explain(house)
            #expect(explained.cause == "ports-isolated" && explained.fault == true, "\(explained)")
            #expect(explained.cure == "bridge link set dev web-front isolated off")
            #expect(try house.type(explained.cure ?? "").status == 0)
            #expect(try eventually { try explain(house).cause == nil })
            #expect(try house.dig("app", "web").data == ["10.1.0.2"])
        }
    }

    @Test("Another link with the same hardware address is named, with the command that gives one of them another")
    func duplicateMAC() throws {
        try lendFound { house in
            try serve(house, in: "web")
            try house.plug("old", into: "front", "10.1.0.9/24")
            #expect(try eventually { try house.dig("app", "old").data == ["10.1.0.9"] })
            #expect(try explain(house).cause == nil)
            let address = try house.run(in: "web", ["cat", "/sys/class/net/eth0/address"]).text
            try house.ip(in: "old", "link set dev eth0 address \(address)")
            let explained = try explain(house)
            #expect(explained.cause == "duplicate-mac" && explained.fault == true, "\(explained)")
            #expect(
                explained.text
                    == "web and old have the same hardware address on front, \(address): packets go to whichever of them spoke last",
                "\(explained)")
            #expect(try house.type(explained.cure ?? "").status == 0, "\(explained)")
            #expect(try eventually { try explain(house).cause == nil })
            #expect(try house.run(in: "old", ["cat", "/sys/class/net/eth0/address"]).text != address)
        }
    }

    @Test("A subnet on this host that covers the address of a service outside is named, and the route that leads there")
    func overlap() throws {
        try lend("[forward]\nupstreams = [\"127.0.0.5\"]\n") { house in
            try house.startUpstream("127.0.0.5")
            try house.bridge("wide", "192.0.2.254/24")
            try house.plug("far", into: "wide", "192.0.2.77/24")
            _ = try house.namespace("out")
            try house.ip("link add out type veth peer name eth0 netns out")
            try house.ip("addr add 10.9.0.1/24 dev out")
            try house.ip("link set out up")
            try house.ip("route add 192.0.2.1 via 10.9.0.2")
            for line in [
                "link set eth0 up", "link set lo up", "addr add 10.9.0.2/24 dev eth0", "addr add 192.0.2.1/32 dev lo",
                "route add default via 10.9.0.1",
            ] {
                try house.ip(in: "out", line)
            }
            try house.command("sh", "-c", "ip netns exec house sysctl -qw net.ipv4.ip_forward=1")
            try serve(house, in: "out")
            #expect(try eventually { try house.dig("far", "www.example").data == ["192.0.2.1"] }, "\(house.log)")
            func explain() throws -> Explained { try house.explain(["www.example", "--port", "8080"], from: "far") }
            let explained = try explain()
            #expect(explained.cause == "subnet-overlaps" && explained.fault == true, "\(explained)")
            #expect(
                explained.text
                    == "192.0.2.1 of www.example is within 192.0.2.0/24 of wide, where nobody has it: packets of far for it stay on that network",
                "\(explained)")
            #expect(explained.cure == "ip -n far route add 192.0.2.1 via 192.0.2.254")
            #expect(try house.type(explained.cure ?? "").status == 0)
            #expect(try eventually { try explain().cause == nil })
            // A host that does not pass packets on.
            try house.command("sh", "-c", "ip netns exec house sysctl -qw net.ipv4.ip_forward=0")
            let stopped = try explain()
            #expect(stopped.cause == "service-unreachable", "\(stopped)")
            #expect(
                stopped.text?.hasSuffix("this host forwards no packets (net.ipv4.ip_forward = 0)") == true, "\(stopped)"
            )
            #expect(stopped.cure == "sysctl -w net.ipv4.ip_forward=1")
            #expect(try house.type(stopped.cure ?? "").status == 0)
            #expect(try eventually { try explain().cause == nil })
            // A port where nothing listens is told from one that nobody reaches.
            let closed = try house.explain(["www.example", "--port", "81"], from: "far")
            #expect(
                closed.cause == "service-unreachable" && closed.text?.hasSuffix("it is refused") == true, "\(closed)")
        }
    }

    @Test("An upstream that answers for A and is silent about AAAA is named: programs wait for it")
    func halved() throws {
        try lend("[forward]\nupstreams = [\"127.0.0.5\"]\n") { house in
            try house.startUpstream("127.0.0.5")
            #expect(try eventually { try house.dig("app", "halved.example").data == ["192.0.2.1"] }, "\(house.log)")
            let explained = try house.explain(["halved.example"], from: "app")
            #expect(explained.cause == "upstream-silent" && explained.fault == true, "\(explained)")
            #expect(
                explained.text?.hasPrefix(
                    "halved.example has an answer for A, and none for AAAA (127.0.0.5:53: no reply") == true,
                "\(explained)")
            #expect(explained.cure?.hasPrefix("mend 127.0.0.5:53, or name an upstream that answers") == true)
            #expect(try house.explain(["halved.example", "A"], from: "app").fault == false)
            #expect(try house.explain(["www.example"], from: "app").fault == false)
        }
    }

    @Test(
        "A container that sends longer packets than a link on the way takes is remarked on, with the command that shortens them"
    )
    func mtu() throws {
        try lendFound { house in
            try serve(house, in: "web")
            for line in ["link set web-front mtu 1400", "link set front mtu 1400"] { try house.ip(line) }
            try house.ip(in: "web", "link set eth0 mtu 1400")
            let explained = try explain(house)
            #expect(explained.cause == "mtu-differs" && explained.fault == false, "\(explained)")
            #expect(
                explained.text?.contains("eth0 of app 1500, app-front 1500, front 1400, web-front 1400") == true,
                "\(explained)")
            #expect(explained.cure == "ip -n app link set dev eth0 mtu 1400")
            #expect(try house.type(explained.cure ?? "").status == 0)
            #expect(try explain(house).cause == nil)
        }
    }

    @Test("Another container that has the same address is named with it, whether or not anybody serves it")
    func duplicateAddress() throws {
        try lend("[discover]\nexclude = [\"house\", \"ghost\"]\n") { house in
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] })
            try serve(house, in: "web")
            // One that is served, too.
            try house.plug("old", into: "front", "10.1.0.2/24")
            #expect(try eventually { try house.explain(["web"], from: "app").cause == "duplicate-address" })
            let known = try house.explain(["web"], from: "app")
            #expect(
                known.text == "10.1.0.2 on front is the address of web and of old: packets go to either", "\(known)")
            #expect(known.cure == "ip -n old addr del 10.1.0.2/24 dev eth0")
            #expect(try house.type(known.cure ?? "").status == 0)
            #expect(try eventually { try house.explain(["web"], from: "app").fault == false })
            // One that is not.
            try house.plug("ghost", into: "front", "10.1.0.2/24")
            try house.ip(in: "web", "link set eth0 arp off")
            let hidden = try explain(house)
            #expect(hidden.cause == "duplicate-address", "\(hidden)")
            #expect(hidden.text?.contains(" behind ghost-front of front") == true, "\(hidden)")
            #expect(hidden.cure?.hasSuffix("ip link set dev ghost-front down") == true, "\(hidden)")
            #expect(try house.type("ip link set dev ghost-front down").status == 0)
            try house.ip(in: "web", "link set eth0 arp on")
            try house.ip(in: "app", "neigh flush dev eth0")
            #expect(try eventually { try explain(house).cause == nil })
        }
    }
}
