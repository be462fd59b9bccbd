// Answers that policies change, and names that the host asks for, turn by turn.

import ControlAPI
import DNSWire
import Forwarding
import Registry
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("A worker's answer under a policy")
struct WorkerPolicyAnswerTests {
    private static let label = String(repeating: "x", count: 60)
    /// A name that is longer than what an answer says of it.
    private static let long = "\(label).\(label).\(label).test"

    private static let text = """
        [[policy]]
        name = "outside"
        default = "allow"
        deny = ["*.\(long)"]
        private-addresses = "deny"

        [[policy]]
        name = "strict"
        allow = ["www.test", "own.test", "ok.example"]
        strict-cname = true

        [[route]]
        domain = "corp.example"
        upstreams = ["127.0.0.9"]

        [[network]]
        name = "front"

        [[container]]
        name = "app"
        policy = "outside"
        networks = [{ name = "front", ip = ["10.1.0.3"] }]

        [[container]]
        name = "bound"
        policy = "strict"
        networks = [{ name = "front", ip = ["10.1.0.4"] }]

        [[record]]
        name = "www.test"
        type = "CNAME"
        data = "evil.test"

        [[record]]
        name = "own.test"
        type = "CNAME"
        data = "app"
        """

    /// A worker with one upstream for all names.
    private static func lend(_ body: (TurnedWorker) throws -> Void) throws {
        let upstream = try StandInUpstream()
        defer { upstream.stop() }
        let turned = try TurnedWorker(text, upstreams: [upstream.server])
        for group in turned.town.registry.upstreamGroups {
            let list = UpstreamList(servers: [upstream.server], origin: .host)
            turned.post(.upstreams(group: group.id.rawValue, list))
        }
        try body(turned)
    }

    @Test("leaves private addresses of outside out, fresh and from the cache, but for those of a route's servers")
    func privateAddresses() throws {
        try Self.lend { turned in
            let address = try turned.listen(as: "app").address
            let rows = [
                ("private.example", "NOERROR"), ("mixed.example", "192.0.2.53"), ("a.example", "192.0.2.53"),
                ("private.corp.example", "10.0.0.1"),
            ]
            for round in 1...2 {
                let client = try TurnedClient(address)
                for (name, answer) in rows {
                    let datagram = try turned.ask(name, at: address)
                    #expect(datagram == answer, "\(name), round \(round)")
                    try client.ask(name)
                    let message = try turned.answer(on: client)
                    #expect(message == answer, "\(name), round \(round)")
                }
            }
            // One of each of two answers, two rounds, two transports.
            #expect(turned.worker.responder.notes.droppedAddresses == 8)
            let shown = try turned.resolve("private.example", for: "app")
            #expect(shown?.source == "denied by policy outside: private-addresses = deny")
            #expect(turned.worker.responder.notes.droppedAddresses == 8, "nobody in the container has asked that")
        }
    }

    @Test("denies what a record of the operator leads to where the policy is strict, and names the policy")
    func strict() throws {
        try Self.lend { turned in
            let address = try turned.listen(as: "bound").address
            for (name, code, data, text) in [
                ("www.test", "NXDOMAIN", ["evil.test."], "policy strict: default deny"),
                ("own.test", "NOERROR", ["app.", "10.1.0.3"], nil),
            ] as [(String, String, [String], String?)] {
                let message = try turned.ask(try WorkerTown.query(name), at: address)
                let answer = try Resolve.Answer(
                    Resolution(message: message, source: "", .dropped), asked: name, .a)
                #expect(answer.rcode == code && answer.answers.map(\.data) == data, "\(name)")
                #expect(answer.extendedErrors.map(\.text) == (text.map { [$0] } ?? []), "\(name)")
            }
        }
    }

    @Test("names the rule that denies, cut where it would not fit into an answer")
    func longRule() throws {
        try Self.lend { turned in
            let shown = try turned.resolve("a.\(Self.long)", for: "app")
            let text = "policy outside: deny *.\(Self.label).\(Self.label)."
            #expect(shown?.source.hasPrefix("denied by \(text)") == true)
            #expect(shown?.source.hasSuffix("xxx...") == true)
            #expect(shown?.source.utf8.count == "denied by ".utf8.count + Responder.maximumExplanation)
            #expect(WorkerTown.text(shown?.message) == "NXDOMAIN")
        }
    }
}

@Suite("A worker's answer to the host")
struct WorkerHostAnswerTests {
    /// Networks `net-01` and on, on each of which a container has the name `twin`.
    private static func text(networks: Int) -> String {
        (1...networks).map { number in
            let name = "net-\(number < 10 ? "0" : "")\(number)"
            return """
                [[network]]
                name = "\(name)"

                [[container]]
                name = "box-\(number)"
                networks = [{ name = "\(name)", ip = ["10.1.0.\(number)"], alias = ["twin"] }]

                """
        }.joined()
    }

    private static func ask(_ name: String, _ type: RecordType = .a, networks: Int) throws -> Resolve.Answer {
        let turned = try TurnedWorker(text(networks: networks))
        let resolution = try #require(try turned.resolve(name, type, in: .host))
        return try Resolve.Answer(resolution, asked: name, type)
    }

    @Test("is that of the one network that has the name, and names the networks where several have it, as many as fit")
    func several() throws {
        let one = try Self.ask("twin.internal", networks: 1)
        #expect(one.answers.map(\.data) == ["10.1.0.1"] && one.extendedErrors.isEmpty)
        let two = try Self.ask("twin.internal", networks: 2)
        #expect(two.rcode == "NXDOMAIN" && two.answers.isEmpty)
        #expect(two.extendedErrors.map(\.text) == ["on several networks; ask NAME.NETWORK: net-01 net-02"])
        let chosen = try Self.ask("twin.net-02.internal", networks: 2)
        #expect(chosen.answers.map(\.data) == ["10.1.0.2"])
        let many = try Self.ask("twin.internal", networks: 60)
        let text = try #require(many.extendedErrors.first?.text)
        #expect(text.utf8.count <= Responder.maximumExplanation && text.hasSuffix(" net-17"), "\(text)")
    }

    @Test("has no data of a name above others, the SOA record of the domain, and denies what nobody has")
    func others() throws {
        for (name, type, code, count) in [
            ("net-01.internal", RecordType.a, "NOERROR", 0), ("internal", .a, "NOERROR", 0),
            ("internal", .soa, "NOERROR", 1), ("nobody.internal", .a, "NXDOMAIN", 0),
        ] {
            let answer = try Self.ask(name, type, networks: 1)
            #expect(answer.rcode == code && answer.answers.count == count, "\(name) \(type)")
        }
    }
}
