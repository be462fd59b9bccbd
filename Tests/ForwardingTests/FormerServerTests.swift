// Servers that a container had before us: asked from its namespace, before the host's upstreams.

import DNSWire
import Forwarding
import Testing

@Suite("Former servers")
struct FormerServerTests {
    /// Group of names of outside, and group of names that the former servers know better than their TTLs.
    private static let outside: UInt32 = 100
    private static let neighbours: UInt32 = 101

    /// A worker with the host's upstream 10.0.0.1 in group 7, and container 1 with the former server 10.0.0.9.
    private static func worker() -> Worker {
        var worker = Worker(upstreams: [1])
        worker.forwarder.setUpstreams(outside, UpstreamList(servers: [], origin: .former, standIn: 7))
        worker.forwarder.setUpstreams(neighbours, UpstreamList(servers: [], origin: .former, keepsAnswers: false))
        worker.forwarder.setFormerServers([server(9)], of: 1)
        return worker
    }

    private static let scenarios = [
        Scenario(
            "A name of outside is asked of the former server, and its answer is cached for this container alone",
            [
                .ask(group: outside), .opens("a", to: 9), .reply(on: "a", reply(5)), .answers(.address(5, from: 9)),
                .closes("a"), .hit(.address(5, ttl: 300), group: outside),
                .formerServers([8], of: 2), .ask(client: 2, namespace: 2, group: outside), .opens("b", to: 8),
            ]),
        Scenario(
            "A neighbour's name is never cached, and neither is it that there is none or that nobody answers",
            [
                .ask(group: neighbours), .opens("a", to: 9), .reply(on: "a", reply(5)),
                .answers(.address(5, from: 9)), .closes("a"),
                .ask(group: neighbours), .opens("b", to: 9), .reply(on: "b", reply(code: 3)),
                .answers(.code(3, from: 9)), .closes("b"),
                .ask(group: neighbours), .opens("c", to: 9), .reply(on: "c", reply(code: 2)), .closes("c"),
                .answers(.code(2, from: 9)),
                .ask(group: neighbours), .opens("d", to: 9), .reply(on: "d", reply(6)),
                .answers(.address(6, from: 9)), .closes("d"),
            ]),
        Scenario(
            "A server whose ports are closed is looked for anew, and the host's upstreams stand in for it",
            [
                .ask(group: outside), .opens("a", to: 9), .failure(on: "a"), .closes("a"), .connects("b", to: 9),
                .failure(on: "b"), .closes("b"), .looksForServers(), .opens("c", to: 1), .reply(on: "c", reply(5)),
                .answers(.address(5, from: 1)), .closes("c"),
            ]),
        Scenario(
            "Nobody stands in where neighbours are asked for",
            [
                .ask(group: neighbours), .opens("a", to: 9), .failure(on: "a"), .closes("a"), .connects("b", to: 9),
                .failure(on: "b"), .closes("b"), .looksForServers(), .answers(.failure(22)),
            ]),
        Scenario(
            "What the former server says counts, also that it will not answer",
            [
                .ask(group: outside), .opens("a", to: 9), .reply(on: "a", reply(code: 5)), .closes("a"),
                .answers(.code(5, from: 9)),
            ]),
        Scenario(
            "A former server that is late is waited for: another one may say that there is no such name",
            [
                .ask(group: outside), .opens("a", to: 9), .time(450), .repeats("a"), .time(1200),
                .reply(on: "a", reply(5)),
                .answers(.address(5, from: 9)), .closes("a"),
            ]),
        Scenario(
            "A server that is found at another port is asked at once, and what the one before said is forgotten",
            [
                .ask(group: outside), .opens("a", to: 9), .reply(on: "a", reply(5)), .answers(.address(5, from: 9)),
                .closes("a"), .formerServers([10]), .ask(group: outside), .opens("b", to: 10),
                .reply(on: "b", reply(6)), .answers(.address(6, from: 10)), .closes("b"),
            ]),
        Scenario(
            "A container whose listener is made anew keeps its former server",
            [.abandon(namespace: 1), .ask(group: outside), .opens("a", to: 9)]),
    ]

