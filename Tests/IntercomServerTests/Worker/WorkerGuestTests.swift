// Workers before guests and under policies, and the host's own questions, over sockets of the loopback interface.

import ControlAPI
import DNSWire
import Forwarding
import Registry
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("A worker with policies")
struct WorkerPolicyTests {
    private static let text = """
        [[policy]]
        name = "fixed"
        allow = ["ok.example", "to-evil--test.example"]
        strict-cname = true

        [[policy]]
        name = "watched"
        deny = ["evil.test"]
        default = "allow"
        audit = true

        [[network]]
        name = "front"

        [[container]]
        name = "bound"
        policy = "fixed"
        networks = [{ name = "front", ip = ["10.1.0.3"] }]

        [[container]]
        name = "seen"
        policy = "watched"
        networks = [{ name = "front", ip = ["10.1.0.4"] }]
        """

    private static func lend(_ body: (WorkerTown, StandInUpstream) throws -> Void) throws {
        let upstream = try StandInUpstream()
        defer { upstream.stop() }
        let town = try WorkerTown(text, upstreams: [upstream.server])
        defer { town.stop() }
        try body(town, upstream)
    }

    @Test("denies names, and those that CNAME records lead to, and tells of each; under audit it answers all the same")
    func denied() throws {
        try Self.lend { town, upstream in
            for transport in [Transport.datagram, .stream] {
                for (name, asker, answer) in [
                    ("ok.example", "bound", "192.0.2.53"), ("evil.test", "bound", "NXDOMAIN"),
                    ("to-evil--test.example", "bound", "NXDOMAIN"), ("evil.test", "seen", "192.0.2.53"),
                    ("ok.example", "seen", "192.0.2.53"), ("seen", "bound", "10.1.0.4"),
                ] {
                    let found = try town.resolve(name, from: asker, over: transport)
                    #expect(found == answer, "\(name) from \(asker)")
                }
            }
            var notes: [PolicyNote] = []
            try town.wait { reports in
                notes = reports.flatMap { report -> [PolicyNote] in
                    if case .denied(let notes, _) = report { notes } else { [] }
                }
                return notes.count >= 6
            }
            let lines = Set(notes.map { "\($0.policy) \($0.rule) \($0.isAudit)" })
            #expect(lines.contains("fixed default deny false") && lines.contains("watched deny evil.test true"))
            #expect(try town.count(\.policies.denials) == 4)
            #expect(try town.count(\.policies.audits) == 2)
            #expect(!upstream.questions.contains("udp evil.test. A") || upstream.questions.count <= 8)
            let log = LogRecord()
            let journal = PolicyJournal(publisher: town.parts.publisher, logger: log.logger)
            journal.take(notes, leftOut: 3)
            #expect(log.messages.contains("info: evil.test A denied to bound by policy fixed: default deny"))
            #expect(
                log.messages.contains("info: evil.test A would be denied to seen by policy watched: deny evil.test"))
            #expect(log.messages.last == "info: 3 more questions were denied by policies")
            let evil = try Name("evil.test")
            #expect(journal.needs(of: "bound").isEmpty)
            let needs = journal.needs(of: "seen")
            #expect(needs.keys.map { $0 } == [evil])
            #expect(needs[evil]?.types == [.a] && needs[evil]?.rule == "deny evil.test")
            #expect(journal.needs(of: "seen", now: .now + .seconds(3601)).isEmpty)
        }
    }

    @Test("keeps names of a container under audit up to a bound, and makes room by age")
    func bounded() throws {
        try Self.lend { town, _ in
            let journal = PolicyJournal(publisher: town.parts.publisher, logger: LogRecord().logger)
            let view = try town.view(of: "seen")
            func note(_ number: Int) throws -> PolicyNote {
                PolicyNote(
                    view: view, policy: "watched", rule: "default deny", name: try Name("n\(number).test").wire,
                    type: .a,
                    isAudit: true, isByDefault: true)
            }
            let start = ContinuousClock.now
            journal.take(try (0..<PolicyJournal.namesOfContainer).map(note), leftOut: 0, now: start)
            journal.take([try note(999_999)], leftOut: 0, now: start)
            #expect(journal.needs(of: "seen", now: start).count == PolicyJournal.namesOfContainer)
            #expect(journal.needs(of: "seen", now: start)[try Name("n999999.test")] == nil)
            let later = start + PolicyJournal.memory
            journal.take([try note(999_999)], leftOut: 0, now: later)
            #expect(journal.needs(of: "seen", now: later).map(\.value.rule) == [nil])
        }
    }
}

@Suite("A worker before guests")
struct WorkerGuestTests {
    private static let text = """
        [[network]]
        name = "front"
        subnets = ["10.1.0.0/24"]
        gateway-listener = true

        [[container]]
        name = "web"
        networks = [{ name = "front", ip = ["10.1.0.2"] }]
        """

    /// A town with a gateway's listener that strangers on 127.0.0.0/8 reach.
    private static func lend(
        _ unknown: UnknownSources, subnets: [String] = ["127.0.0.0/8"],
        _ body: (WorkerTown, SocketAddress, Gateway) throws -> Void
    ) throws {
        let upstream = try StandInUpstream()
        defer { upstream.stop() }
        let town = try WorkerTown(text, upstreams: [upstream.server])
        defer { town.stop() }
        let front = try #require(town.parts.publisher.registry.takeGateways()?.first)
        let gateway = Gateway(
            number: 1, network: front.network,
            subnets: subnets.compactMap { Subnet($0) }, unknownSources: unknown)
        let sockets = try WorkerTown.sockets()
        let address = try sockets.udp.localAddress()
        town.parts.publisher.open(sockets, of: gateway, strangers: front.stranger)
        try town.settle()
        try body(town, address, gateway)
    }

