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