    @Test("are asked, cached and replaced as each scenario says", arguments: scenarios)
    func scenario(_ scenario: Scenario) throws {
        var worker = Self.worker()
        for (number, step) in scenario.steps.enumerated() {
            try worker.perform(step, "step \(number + 1): \(String(describing: step))")
        }
        let rest = worker.forwarder.nextAction()
        #expect(rest == nil, "nothing is left to do")
    }

    @Test("A server that has failed three times is tried beside those that stand in, and used again when it replies")
    func returns() throws {
        var worker = Self.worker()
        for number in 1...3 {
            #expect(try worker.ask(.numbered(number), group: Self.outside) == .accepted)
            try worker.perform(.opens("a", to: 9), "")
            try worker.perform(.failure(on: "a"), "")
            while let action = worker.forwarder.nextAction() {
                if case .openStream(let token, _, _, _) = action { worker.forwarder.failed(token, now: worker.now) }
                if case .openDatagram(let token, let address, _, let message) = action {
                    #expect(address == server(1))
                    worker.sockets["s"] = Worker.Socket(token: token, message: message)
                }
            }
            try worker.perform(.reply(on: "s", reply(5)), "")
            try worker.perform(.answers(.address(5, from: 1)), "")
            try worker.perform(.closes("s"), "")
        }
        // It rests: the host's upstream is asked at once.
        #expect(try worker.ask(.numbered(4), group: Self.outside) == .accepted)
        try worker.perform(.looksForServers(), "")
        try worker.perform(.opens("b", to: 1), "")
        try worker.perform(.reply(on: "b", reply(5)), "")
        try worker.perform(.answers(.address(5, from: 1)), "")
        try worker.perform(.closes("b"), "")
        // Its rest is over.
        try worker.perform(.time(2500), "")
        #expect(try worker.ask(.numbered(5), group: Self.outside) == .accepted)
        try worker.perform(.looksForServers(), "")
        try worker.perform(.opens("c", to: 1), "")
        try worker.perform(.opens("d", to: 9), "")
        try worker.perform(.reply(on: "d", reply(6)), "")
        try worker.perform(.answers(.address(6, from: 9)), "")
        while worker.forwarder.nextAction() != nil {}
        #expect(try worker.ask(.numbered(6), group: Self.outside) == .accepted)
        try worker.perform(.opens("e", to: 9), "it is well again")
    }

    @Test("are reached over UDP at one port and over TCP at another, from the namespace of the container")
    func ports() throws {
        var worker = Self.worker()
        let docker = ServerAddress(address: .v4(IPv4Address(bits: 0x7F00_000B)), port: 40_123, streamPort: 45_011)
        worker.forwarder.setFormerServers([docker], of: 3)
        #expect(worker.forwarder.isFormerServer(docker, of: 3) && !worker.forwarder.isFormerServer(docker, of: 1))
        #expect(try worker.ask(view: 3, group: Self.neighbours) == .accepted)
        guard case .openDatagram(let token, docker, .namespace(3), _) = worker.forwarder.nextAction() else {
            Issue.record("it is asked over UDP")
            return
        }
        worker.forwarder.failed(token, now: worker.now)
        _ = worker.forwarder.nextAction()
        guard case .openStream(_, docker, .namespace(3), _) = worker.forwarder.nextAction() else {
            Issue.record("it is asked over TCP")
            return
        }
        #expect(docker.port(over: .datagram) == 40_123 && docker.port(over: .stream) == 45_011)
        #expect(docker.description == "127.0.0.11:40123 (TCP 45011)")
    }

    @Test("A container without former servers has nobody to ask")
    func none() throws {
        var worker = Self.worker()
        worker.forwarder.setFormerServers([], of: 1)
        #expect(try worker.ask(group: Self.outside) == .refused(.noUpstreams))
    }
}
