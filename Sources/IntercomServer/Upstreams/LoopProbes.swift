// Loops: an upstream that asks us, perhaps through others. Where nobody has an answer, that may be why.

import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry

/// Time from which on the upstreams of a namespace may be probed once more: each pause is twice as long as the last.
private struct ProbeTime {
    private static let firstInterval = Duration.seconds(30)
    private static let lastInterval = Duration.seconds(3600)

    private var next = ContinuousClock.Instant.now
    private var interval = Self.firstInterval

    /// True when the time has come; then the next pause begins.
    mutating func take() -> Bool {
        guard ContinuousClock.now >= next else { return false }
        next = .now + interval
        interval = min(interval * 2, Self.lastInterval)
        return true
    }
}

/// Asks upstreams for names that nobody else knows: one that comes to a listener of ours shows that the upstream asks us.
final class LoopProbes {
    /// The most upstreams that are probed at once.
    private static let limit = 64

    private let workers: WorkerPool
    private let publisher: Publisher
    private let logger: Logger
    /// The upstreams that are being probed, by the token in the name.
    private var probed: [UInt64: UpstreamPlace] = [:]
    private var times: [Vantage: ProbeTime] = [:]

    init(workers: WorkerPool, publisher: Publisher, logger: Logger) {
        self.workers = workers
        self.publisher = publisher
        self.logger = logger
    }

    /// Probes upstreams, where that was not done a short while ago.
    /// - Parameters:
    ///   - hosts: servers that are asked from the host's namespace.
    ///   - servers: servers that a container asks from its own namespace.
    ///   - view: that container.
    ///   - sockets: makes sockets there.
    func probe(
        _ hosts: Set<ServerAddress>, and servers: [ServerAddress], of view: ViewID?, by sockets: NamespaceSockets
    ) {
        var places = places(hosts, .host)
        if let view { places += self.places(servers, .namespace(view.rawValue)) }
        guard !places.isEmpty else { return }
        if probed.count + places.count > Self.limit { probed = [:] }
        let new = Dictionary(places.map { (Entropy.word(), $0) }) { first, _ in first }
        probed.merge(new) { $1 }
        workers.post(.probes(Array(probed.keys)))
        // A worker that does not know the token yet would forward the probe.
        workers.ask(workers.indices, { .fence(token: $0) }) { [self] _ in
            for (token, place) in new { probe(place, token, by: sockets) }
        }
    }

    /// These servers, if it is time to probe those of their namespace.
    private func places(_ servers: some Collection<ServerAddress>, _ vantage: Vantage) -> [UpstreamPlace] {
        guard !servers.isEmpty, times[vantage, default: ProbeTime()].take() else { return [] }
        return servers.prefix(Self.limit / 2).map { UpstreamPlace(server: $0, vantage: vantage) }
    }

    private func probe(_ place: UpstreamPlace, _ token: UInt64, by sockets: NamespaceSockets) {
        guard let name = try? LoopProbe.name(of: token) else { return }
        let query = OwnQuery.octets(of: name, .a, id: UInt16(truncatingIfNeeded: Entropy.word()))
        switch place.vantage {
        case .host: sendFromHost(query, to: place.server)
        case .namespace(let view):
            let kind = SocketKind(to: place.server, isStream: false)
            sockets.make(for: ViewID(rawValue: view), kind, 1) { [self] batch in
                var batch = batch.take() ?? SocketBatch()
                guard let socket = batch.take(kind) else { return }
                send(query, by: socket, to: place.server)
            }
        }
    }

    private func sendFromHost(_ query: [UInt8], to server: ServerAddress) {
        do throws(LinuxError) {
            _ = try UDPSocket.connected(to: try SocketAddress(server, over: .datagram)).send(query.span)
        } catch {
            logger.debug("upstream \(server) is not probed: \(error)")
        }
    }

    private func send(_ query: [UInt8], by socket: consuming Descriptor, to server: ServerAddress) {
        do throws(LinuxError) {
            try UDPSocket.connect(socket, to: try SocketAddress(server, over: .datagram, on: socket))
            _ = try socket.send(query.span)
        } catch {
            logger.debug("upstream \(server) is not probed: \(error)")
        }
    }

    /// Has all upstreams asked again, those too that were found to ask us: things may be different now.
    func forget() {
        times = [:]
        workers.post(.avoidNobody)
    }

    /// Has an upstream asked no more whose probe has come to a listener of ours.
    /// - Returns: that upstream; nil where it was found before.
    func takeLoop(_ token: UInt64) -> UpstreamPlace? {
        guard let place = probed.removeValue(forKey: token) else { return nil }
        var whence = ""
        if case .namespace(let view) = place.vantage {
            let container = publisher.name(of: ContainerID(of: ViewID(rawValue: view)))
            whence = " in the namespace of container \(container)"
        }
        logger.warning(
            "upstream \(place.server)\(whence) asks us in turn, which would never end; it is not asked until the configuration is loaded again or the host's resolv.conf changes"
        )
        workers.post(.avoid(place))
        return place
    }
}
