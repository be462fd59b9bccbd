// Upstreams that lose, delay, repeat, mix up, forge and cut what they say: nobody is told what is wrong, and who can be
// helped is.

import Foundation
import Testing

@Suite("An upstream", .needsRoot)
struct FaultyUpstreamTests {
    private static let hundred = Set((1...100).map { "192.0.2.\($0)" })

    @Test("that is alone and faulty is asked until it answers right, and is never believed before")
    func faults() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            for (name, fault) in [
                ("dropped", "loses the first query"), ("delayed", "answers late"), ("twice", "answers twice"),
                ("spoofed", "is overtaken by forgers"), ("flooded", "is drowned by forgers"),
                ("garbled", "answers what cannot be read, first"),
            ] {
                let reply = try house.dig("app", "\(name).example")
                #expect(reply.data == ["192.0.2.1"], "\(fault): \(reply)")
            }
            for (name, fault) in [
                ("bytewise", "sends octet by octet"), ("closing", "closes in the middle, the first time"),
            ] {
                let reply = try house.dig("app", "\(name).example")
                #expect(Set(reply.data) == Self.hundred, "\(fault): \(reply)")
            }
            let huge = try house.dig("app", "huge.example", "TXT")
            #expect(huge.answer.count == 230 && huge.output.out.contains("229xxx"), "\(huge.answer.count)")
        }
    }

    @Test(
        "that sends what cannot be read whole is not waited for: TCP, what can be read, or SERVFAIL with its reason at once"
    )
    func damage() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            // Once, so that what is measured is no first time.
            _ = try house.dig("app", "www.example")
            for (name, expected) in [("cut", ["192.0.2.1"]), ("tail", ["192.0.2.1"]), ("short", [])] {
                let reply = try house.dig("app", "\(name).example")
                #expect(reply.data == expected, "\(name): \(reply)")
                #expect(reply.milliseconds ?? .max <= 100, "\(name): \(reply)")
                if expected.isEmpty { #expect(reply.status == "SERVFAIL" && reply.output.out.contains("EDE: 23")) }
            }
        }
    }

    @Test("that does not understand EDNS answers all the same, and is asked without from then on")
    func plain() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            for number in 1...3 {
                let reply = try house.dig("app", "+tries=1", "edns\(number).example")
                #expect(reply.data == ["192.0.2.1"] && reply.output.out.contains("EDNS: version: 0"), "\(reply)")
                if number == 3 { #expect(reply.milliseconds ?? .max < 400, "it is known by now: \(reply)") }
            }
        }
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            #expect(try house.dig("app", "formerr.example").data == ["192.0.2.1"])
            _ = try house.dig("app", "www.example")
            #expect(
                house.queries(of: "127.0.0.5").count == 4,
                "one question was repeated: \(house.queries(of: "127.0.0.5"))")
        }
    }

    @Test("that answers over TCP alone is asked so at once, once that is known; with use-vc from the first question on")
    func streams() throws {
        try House.lend(configuration: "[[network]]\nname = \"n\"\n", resolver: "nameserver 127.0.0.5\n") { house in
            try house.startUpstream("127.0.0.5", mode: "tcp")
            try house.container("app", "--network", "n")
            #expect(try house.dig("app", "first.example").data == ["192.0.2.1"])
            let second = try house.dig("app", "second.example")
            #expect(second.data == ["192.0.2.1"] && second.milliseconds ?? .max < 400, "\(second)")
            #expect(house.queries(of: "127.0.0.5").filter { $0.hasPrefix("udp first.example") }.count == 3)
        }
        let resolver = "nameserver 127.0.0.5\noptions use-vc\n"
        try House.lend(configuration: "[[network]]\nname = \"n\"\n", resolver: resolver) { house in
            try house.startUpstream("127.0.0.5", mode: "tcp")
            try house.container("app", "--network", "n")
            #expect(try house.dig("app", "first.example").milliseconds ?? .max < 400)
            #expect(house.queries(of: "127.0.0.5").allSatisfy { !$0.hasPrefix("udp") })
        }
    }

    @Test("that answers in another order is understood: each question gets its own answer")
    func reordered() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            let output = try house.python(
                in: "app",
                """
                import dns.message, socket
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.settimeout(4)
                for n in range(3):
                    query = dns.message.make_query("held%d.example." % n, "A")
                    query.id = n
                    s.sendto(query.to_wire(), ("127.0.0.11", 53))
                for n in range(3):
                    reply = dns.message.from_wire(s.recv(4096))
                    print(reply.id, reply.answer[0].name, reply.answer[0][0])
                """)
            #expect(output.lines.sorted() == (0..<3).map { "\($0) held\($0).example. 192.0.2.1" }, "\(output)")
        }
    }
}
