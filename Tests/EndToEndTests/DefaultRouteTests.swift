// Bridges into the LAN: the host's default routes decide which reverse names of a subnet are asked of the upstreams.

import Foundation
import Testing

@Suite("On a bridge that the host's default route leads out over,", .needsRoot)
struct DefaultRouteTests {
    private static let configuration = """
        [server]
        workers = 1
        [forward]
        upstreams = ["127.0.0.53"]
        """

    /// Two bridges with a container each; an upstream that answers every PTR with NOERROR.
    private func lend(_ body: (House) throws -> Void) throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.startUpstream("127.0.0.53")
            for number in 0...1 {
                try house.bridge("br\(number)", "10.\(number).0.1/24")
                try house.ip("addr add fd0\(number)::1/64 dev br\(number) nodad")
                try house.plug("c\(number)", into: "br\(number)", "10.\(number).0.2/24")
            }
            #expect(try eventually { try house.dig("c1", "c1").data == ["10.1.0.2"] }, "\(house.log)")
            try body(house)
        }
    }

    /// True when a reverse name of the subnet of bridge `number` that no container has is denied here.
    private func isDenied(_ number: Int, _ house: House, v6: Bool = false) throws -> Bool {
        let address = v6 ? "fd0\(number)::77" : "10.\(number).0.77"
        return try house.dig("c\(number)", "-x", address).status == "NXDOMAIN"
    }

    private func becomes(denied: Bool, _ number: Int, _ house: House, v6: Bool = false) throws -> Bool {
        try eventually { try isDenied(number, house, v6: v6) == denied }
    }

    @Test("reverse names that no container has are forwarded, and denied again when the route is another")
    func routes() throws {
        try lend { house in
            #expect(try isDenied(0, house) && isDenied(0, house, v6: true))
            try house.ip("route add default via 10.0.0.254")
            #expect(try becomes(denied: false, 0, house), "\(house.log)")
            #expect(try !isDenied(0, house, v6: true), "the bridge is in the LAN, for both families")
            #expect(try isDenied(1, house))
            #expect(try house.dig("c0", "-x", "10.0.0.2").data == ["c0.br0.internal."], "a container's own are ours")
            // Not a default route of the main table.
            try house.ip("route add default via 10.1.0.254 table 100")
            try house.ip("route add 10.9.0.0/16 via 10.1.0.254")
            try house.ip("route replace default via 10.1.0.254")
            #expect(try becomes(denied: false, 1, house) && becomes(denied: true, 0, house), "\(house.log)")
            try house.ip("route del default")
            #expect(try becomes(denied: true, 1, house), "\(house.log)")
            try house.ip("-6 route add default via fd00::fe dev br0")
            #expect(try becomes(denied: false, 0, house) && isDenied(1, house), "\(house.log)")
            try house.ip("-6 route append default via fd01::fe dev br1")
            #expect(try becomes(denied: false, 1, house) && !isDenied(0, house), "\(house.log)")
            try house.ip("-6 route del default via fd00::fe dev br0")
            #expect(try becomes(denied: true, 0, house) && !isDenied(1, house), "\(house.log)")
            #expect(house.stopDaemon() == 0)
            try house.startDaemon(Self.configuration)
            #expect(try becomes(denied: false, 1, house) && isDenied(0, house), "known at the start, too")
        }
    }

    @Test("a route that goes or comes back with its link, of which the kernel says nothing, is noticed")
    func silent() throws {
        try lend { house in
            try house.ip("route add default via 10.0.0.254")
            #expect(try becomes(denied: false, 0, house), "\(house.log)")
            try house.ip("addr del 10.0.0.1/24 dev br0")
            try house.ip("addr add 10.0.0.1/24 dev br0")
            #expect(try house.run(in: "house", ["ip", "route", "show", "default"]).text == "")
            #expect(try becomes(denied: true, 0, house), "\(house.log)")
            try house.ip("-6 route add default nexthop via fd00::fe dev br0 nexthop via fd01::fe dev br1")
            #expect(try becomes(denied: false, 0, house) && becomes(denied: false, 1, house), "\(house.log)")
            try house.ip("link set br1 down")
            #expect(try becomes(denied: true, 1, house) && !isDenied(0, house), "\(house.log)")
            try house.ip("link set br1 up")
            #expect(try becomes(denied: false, 1, house) && !isDenied(0, house), "\(house.log)")
        }
    }

    @Test("a storm of routes, and a table of 100,000, keep nobody waiting; the default route among them is known")
    func storm() throws {
        try lend { house in
            let count = 100_000
            let lines = (0..<count).map { number in
                "route add 10.\(number >> 16 + 16).\(number >> 8 & 255).\(number & 255)/32 via 10.1.0.254 dev br1"
            }
            let file = "\(house.directory)/routes"
            try (lines + ["route add default via 10.0.0.254 dev br0"]).joined(separator: "\n")
                .write(toFile: file, atomically: true, encoding: .utf8)
            let storm = try house.start(in: "house", ["ip", "-batch", file], log: "storm")
            var calls = 0
            while storm.isRunning {
                let start = ContinuousClock.now
                #expect(try house.ctl("status").status == 0)
                #expect(try house.dig("c1", "c1").data == ["10.1.0.2"])
                // Three programs start meanwhile, on a machine that others use.
                #expect(start.duration(to: .now) < .seconds(1), "call \(calls)")
                calls += 1
            }
            let known = try house.run(in: "house", ["sh", "-c", "ip -4 route show table main | wc -l"]).text
            #expect(Int(known) ?? 0 > count, "\(known)")
            #expect(try eventually(within: 20) { try !isDenied(0, house) }, "\(house.log)")
            // All are read again, in slices.
            try house.ip("route replace default via 10.1.0.254 dev br1")
            #expect(try eventually(within: 20) { try isDenied(0, house) && !isDenied(1, house) }, "\(house.log)")
            // And given up half read, as they change meanwhile: what is left of the answer holds nobody up.
            for gateway in 0..<40 {
                try house.ip("route replace default via 10.0.0.\(200 + gateway) dev br0")
            }
            #expect(try eventually(within: 20) { try !isDenied(0, house) && isDenied(1, house) }, "\(house.log)")
            #expect(!house.log.contains("cannot be read"), "\(house.log)")
            #expect(house.log.count < 20_000)
        }
    }
}
