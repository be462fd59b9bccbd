// Limits of pending questions, the questions that give way, and those of a namespace that has gone.

import DNSWire
import Tables
import Testing

@testable import Forwarding

@Suite("Limits")
struct LimitTests {
    static func filled(_ count: Int, limits: ForwardingLimits = ForwardingLimits()) throws -> Worker {
        var worker = Worker(limits: limits)
        for number in 0..<count { try worker.perform(.ask(client: number, .numbered(number)), "") }
        while worker.forwarder.nextAction() != nil {}
        return worker
    }

    /// Clients that are answered by the remaining actions, with the response codes.
    static func answers(_ worker: inout Worker) -> [Int: ResponseCode] {
        var answers: [Int: ResponseCode] = [:]
        while let action = worker.forwarder.nextAction() {
            if case .answer(let client, let answer) = action { answers[client] = answer.responseCode }
        }
        return answers
    }

    @Test("256 questions of one namespace are asked; for the next one the oldest gives way: SERVFAIL, EDE 23")
    func namespace() throws {
        var worker = try Self.filled(256)
        #expect(worker.forwarder.inFlight == 256)
        #expect(try worker.ask(.numbered(300), client: 300) == .accepted)
        try worker.perform(.answers(client: 0, .failure(23)), "")
        #expect(worker.forwarder.inFlight == 256)
        #expect(try worker.ask(.numbered(301), client: 301, namespace: 2) == .accepted)
        #expect(worker.forwarder.inFlight == 257)
        #expect(Self.answers(&worker).isEmpty, "another namespace feels nothing of it")
    }

    @Test("gives way whoever has waited longest, of those who still wait")
    func oldest() throws {
        var worker = Worker(limits: ForwardingLimits(namespace: 3))
        for (number, socket) in ["a", "b", "c"].enumerated() {
            try worker.perform(.ask(client: number, .numbered(number)), "")
            try worker.perform(.opens(Character(socket), to: 1), "")
        }
        try worker.perform(.reply(on: "a", reply(1)), "")
        try worker.perform(.answers(client: 0, .address(1, from: 1)), "")
        try worker.perform(.closes("a"), "")
        try worker.perform(.ask(client: 3, .numbered(3)), "")
        try worker.perform(.opens("d", to: 1), "")
        try worker.perform(.ask(client: 4, .numbered(4)), "")
        try worker.perform(.answers(client: 1, .failure(23)), "")
        try worker.perform(.closes("b"), "")
    }

    @Test("a namespace that waits for something all the time costs no more memory the longer it asks")
    func patient() throws {
        var worker = Worker()
        for number in 0..<2000 {
            // Nobody answers: four others wait whenever one gives up.
            try worker.perform(.time(number * 1000), "")
            try worker.perform(.ask(client: number, .numbered(number)), "")
            _ = Self.answers(&worker)
            #expect(worker.forwarder.accounts.remembered(of: 1) <= 32)
        }
        #expect(worker.forwarder.inFlight == 5)
    }

    @Test("an answer that is renewed costs no more memory the more often it is")
    func renewed() throws {
        var worker = Worker(policy: CachePolicy(servesStale: false))
        for round in 0..<200 {
            let steps: [Step] =
                [.time(round * 600_000)] + CacheLifeTests.asked(reply(9), .address(9, from: 1)) + [
                    .hit(.address(9, ttl: 300)), .time(round * 600_000 + 270_000), .hit(.address(9, ttl: 30)),
                    .opens("b", to: 1), .reply(on: "b", reply(9)), .closes("b"),
                ]
            for step in steps { try worker.perform(step, "round \(round): \(String(describing: step))") }
        }
        #expect(worker.forwarder.unattended.count <= 32)
    }

    @Test("at the limit of the worker the namespace with the most gives way, whoever asks")
    func wholeWorker() throws {
        var worker = Worker(limits: ForwardingLimits(worker: 10, namespace: 8))
        for number in 0..<7 { try worker.perform(.ask(client: number, namespace: 1, .numbered(number)), "") }
        for number in 7..<10 { try worker.perform(.ask(client: number, namespace: 2, .numbered(number)), "") }
        _ = Self.answers(&worker)
        try worker.perform(.ask(client: 10, namespace: 3, .numbered(10)), "")
        #expect(Self.answers(&worker) == [0: .serverFailure])
        try worker.perform(.ask(client: 11, namespace: 2, .numbered(11)), "")
        #expect(Self.answers(&worker) == [1: .serverFailure])
        #expect(worker.forwarder.inFlight == 10)
    }

    @Test("who waits for the same as others of another namespace gives way alone")
    func shared() throws {
        var worker = Worker(limits: ForwardingLimits(namespace: 1))
        try worker.perform(.ask(client: 1, namespace: 1), "")
        try worker.perform(.opens("a", to: 1), "")
        try worker.perform(.ask(client: 2, namespace: 2), "")
        try worker.perform(.ask(client: 3, namespace: 1, .other), "")
        try worker.perform(.answers(client: 1, .failure(23)), "")
        try worker.perform(.opens("b", to: 1), "")
        try worker.perform(.reply(on: "a", reply(9)), "")
        try worker.perform(.answers(client: 2, .address(9, from: 1)), "")
    }

    @Test("an answer makes room, and so does the end of a wait")
    func room() throws {
        var worker = try Self.filled(1, limits: ForwardingLimits(worker: 2, namespace: 1))
        try worker.perform(.time(4500), "")
        #expect(Self.answers(&worker) == [0: .serverFailure])
        #expect(worker.forwarder.inFlight == 0)
        #expect(try worker.ask(.numbered(1), client: 1) == .accepted)
        #expect(try worker.ask(.numbered(2), client: 2, namespace: 2) == .accepted)
        #expect(Self.answers(&worker).isEmpty)
    }

