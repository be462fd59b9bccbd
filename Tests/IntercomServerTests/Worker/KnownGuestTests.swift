// Guests that are known: the address of a container says who asks at a gateway.

import DNSWire
import Forwarding
import Registry
import SystemPackage
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("A guest whose address a container has")
struct KnownGuestTests {
    private static let text = """
        [[network]]
        name = "front"
        interface = "br-front"
        gateway-listener = true

        [[container]]
        name = "web"
        networks = [{ name = "front", ip = ["10.1.0.2"] }]
        """

    /// A worker with a gateway's listener; the kernel shows a container that has the address 127.0.0.1 on the network.
    private static func lend(
        _ unknown: UnknownSources, _ body: (TurnedWorker, SocketAddress, ViewID) throws -> Void
    ) throws {
        let turned = try TurnedWorker(text)
        var registry = turned.town.registry
        registry.observe(
            ObservedNetwork(interface: InterfaceIndex(rawValue: 7), interfaceName: "br-front"))
        registry.observe(
            ObservedContainer(
                cookie: NamespaceCookie(rawValue: 9), name: "vm", path: "/run/netns/vm",
                endpoints: [
                    ObservedEndpoint(network: InterfaceIndex(rawValue: 7), link: "eth0", addresses: [.v4(.loopback)])
                ]))
        turned.post(.directory(registry.takeChanges()))
        let front = try #require(registry.takeGateways()?.first)
        let gateway = Gateway(number: 1, network: front.network, subnets: [], unknownSources: unknown)
        let sockets = try ListenerSockets.atLoopback()
        let address = try sockets.tcp.localAddress()
        turned.post(.listenAtGateway(gateway, front.stranger, Handover(sockets)))
        try turned.turn()
        try body(turned, address, try registry.container(named: "vm").id.view)
    }

    @Test("has the names of its networks, over UDP and TCP, and who waits for its first question is told once")
    func known() throws {
        try Self.lend(.refuse) { turned, address, view in
            turned.post(.awaitGuest(view))
            try turned.turn()
            for _ in 0..<2 { #expect(try turned.ask("web", at: address) == "10.1.0.2") }
            let client = try turned.connect(to: address, asking: "web")
            #expect(try turned.answer(on: client) == "10.1.0.2")
            #expect(turned.worker.counters.guests.ofContainers == 3)
            #expect(turned.worker.counters.guests.ofStrangers == 0)
            let asked = turned.reports.map { if case .guestAsked(view) = $0 { true } else { false } }
            #expect(asked == [true])
        }
    }

    @Test("that does not ask but answers, or sends noise, gets nothing, known or refused", arguments: [true, false])
    func noise(isKnown: Bool) throws {
        try Self.lend(.refuse) { turned, address, view in
            var query = try WorkerTown.query("web")
            // QR: it is an answer.
            query[2] |= 0x80
            let socket = try UDPSocket.connected(to: address)
            if !isKnown {
                // Nobody of that network has the address; it is on the link.
                turned.post(
                    .gateway(
                        Gateway(
                            number: 1, network: ScopeID(rawValue: 999),
                            subnets: [try #require(Subnet("127.0.0.0/8"))], unknownSources: .refuse)))
                try turned.turn()
                #expect(try turned.ask("web", at: address) == "REFUSED")
            }
            let before = turned.worker.counters.dropped
            for message in [query, [1, 2, 3]] { _ = try socket.send(message.span) }
            try turned.turn { turned.worker.counters.dropped == before + 2 }
            let isAnswered = try WorkerTown.isReadable(socket, within: 20)
            #expect(!isAnswered)
            #expect(turned.worker.counters.guests.ofStrangers == (isKnown ? 0 : 3))
        }
    }

    @Test("is told that it is closed for good where its listener cannot be repaired")
    func failed() throws {
        try Self.lend(.refuse) { turned, address, _ in
            let ticket = try #require(turned.gatewayTicket)
            let error = LinuxError(call: "accept4", errno: .badFileDescriptor)
            // A sound one is left as it is, and nothing is told; then one that has no cure.
            turned.worker.repair(ticket, nil)
            #expect(turned.worker.listeners.count == 1)
            turned.worker.repair(ticket, error)
            try turned.turn()
            #expect(turned.worker.listeners.count == 0)
            guard case .gatewayFailed(1, error)? = turned.reports.last else {
                Issue.record("\(turned.reports)")
                return
            }
            // Its ports are free.
            #expect(try UDPSocket.bound(to: address).rawValue >= 0)
        }
    }
}
