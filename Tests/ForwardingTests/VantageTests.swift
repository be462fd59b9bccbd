// The namespace from which upstreams are reached.

import DNSWire
import Forwarding
import Testing

@Suite("From where upstreams are asked")
struct VantageTests {
    /// The vantage of the socket that is opened for a question of this view.
    static func vantage(_ origin: UpstreamList.Origin, view: UInt32) throws -> Vantage? {
        var worker = Worker()
        worker.forwarder.setUpstreams(7, UpstreamList(servers: [server(1)], origin: origin))
        _ = try worker.ask(namespace: view)
        guard case .openDatagram(_, _, let vantage, _) = worker.forwarder.nextAction() else { return nil }
        return vantage
    }

    @Test("the host's namespace, unless the group says that it is the namespace of who asks")
    func origin() throws {
        #expect(try Self.vantage(.host, view: 3) == .host)
        #expect(try Self.vantage(.namespace, view: 3) == .namespace(3))
    }

    @Test("what is asked from a namespace for somebody else fails with it, and its sockets are closed")
    func abandon() throws {
        var worker = Worker()
        worker.forwarder.setUpstreams(7, UpstreamList(servers: [server(1)], origin: .namespace))
        #expect(try worker.ask(client: 5, namespace: 99, view: 3) == .accepted)
        try worker.perform(.opens("a", to: 1), "")
        worker.forwarder.abandon(namespace: 3)
        try worker.perform(.answers(client: 5, .failure(22)), "")
        try worker.perform(.closes("a"), "")
        #expect(worker.forwarder.inFlight == 0)
    }
    @Test("a server that is avoided there is asked from elsewhere alone, until it or its namespace is another")
    func avoided() throws {
        var worker = Worker()
        worker.forwarder.setUpstreams(7, UpstreamList(servers: [server(1), server(2)], origin: .namespace))
        worker.forwarder.avoid(UpstreamPlace(server: server(1), vantage: .namespace(3)))
        func asked(view: UInt32) throws -> ServerAddress? {
            _ = try worker.ask(namespace: view)
            defer { worker.forwarder.abandon(namespace: view) }
            while let action = worker.forwarder.nextAction() {
                if case .openDatagram(_, let server, _, _) = action { return server }
            }
            return nil
        }
        #expect(try asked(view: 4) == server(1))
        #expect(try asked(view: 3) == server(2))
        #expect(try asked(view: 3) == server(1), "the number is another container's now")
        for number: UInt8 in 1...2 {
            worker.forwarder.avoid(UpstreamPlace(server: server(number), vantage: .namespace(5)))
        }
        while worker.forwarder.nextAction() != nil {}
        _ = try worker.ask(client: 5, namespace: 5)
        try worker.perform(.answers(client: 5, .failure(22)), "nobody is left")
        worker.forwarder.avoidNobody()
        #expect(try asked(view: 5) == server(1))
    }
}