    @Test("1,000 wait for one exchange; the next is told at once that there are too many")
    func waiters() throws {
        var worker = Worker()
        for client in 0..<1000 { #expect(try worker.ask(client: client) == .accepted) }
        #expect(try worker.ask(client: 1000) == .refused(.tooMany))
        #expect(try worker.ask(client: 1001, namespace: 2) == .refused(.tooMany))
        #expect(worker.forwarder.inFlight == 1)
        try worker.perform(.opens("a", to: 1), "")
        try worker.perform(.reply(on: "a", reply(9)), "")
        #expect(Self.answers(&worker).count == 1000)
    }

    @Test("a refused question costs nothing: no socket, no deadline")
    func refused() throws {
        var worker = Worker(upstreams: [])
        #expect(try worker.ask() == .refused(.noUpstreams))
        let action = worker.forwarder.nextAction()
        #expect(action == nil)
        #expect(worker.forwarder.nextDeadline == nil)
    }

    @Test(
        "the end of a namespace",
        arguments: [
            Scenario(
                "closes its sockets and answers nobody",
                [
                    .ask(), .opens("a", to: 1), .time(400), .opens("b", to: 2), .abandon(namespace: 1),
                    .closes("a"), .closes("b"), .nothing, .reply(on: "a", reply(9)), .nothing, .time(5000), .nothing,
                ]),
            Scenario(
                "leaves the others alone",
                [
                    .ask(), .opens("a", to: 1), .ask(client: 2, namespace: 2, .other), .opens("b", to: 1),
                    .abandon(namespace: 1), .closes("a"), .nothing,
                    .reply(on: "b", reply(9)), .answers(client: 2, .address(9, from: 1)), .closes("b"),
                ]),
            Scenario(
                "leaves those who wait for the same",
                [
                    .ask(), .opens("a", to: 1), .ask(client: 2, namespace: 2), .abandon(namespace: 1), .nothing,
                    .reply(on: "a", reply(9)), .answers(client: 2, .address(9, from: 1)), .closes("a"),
                ]),
            Scenario("that asked nothing", [.ask(), .opens("a", to: 1), .abandon(namespace: 9), .nothing]),
        ])
    func abandon(_ scenario: Scenario) throws {
        try scenario.run()
    }

    @Test("the end of a namespace makes room for the next with its number")
    func abandonMakesRoom() throws {
        var worker = try Self.filled(2, limits: ForwardingLimits(worker: 4, namespace: 2))
        worker.forwarder.abandon(namespace: 1)
        #expect(worker.forwarder.inFlight == 0)
        #expect(worker.forwarder.nextDeadline == nil)
        for number in 5..<7 { #expect(try worker.ask(.numbered(number), client: number) == .accepted) }
        #expect(Self.answers(&worker).isEmpty)
    }

    @Test(
        "whatever happens in whatever order, everyone is answered once, and nothing is left behind", arguments: 1...20)
    func books(seed: UInt64) throws {
        var random = Numbers(state: seed)
        var worker = Worker(
            upstreams: [1, 2], limits: ForwardingLimits(worker: 12, namespace: 5, waiters: 6),
            policy: CachePolicy(capacity: 16_384))
        var waiting: Set<Int> = []
        var sockets: [SocketToken: [UInt8]] = [:]
        var seconds = 0
        func carryOut(_ worker: inout Worker) {
            while let action = worker.forwarder.nextAction() {
                switch action {
                case .openDatagram(let token, _, _, let message): sockets[token] = message
                case .openStream(let token, _, _, let message): sockets[token] = message
                case .send(let token, let message):
                    #expect(sockets[token] != nil, "what is sent on is open")
                    sockets[token] = message
                case .close(let token): #expect(sockets.removeValue(forKey: token) != nil, "closed once")
                case .answer(let client, _): #expect(waiting.remove(client) != nil, "answered once")
                case .lookForServers: break
                }
            }
        }
        for client in 0..<2000 {
            switch random.next() % 10 {
            case 0..<5:
                let query = Packet.numbered(Int(random.next() % 15))
                if try worker.cached(query) == nil,
                    try worker.ask(query, client: client, namespace: UInt32(random.next() % 3)) == .accepted
                {
                    waiting.insert(client)
                }
            case 5..<8:
                guard let (token, message) = sockets.randomElement(using: &random),
                    let asked = Parsed(message) ?? Parsed(Array(message.dropFirst(2)))
                else { break }
                let packet = Packet(id: asked.id, question: asked.question)
                let answer = [reply(1), reply(code: 2), truncated, reply(1) { $0.id ^= 1 }][Int(random.next() % 4)](
                    packet)
                worker.forwarder.receivedDatagram(answer.span, on: token, now: worker.now)
                worker.forwarder.receivedStream(
                    (word16(UInt16(answer.count)) + answer).span, on: token, now: worker.now)
            case 8:
                if let token = sockets.keys.randomElement(using: &random) {
                    worker.forwarder.failed(token, now: worker.now)
                }
            default:
                seconds += Int(random.next() % 3)
                worker.now = worker.start + .seconds(seconds)
                worker.forwarder.expire(now: worker.now)
            }
            carryOut(&worker)
            #expect((worker.forwarder.inFlight == 0) == waiting.isEmpty)
        }
        worker.now = worker.start + .seconds(seconds + 60)
        worker.forwarder.expire(now: worker.now)
        carryOut(&worker)
        #expect(waiting.isEmpty && sockets.isEmpty && worker.forwarder.inFlight == 0)
        #expect(worker.forwarder.nextDeadline == nil)
        #expect(worker.forwarder.table.count == 0 && worker.forwarder.exchangeOf.isEmpty)
        #expect(worker.forwarder.accounts.largest == nil)
    }
}
