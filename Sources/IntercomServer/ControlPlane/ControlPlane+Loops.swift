// Loops: an upstream that asks us, perhaps through others. Where nobody has an answer, that may be why.

import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry

/// When the upstreams of a namespace may be probed once more: each time twice as long after the last.
struct ProbeTime {
    private var next = ContinuousClock.Instant.now
    private var interval = Self.firstInterval

    private static var firstInterval: Duration { .seconds(30) }
    private static var lastInterval: Duration { .seconds(3600) }

    /// Whether the time has come; if so, there is another.
    mutating func take() -> Bool {
        guard ContinuousClock.now >= next else { return false }
        next = .now + interval
        interval = min(interval * 2, Self.lastInterval)
        return true
    }
}

extension ControlPlane {
    /// The most upstreams that are probed at once.
    private static var maximumProbes: Int { 64 }

    /// Asks each upstream for a name of its own: where that comes to a listener of ours, the upstream asks us.
    /// - Parameters:
    ///   - view: the container that got no answer.
    ///   - servers: those that it asks from its own namespace.
    func probeUpstreams(of view: ViewID?, _ servers: [ServerAddress]) {
        let hosts = Set(upstreamGroups.values.filter { $0.origin == .host }.flatMap(\.servers))
        var places = places(hosts, .host)
        if let view { places += self.places(servers, .namespace(view.rawValue)) }
        guard !places.isEmpty else { return }
        if probes.count + places.count > Self.maximumProbes { probes = [:] }
        let new = Dictionary(uniqueKeysWithValues: places.map { (Entropy.word(), $0) })
        probes.merge(new) { $1 }
        workers.post(.probes(Array(probes.keys)))
        // A worker that does not know the token yet would forward the probe.
        workers.ask(workers.indices, { .fence(token: $0) }) { [self] _ in
            for (token, place) in new { probe(place, token) }
        }
    }

    /// These servers, if it is time to probe those of their namespace.
    private func places(_ servers: some Collection<ServerAddress>, _ vantage: Vantage) -> [UpstreamPlace] {
        guard !servers.isEmpty, probeTimes[vantage, default: ProbeTime()].take() else { return [] }
        return servers.prefix(Self.maximumProbes / 2).map { UpstreamPlace(server: $0, vantage: vantage) }
    }

    private func probe(_ place: UpstreamPlace, _ token: UInt64) {
        guard let name = try? LoopProbe.name(of: token) else { return }
        let query = Self.query(name, .a, id: UInt16(truncatingIfNeeded: Entropy.word()))
        switch place.vantage {
        case .host:
            send(query, to: place.server) { address throws(LinuxError) in try UDPSocket.connected(to: address) }
        case .namespace(let view):
            let kind = SocketKind(to: place.server, isStream: false)
            makeSockets(for: ViewID(rawValue: view), kind, 1) { [self] batch in
                var batch = batch.take() ?? SocketBatch()
                guard let socket = batch.take(kind) else { return }
                send(query, by: socket, to: place.server)
            }
        }
    }

    private func send(
        _ query: [UInt8], to server: ServerAddress, _ open: (SocketAddress) throws(LinuxError) -> Descriptor
    ) {
        do throws(LinuxError) {
            _ = try open(try SocketAddress(server)).send(query.span)
        } catch {
            logger.debug("upstream \(server) is not probed: \(error)")
        }
    }

    private func send(_ query: [UInt8], by socket: consuming Descriptor, to server: ServerAddress) {
        do throws(LinuxError) {
            try UDPSocket.connect(socket, to: try SocketAddress(server, on: socket))
            _ = try socket.send(query.span)
        } catch {
            logger.debug("upstream \(server) is not probed: \(error)")
        }
    }

    /// Asks all upstreams again, those too that were found to ask us: things may be different now.
    func forgetLoops() {
        probeTimes = [:]
        workers.post(.avoidNobody)
    }

    /// Asks an upstream no more that asks us.
    func takeLoop(_ token: UInt64) {
        guard let place = probes.removeValue(forKey: token) else { return }
        var whence = ""
        if case .namespace(let view) = place.vantage {
            whence = " in the namespace of container \(name(of: ContainerID(of: ViewID(rawValue: view))))"
        }
        logger.warning(
            "upstream \(place.server)\(whence) asks us in turn, which would never end; it is not asked until the configuration is loaded again or the host's resolv.conf changes"
        )
        workers.post(.avoid(place))
    }
}
