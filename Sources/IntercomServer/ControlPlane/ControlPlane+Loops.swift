// Loops: an upstream that asks us, perhaps through others. Where nobody has an answer, that may be why.

import DNSWire
import Forwarding
import LinuxNet
import Logging

extension ControlPlane {
    /// The time until upstreams are probed once more, at first and at last: each time it is twice as long.
    static var firstProbeInterval: Duration { .seconds(30) }
    private static var lastProbeInterval: Duration { .seconds(3600) }
    /// The most upstreams that are probed.
    private static var maximumProbes: Int { 64 }

    /// Asks each upstream for a name of its own: where that comes to a listener of ours, the upstream asks us. Those that
    /// are asked from containers' namespaces are left out.
    func probeUpstreams() {
        guard ContinuousClock.now >= nextProbe else { return }
        nextProbe = .now + probeInterval
        probeInterval = min(probeInterval * 2, Self.lastProbeInterval)
        let servers = Set(upstreamGroups.values.filter { $0.origin == .host }.flatMap(\.servers))
        probes = [:]
        for server in servers.prefix(Self.maximumProbes) { probes[Entropy.word()] = server }
        for worker in workers { worker.inbox.post(.probes(Array(probes.keys))) }
        // A worker that does not know the token yet would forward the probe.
        ask(workers.indices, { .fence(token: $0) }) { [self] _ in
            for (token, server) in probes { probe(server, token) }
        }
    }

    private func probe(_ server: ServerAddress, _ token: UInt64) {
        do throws(LinuxError) {
            guard let name = try? LoopProbe.name(of: token) else { return }
            let query = Self.query(name, .a, id: UInt16(truncatingIfNeeded: Entropy.word()))
            _ = try UDPSocket.connected(to: try SocketAddress(server)).send(query.span)
        } catch {
            logger.debug("upstream \(server) is not probed: \(error)")
        }
    }

    /// Asks all upstreams again, those too that were found to ask us: things may be different now.
    func forgetLoops() {
        loopingUpstreams = []
        nextProbe = .now
        probeInterval = Self.firstProbeInterval
    }

    /// Takes an upstream that asks us out of all lists.
    func takeLoop(_ token: UInt64) {
        guard let server = probes.removeValue(forKey: token) else { return }
        logger.warning(
            "upstream \(server) asks us in turn, which would never end; it is not asked until the configuration is loaded again or the host's resolv.conf changes"
        )
        loopingUpstreams.insert(server)
        upstreamsChanged = true
        publish()
    }
}
