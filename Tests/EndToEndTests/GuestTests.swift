// Guests with a network stack of their own, on a TAP device in a bridge: answered at the host's address there.

import Foundation
import Testing

@Suite("A guest with a network stack of its own", .needsRoot)
struct GuestTests {
    /// Two networks whose gateways listen, and an upstream that knows `outside.example`.
    private static let configuration = """
        [forward]
        upstreams = ["127.0.0.5"]
        [[network]]
        name = "front"
        interface = "br-front"
        gateway-listener = true
        [[network]]
        name = "back"
        interface = "br-back"
        gateway-listener = true
        gateway-unknown = "refuse"

        """

    /// A house with both bridges, `vm` at 10.1.0.9 and `db` on `front`, `secret` on `back`; their taps are `tap-front`, `tap-back`.
    private func lend(_ body: (House) throws -> Void) throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.startDNSMasq(
                in: "house", at: "127.0.0.5", ["--local=/example/test/", "--host-record=outside.example,192.0.2.7"])
            for (network, address) in [("front", "10.1.0.1/24"), ("back", "10.2.0.1/24")] {
                try house.bridge("br-\(network)", address)
                try house.ip("tuntap add tap-\(network) mode tap")
                try house.ip("link set tap-\(network) up master br-\(network)")
            }
            try house.mustCtl("container", "add", "db", "--network", "front,ip=10.1.0.3")
            try house.mustCtl("container", "add", "secret", "--network", "back,ip=10.2.0.3")
            try house.mustCtl("container", "add", "vm", "--network", "front,ip=10.1.0.9")
            try house.mustCtl("record", "add", "own.test", "A", "10.9.9.9")
            try body(house)
        }
    }

    private func listeners(_ house: House, _ network: String) throws -> String {
        try house.ctl("network", "inspect", network).unwrapped
    }

    /// Has a guest ask.
    /// - Parameter questions: a source, a name, a type, the octets of a datagram that it takes.
    /// - Returns: answers in hexadecimal, `-` where none came.
    private func ask(_ house: House, _ network: String, _ questions: [String]) throws -> [Answer] {
        let server = network == "front" ? "10.1.0.1" : "10.2.0.1"
        let output = try house.run(
            in: "house", ["python3", House.kit("guest.py"), "tap-\(network)", "02:00:00:00:00:09", server],
            input: questions.map { $0 + "\n" }.joined())
        #expect(output.status == 0, "\(output)")
        return output.lines.map(Answer.init(hexadecimal:))
    }

    /// The parts of an answer that the tests look at.
    private struct Answer: Equatable, CustomStringConvertible {
        var octets: [UInt8] = []
        var isTruncated: Bool { octets.count > 2 && octets[2] & 0x02 != 0 }
        var code: Int { octets.count > 3 ? Int(octets[3] & 0x0F) : -1 }
        /// The last four octets: the address of an answer with one A record and no OPT.
        var address: String { octets.suffix(4).map { "\($0)" }.joined(separator: ".") }
        var description: String { octets.isEmpty ? "no answer" : "\(code) \(octets.count) octets, \(address)" }

        init(hexadecimal text: String) {
            guard text != "-" else { return }
            let digits = Array(text.utf8)
            octets = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
            }
        }
    }

    @Test("is told no address of outside while its policy has a gate for addresses: none can stand before it")
    func gated() throws {
        try lend { house in
            #expect(try eventually { try listeners(house, "front").contains("10.1.0.1 listening") }, "\(house.log)")
            try house.mustCtl("policy", "set", "gate", "--default", "allow", "--addresses")
            try house.mustCtl("container", "add", "box", "--network", "front,ip=10.1.0.7", "--policy", "gate")
            let answers = try ask(
                house, "front",
                [
                    "10.1.0.7 outside.example 1 0", "10.1.0.7 own.test 1 0", "10.1.0.7 db 1 0",
                    "10.1.0.9 outside.example 1 0",
                ])
            #expect(answers.map(\.code) == [2, 2, 0, 0], "\(answers)")
            #expect(try house.ctl("doctor").out.contains("gate-failed"))
        }
    }

    @Test(
        "resolves what a container with its address would, and nothing of other networks; strangers get no name at all")
    func views() throws {
        try lend { house in
            #expect(try eventually { try listeners(house, "front").contains("10.1.0.1 listening") }, "\(house.log)")
            #expect(try eventually { try listeners(house, "back").contains("10.2.0.1 listening") })

            let vm = try ask(
                house, "front",
                [
                    "10.1.0.9 db 1 0", "10.1.0.9 db.front.internal 1 0", "10.1.0.9 outside.example 1 0",
                    "10.1.0.9 own.test 1 0", "10.1.0.9 secret 1 0", "10.1.0.9 nobody 1 0",
                ])
            #expect(vm.prefix(4).map(\.address) == ["10.1.0.3", "10.1.0.3", "192.0.2.7", "10.9.9.9"])
            #expect(vm[4].code == 3 && vm[5].code == 3)
            let behind = 12 + "nobody".utf8.count + 2 + 4
            #expect(
                vm[4].octets.dropFirst(behind).elementsEqual(vm[5].octets.dropFirst(behind)),
                "the same, bit for bit, as of a name that nobody has")

            // An address on the network that no container has; one of no network; the guest's own on a network that it is not on.
            let strangers = try ask(
                house, "front",
                ["10.1.0.77 db 1 0", "10.1.0.77 own.test 1 0", "10.1.0.77 outside.example 1 0", "192.0.2.99 db 1 0"])
            #expect(strangers[0].code == 3 && strangers[1].code == 3)
            #expect(strangers[2].address == "192.0.2.7")
            #expect(strangers[3].octets.isEmpty)
            let back = try ask(house, "back", ["10.2.0.77 outside.example 1 0", "10.1.0.9 db 1 0"])
            #expect(back[0].code == 5, "REFUSED")
            #expect(back[1].octets.isEmpty)
            // Each is counted.
            let metrics = try house.ctl("metrics").out
            for (source, count) in [("container", 6), ("stranger", 4), ("elsewhere", 2)] {
                let sample = "intercom_gateway_requests_total{from=\"\(source)\"} \(count)\n"
                #expect(metrics.contains(sample), "\(metrics)")
            }
            #expect(metrics.contains("intercom_gateway_paced_total 0\n"))
            let status = try house.ctl("status").out.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            let counts = "6 of containers, 4 of strangers, 2 from elsewhere, 0 past their pace"
            #expect(status.contains(counts), "\(status)")
        }
    }

    @Test("gets at most 1,232 octets over UDP, and a container the same answers at the gateway as at 127.0.0.11")
    func transports() throws {
        try lend { house in
            for number in 1...2 {
                let addresses = (1...50).map { ",ip=10.1.\(number).\($0)" }.joined()
                try house.mustCtl("container", "add", "many\(number)", "--network", "front\(addresses),alias=many")
            }
            #expect(try eventually { try listeners(house, "front").contains("10.1.0.1 listening") })
            let long = try ask(house, "front", ["10.1.0.9 many 1 4096"])
            #expect(long[0].isTruncated && long[0].octets.count <= 1232, "\(long)")

            try house.plug("web", into: "br-front", "10.1.0.20/24")
            try house.mustCtl(
                "container", "add", "web", "--netns", house.path("web"), "--network", "front,ip=10.1.0.20")
            func dig(_ server: String, _ arguments: String...) throws -> Reply {
                Reply(
                    try house.run(in: "web", ["dig", "@\(server)", "+timeout=3", "+tries=1", "+nocookie"] + arguments))
            }
            for transport in ["+notcp", "+tcp"] {
                for name in ["db", "web.front.internal", "secret", "own.test", "outside.example"] {
                    let (own, gateway) = (try dig("127.0.0.11", transport, name), try dig("10.1.0.1", transport, name))
                    #expect(
                        own.status == gateway.status && own.data == gateway.data && own.flags == gateway.flags,
                        "\(name)")
                }
            }
            #expect(try dig("10.1.0.1", "+tcp", "many").data.count == 100)
        }
    }

    @Test("is answered over IPv6, too: by the address that it asks from")
    func overIPv6() throws {
        try lend { house in
            try house.ip("address add fd00:1::1/64 dev br-front nodad")
            #expect(try eventually { try listeners(house, "front").contains("fd00:1::1 listening") }, "\(house.log)")
            try house.plug("web", into: "br-front", "10.1.0.20/24")
            for address in ["fd00:1::20", "fd00:1::77"] {
                try house.ip(in: "web", "address add \(address)/64 dev eth0 nodad")
            }
            try house.mustCtl(
                "container", "add", "web", "--netns", house.path("web"), "--network", "front,ip=10.1.0.20,ip=fd00:1::20"
            )
            func dig(_ source: String, _ arguments: String...) throws -> Reply {
                Reply(
                    try house.run(
                        in: "web",
                        ["dig", "@fd00:1::1", "-b", source, "+timeout=3", "+tries=1", "+nocookie"] + arguments))
            }
            for transport in ["+notcp", "+tcp"] {
                #expect(try dig("fd00:1::20", transport, "db").data == ["10.1.0.3"])
                #expect(try dig("fd00:1::20", transport, "web.front.internal", "AAAA").data == ["fd00:1::20"])
                #expect(try dig("fd00:1::20", transport, "secret").status == "NXDOMAIN")
                #expect(try dig("fd00:1::20", transport, "outside.example").data == ["192.0.2.7"])
                // No container's address.
                #expect(try dig("fd00:1::77", transport, "db").status == "NXDOMAIN")
                #expect(try dig("fd00:1::77", transport, "outside.example").data == ["192.0.2.7"])
            }
        }
    }

    @Test("waits for a port that another program has, whose name is said, and follows the host's addresses")
    func port() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.bridge("br-back", "10.2.0.1/24")
            try house.ip("link add br-front type bridge")
            try house.ip("link set br-front up")
            try house.ip("address add 10.1.0.1/24 dev br-front")
            // It may have been quicker than this test's dnsmasq: then the address goes and comes again.
            try house.ip("address del 10.1.0.1/24 dev br-front")
            #expect(try eventually { try listeners(house, "front").contains("the host has no address on br-front") })
            try house.ip("link add other type bridge")
            try house.ip("address add 10.1.0.1/32 dev other")
            try house.ip("link set other up")
            try house.startDNSMasq(in: "house", at: "10.1.0.1")
            try house.ip("address del 10.1.0.1/32 dev other")
            try house.ip("address add 10.1.0.1/24 dev br-front")
            #expect(
                try eventually { try listeners(house, "front").contains("which dnsmasq (pid ") })
            #expect(try eventually { try listeners(house, "back").contains("10.2.0.1 listening") }, "the other goes on")
            #expect(try house.ctl("status").unwrapped.contains("no listener for guests at 10.1.0.1"))
            let text = try listeners(house, "front")
            let place = try #require(text.range(of: "dnsmasq (pid "))
            let digits = text[place.upperBound...].drop { $0.isWhitespace }.prefix { $0.isNumber }
            kill(try #require(Int32(digits)), SIGKILL)
            #expect(try eventually { try listeners(house, "front").contains("10.1.0.1 listening") })
        }
    }

    @Test("that is waited for: 'container add --wait' returns when it has asked its first question")
    func waiting() throws {
        try lend { house in
            #expect(try eventually { try listeners(house, "front").contains("10.1.0.1 listening") })
            let refused = try house.ctl("container", "add", "far", "--wait")
            #expect(refused.status == 1 && refused.err.contains("no network with a gateway listener"), "\(refused)")
            let waiting = try house.start(
                in: "house",
                [
                    "\(House.binaries)/intercomctl", "--socket", house.socket, "container", "add", "late", "--network",
                    "front,ip=10.1.0.10", "--wait",
                ], log: "late")
            #expect(try eventually { try house.ctl("container", "ls").out.contains("late") })
            #expect(waiting.isRunning)
            #expect(try ask(house, "front", ["10.1.0.10 db 1 0"])[0].address == "10.1.0.3")
            #expect(eventually { !waiting.isRunning })
            #expect(waiting.terminationStatus == 0)
        }
    }

    @Test("is answered by the next daemon at the very sockets that the last one left with the service manager")
    func kept() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            try house.bridge("br-front", "10.1.0.1/24")
            try house.ip("tuntap add tap-front mode tap")
            try house.ip("link set tap-front up master br-front")
            let service = try Supervisor(house, Self.configuration)
            try house.mustCtl("container", "add", "vm", "--network", "front,ip=10.1.0.9")
            try house.mustCtl("container", "add", "db", "--network", "front,ip=10.1.0.3")
            func inode() throws -> String? {
                try house.run(in: "house", ["ss", "-H", "-e", "-u", "-a", "src", "10.1.0.1"]).out
                    .split(separator: " ").first { $0.hasPrefix("ino:") }.map(String.init)
            }
            #expect(try eventually { try inode() != nil && service.stored.count == 1 }, "\(service.stored)")
            let before = try inode()
            try service.signal(SIGKILL)
            try service.awaitReady(2)
            #expect(try ask(house, "front", ["10.1.0.9 db 1 0"])[0].address == "10.1.0.3")
            #expect(try inode() == before)
        }
    }
}
