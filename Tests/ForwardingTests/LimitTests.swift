// How many may wait, and what becomes of those whose namespace is gone.

import DNSWire
import Testing

@testable import Forwarding

@Suite("Limits")
struct LimitTests {
    @Test("256 questions of one namespace wait, the next is refused, other namespaces are not")
    func namespace() throws {
        var worker = Worker()
        for client in 0..<256 { #expect(try worker.ask(client: client) == .accepted) }
        #expect(try worker.ask() == .refused(.tooMany))
        #expect(try worker.ask(namespace: 2) == .accepted)
        #expect(worker.forwarder.inFlight == 257)
    }

    @Test("1,024 questions wait at one worker, whatever their namespaces")
    func wholeWorker() throws {
        var worker = Worker()
        for client in 0..<1024 {
            #expect(try worker.ask(client: client, namespace: UInt32(client / 256)) == .accepted)
        }
        #expect(try worker.ask(namespace: 99) == .refused(.tooMany))
    }

    @Test("an answer makes room, and so does the end of a wait")
    func room() throws {
        var worker = Worker(limits: ForwardingLimits(worker: 2, namespace: 1))
        try worker.perform(.ask(), "")
        try worker.perform(.opens("a", to: 1), "")
        #expect(try worker.ask() == .refused(.tooMany))
        try worker.receive(reply()(try worker.asked("a")), on: "a")
        #expect(try worker.ask() == .accepted)
        try worker.perform(.time(4500), "")
        #expect(worker.forwarder.inFlight == 0)
        #expect(try worker.ask() == .accepted)
        #expect(try worker.ask(namespace: 2) == .accepted)
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
                    .ask(), .opens("a", to: 1), .time(1000), .opens("b", to: 2), .abandon(namespace: 1),
                    .closes("a"), .closes("b"), .nothing, .reply(on: "a", reply(9)), .nothing, .time(5000), .nothing,
                ]),
            Scenario(
                "leaves the others alone",
                [
                    .ask(), .opens("a", to: 1), .ask(client: 2, namespace: 2), .opens("b", to: 1),
                    .abandon(namespace: 1), .closes("a"), .nothing,
                    .reply(on: "b", reply(9)), .answers(client: 2, .address(9, from: 1)), .closes("b"),
                ]),
            Scenario("that asked nothing", [.ask(), .opens("a", to: 1), .abandon(namespace: 9), .nothing]),
        ])
    func abandon(_ scenario: Scenario) throws {
        try scenario.run()
    }

    @Test("the end of a namespace makes room for the next with its number")
    func abandonMakesRoom() throws {
        var worker = Worker(limits: ForwardingLimits(worker: 4, namespace: 2))
        for _ in 0..<2 { #expect(try worker.ask() == .accepted) }
        worker.forwarder.abandon(namespace: 1)
        #expect(worker.forwarder.inFlight == 0)
        #expect(worker.forwarder.nextDeadline == nil)
        for _ in 0..<2 { #expect(try worker.ask() == .accepted) }
        #expect(try worker.ask() == .refused(.tooMany))
    }
}
