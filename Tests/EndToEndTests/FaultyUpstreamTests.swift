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