    private static func ask(_ name: String, _ address: SocketAddress, _ transport: Transport) throws -> String {
        let answers = try WorkerTown.ask([try WorkerTown.query(name)], at: address, over: transport)
        return WorkerTown.text(answers.first)
    }

    @Test("forwards for strangers where the network says so, and tells them no name of a container")
    func forwards() throws {
        try Self.lend(.forward) { town, address, gateway in
            for transport in [Transport.datagram, .stream] {
                for (name, answer) in [("a.example", "192.0.2.53"), ("web", "NXDOMAIN"), ("web.front", "192.0.2.53")] {
                    let found = try Self.ask(name, address, transport)
                    #expect(found == answer, "\(name)")
                }
            }
            #expect(try town.count(\.guests.ofStrangers) == 6)
            #expect(try town.count(\.guests.ofContainers) == 0)
            town.parts.publisher.closeGateway(gateway.number)
            try town.settle()
            #expect(try UDPSocket.bound(to: address).rawValue >= 0)
        }
    }

    @Test("refuses strangers where the network says so, from the moment on at which it does")
    func refuses() throws {
        try Self.lend(.refuse) { town, address, gateway in
            let first = try Self.ask("a.example", address, .datagram)
            #expect(first == "REFUSED")
            town.parts.publisher.change(
                Gateway(
                    number: gateway.number, network: gateway.network, subnets: gateway.subnets, unknownSources: .forward
                ))
            try town.settle()
            let second = try Self.ask("a.example", address, .datagram)
            #expect(second == "192.0.2.53")
        }
    }

    @Test("answers nobody who is not on the network")
    func offLink() throws {
        try Self.lend(.forward, subnets: ["10.1.0.0/24"]) { town, address, _ in
            let socket = try UDPSocket.connected(to: address)
            let query = try WorkerTown.query("a.example")
            _ = try socket.send(query.span)
            let end = ContinuousClock.now + .seconds(10)
            while try town.count(\.guests.offLink) == 0, ContinuousClock.now < end {}
            #expect(try town.count(\.guests.offLink) == 1)
            let isAnswered = try WorkerTown.isReadable(socket, within: 20)
            #expect(!isAnswered)
            // A connection is closed without an answer.
            let answers = try WorkerTown.ask([query], at: address, over: .stream)
            #expect(answers.isEmpty)
        }
    }

    @Test("paces what one source gets: past the bound a header that sends it to TCP, or nothing")
    func paced() throws {
        try Self.lend(.refuse) { town, address, _ in
            let queries = try (0..<400).map { try WorkerTown.query("a.example", id: UInt16($0)) }
            let socket = try UDPSocket.connected(to: address)
            for query in queries { _ = try socket.send(query.span) }
            let end = ContinuousClock.now + .seconds(10)
            while try town.count(\.guests.ofStrangers) < 300, ContinuousClock.now < end {}
            #expect(try town.count(\.guests.paced) > 100)
        }
    }
}

@Suite("The hook of systemd-resolved")
struct ResolveHookPartTests {
    private static let text = """
        [[network]]
        name = "front"
        [[container]]
        name = "web"
        networks = [{ name = "front", ip = ["10.1.0.2", "fd00::2"] }]
        [[container]]
        name = "db"
        networks = [{ name = "front", ip = ["10.1.0.3"] }]
        """

    @Test("answers names of containers and their addresses, denies what is nobody's, and leaves the rest to others")
    func answers() throws {
        let town = try WorkerTown(Self.text)
        defer { town.stop() }
        try town.settle()
        var nothing = Inheritance()
        let hook = ResolveHook(
            domain: try Name("internal"), workers: town.parts.workers, &nothing, logger: LogRecord().logger)
        #expect(hook.socket == nil)
        #expect(hook.filter.filterDomains == ["internal", "in-addr.arpa", "ip6.arpa"])
        let rows: [(keys: [(Int, Int, String)], code: Int?, records: Int?)] = [
            ([(1, 1, "web.front.internal")], 0, 1),
            ([(1, 1, "web.front.internal"), (1, 28, "web.front.internal")], 0, 2),
            ([(255, 1, "web.front.internal")], 0, 1), ([(1, 28, "db.front.internal")], 0, 0),
            ([(1, 16, "web.front.internal")], 0, 0), ([(1, 1, "nobody.front.internal")], 3, nil),
            ([(1, 1, "nobody.front.internal"), (1, 1, "web.front.internal")], 0, 1),
            ([(1, 12, "2.0.1.10.in-addr.arpa")], 0, 1), ([(1, 12, "9.0.1.10.in-addr.arpa")], nil, nil),
            ([(1, 1, "www.example")], nil, nil), ([(3, 1, "web.front.internal")], nil, nil),
            ([(1, 1, "a..b")], nil, nil), ([(1, 70_000, "web.front.internal")], nil, nil), ([], nil, nil),
        ]
        for row in rows {
            var reply: ResolveRecord.Reply?
            hook.resolve(row.keys.map { .init(key: .init(class: $0.0, type: $0.1, name: $0.2)) }) { reply = $0 }
            try town.parts.wait { reply != nil }
            #expect(reply?.rcode == row.code && reply?.answer?.count == row.records, "\(row.keys)")
        }
        let many = Array(
            repeating: ResolveRecord.Question(key: .init(class: 1, type: 1, name: "web.front.internal")),
            count: ResolveRecord.keyLimit + 1)
        var refused: ResolveRecord.Reply?
        hook.resolve(many) { refused = $0 }
        #expect(refused == .init())
        hook.configure(domain: try Name("lan"))
        #expect(hook.filter.filterDomains?.first == "lan")
    }
}
