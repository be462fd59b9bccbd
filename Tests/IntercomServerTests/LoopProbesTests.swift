// Upstreams that ask us in turn: probed now and then, and asked no more.

import Attachment
import DNSWire
import Forwarding
import Registry
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("Probes for upstreams that ask us")
struct LoopProbesTests {
    @Test("find an upstream that leads here: it is asked no more until somebody says that things are different")
    func found() throws {
        let upstream = try StandInUpstream()
        defer { upstream.stop() }
        let town = try WorkerTown("[[network]]\nname = 'front'\n[[container]]\nname = 'app'\nnetworks = ['front']\n")
        defer { town.stop() }
        let address = try town.listener(of: "app")
        // An upstream that is the container's own listener: a question to it would go round for ever.
        let own = ServerAddress(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: address.port)
        let probes = LoopProbes(
            workers: town.parts.workers, publisher: town.parts.publisher, logger: town.parts.log.logger)
        let sockets = try Self.sockets(town)
        probes.probe([own, upstream.server], and: [], of: nil, by: sockets)
        var token: UInt64?
        try town.wait { reports in
            for case .looped(let found) in reports { token = found }
            return token != nil
        }
        let place = probes.takeLoop(try #require(token))
        #expect(place == UpstreamPlace(server: own, vantage: .host))
        #expect(try probes.takeLoop(#require(token)) == nil, "it is known")
        let messages = town.parts.log.messages
        #expect(messages.count == 1 && messages[0].hasPrefix("warning: upstream \(own) asks us in turn"))
        // The other one was asked, once: both are not probed again for a while.
        let end = ContinuousClock.now + .seconds(10)
        while upstream.questions.isEmpty, ContinuousClock.now < end { try town.settle() }
        probes.probe([upstream.server], and: [], of: nil, by: sockets)
        try town.settle()
        #expect(upstream.questions.count == 1)
        probes.forget()
        probes.probe([upstream.server], and: [], of: nil, by: sockets)
        while upstream.questions.count < 2, ContinuousClock.now < end { try town.settle() }
        #expect(upstream.questions.count == 2)
    }

    /// Sockets of containers' namespaces, of which none can be entered here.
    private static func sockets(_ town: WorkerTown) throws -> NamespaceSockets {
        let parts = town.parts
        let configuration = Configuration()
        let discovery = Discovery(
            configuration.discover, publisher: parts.publisher, loop: parts.loop, requests: parts.requests,
            logger: parts.log.logger)
        let containers = Containers(
            publisher: parts.publisher, discovery: discovery,
            entrances: Entrances(by: parts.requests, StoredListeners()),
            redirections: Redirections(
                requests: parts.requests, loop: parts.loop, publisher: parts.publisher, logger: parts.log.logger),
            resolverFiles: ContainerResolverFiles(
                configuration, ResolverConfiguration(), requests: parts.requests, logger: parts.log.logger),
            hearing: HearingProofs(
                publisher: parts.publisher, workers: parts.workers, loop: parts.loop, isCrowded: { false },
                makeSocket: { _, _, done in done(.failure(StandInOpener.refusal)) }),
            watch: try ContainerWatch(by: parts.loop), port: .automatic, logger: parts.log.logger)
        return NamespaceSockets(
            containers: containers, requests: parts.requests, publisher: parts.publisher, workers: parts.workers,
            logger: parts.log.logger)
    }
}
