// Upstreams die, and hardly anybody notices.

import Foundation
import Testing

@Suite("When upstreams die", .needsRoot)
struct OutageTests {
    /// Reply to dig in `app` for a name, and the time it took.
    private func timed(_ house: House, _ name: String) throws -> (Reply, Duration) {
        let start = ContinuousClock.now
        let reply = try house.dig("app", name)
        return (reply, ContinuousClock.now - start)
    }

    @Test("the first question waits for less than 1.2 s, the fifth for nothing, and status says who rests")
    func deadUpstream() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5", "127.0.0.6")) { house in
            try house.startUpstream("127.0.0.5", mode: "silent")
            try house.startUpstream("127.0.0.6")
            try house.container("app", "--network", "n")
            var times: [Duration] = []
            for number in 1...6 {
                let (reply, time) = try timed(house, "q\(number).example")
                #expect(reply.data == ["192.0.2.1"])
                times.append(time)
            }
            // Beside what dig takes to start on a busy machine.
            #expect(times[0] < .seconds(1.2) && times[0] > .seconds(0.4), "\(times)")
            #expect(min(times[4], times[5]) < .seconds(0.3), "\(times)")
            let status = try house.ctl("status").out
            let line = status.split(separator: "\n").first { $0.hasPrefix("127.0.0.5:53") } ?? ""
            #expect(line.contains("backing off") && line.contains(" host "), "\(status)")
        }
    }

    @Test("what is past its life serves meanwhile, and what upstreams say counts again when they are back")
    func stale() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            let upstream = try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            #expect(try house.dig("app", "brief.example").answer == ["brief.example. 1 IN A 192.0.2.1"])
            House.kill(upstream)
            let isStale = try eventually {
                let reply = try house.dig("app", "brief.example")
                #expect(reply.data == ["192.0.2.1"], "\(reply)")
                return reply.answer == ["brief.example. 30 IN A 192.0.2.1"]
                    && reply.output.out.contains("EDE: 3 (Stale Answer)")
            }
            #expect(isStale)
            #expect(try house.dig("app", "new.example").status == "SERVFAIL")
            try house.startUpstream("127.0.0.5")
            let isBack = try eventually(within: 15) {
                try house.dig("app", "brief.example").answer == ["brief.example. 1 IN A 192.0.2.1"]
            }
            #expect(isBack)
        }
    }

    @Test("a hundred equal questions at once are one for the upstream, and each client gets its answer")
    func coalescing() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            let output = try house.python(
                in: "app",
                """
                import dns.message, socket
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.settimeout(4)
                for n in range(100):
                    query = dns.message.make_query("delayed.example.", "A")
                    query.id = n
                    s.sendto(query.to_wire(), ("127.0.0.11", 53))
                replies = [dns.message.from_wire(s.recv(4096)) for _ in range(100)]
                print(len(set(reply.id for reply in replies)), set(str(reply.answer[0][0]) for reply in replies))
                """)
            #expect(output.lines == ["100 {'192.0.2.1'}"], "\(output)")
            #expect(house.queries(of: "127.0.0.5").count == 2)
        }
    }

    @Test("names can be spelled by chance, and upstreams that lower them are understood")
    func caseRandomization() throws {
        let configuration = ForwardingTests.configuration("127.0.0.5").replacingOccurrences(
            of: "[forward]\n", with: "[forward]\ncase-randomization = true\n")
        try House.lend(configuration: configuration) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            for number in 0..<4 {
                let name = "a-name-of-many-letters-\(number).example"
                #expect(try house.dig("app", name).answer == ["\(name). 300 IN A 192.0.2.1"])
            }
            let asked = house.queries(of: "127.0.0.5").dropFirst()
            #expect(asked.allSatisfy { $0 != $0.lowercased() }, "\(asked)")
        }
    }
}
