// Search for the service behind an answer: who listens on its port, and what comes of a connection from the container that asks.

import Attachment
import DNSWire
import Diagnosis
import LinuxNet
import Registry
import SystemPackage

/// Looks at one port of containers or of the host, one after another; the opener enters their namespaces.
final class ServiceSearch {
    /// A place where the service may run.
    enum Place {
        /// The host, at these addresses.
        case host(at: [String])
        /// Containers that have a name, at some of these addresses.
        case containers(called: Name, seenBy: Registry.Container, at: [String])
        /// Neither: an upstream has given these addresses for a name as it was asked.
        case outside(called: String, seenBy: Registry.Container, at: [String])
    }

    /// A service to be looked at.
    private struct Target {
        var service: Service
        /// The container; nil: the host.
        var container: ContainerID?
    }

    /// Places that are looked at; more replicas say nothing else.
    private static let limit = 8
    /// Time for a connection to come about, in milliseconds: the first repetition of a lost segment comes after a second.
    private static let patience: Int32 = 1500

    private let port: UInt16
    private let asker: ContainerID
    private let plane: ControlPlane

    init(port: UInt16, from asker: ContainerID, plane: ControlPlane) {
        self.port = port
        self.asker = asker
        self.plane = plane
    }

    /// Looks; `done` is called once, with what was found.
    func look(_ place: Place, done: @escaping ([Service]) -> Void) {
        look(at: targets(place)[...], [], done)
    }

    private func targets(_ place: Place) -> [Target] {
        switch place {
        case .host(let addresses):
            return addresses.prefix(Self.limit).map { Target(service: Service(ofHostAt: $0, listens: nil)) }
        case .outside(let name, let viewer, let addresses):
            let all = addresses.compactMap { IPAddress($0) }
            // One of each family: what is outside is not asked for more than a program would.
            return [all.first { !$0.isV6 }, all.first(where: \.isV6)].compactMap(\.self).map { address in
                var service = Service(outside: name, at: "\(address)")
                service.overlap = plane.publisher.registry.overlap(of: address, seenBy: viewer).map {
                    Service.Overlap($0.network, $0.subnet, gateway: $0.gateway)
                }
                service.hostForwards = Self.hostForwards(isV6: address.isV6)
                return Target(service: service)
            }
        case .containers(let name, let viewer, let addresses):
            let registry = plane.publisher.registry
            let addresses = Set(addresses)
            let finder = FactFinder(plane: plane)
            let found = registry.holders(of: name, seenBy: viewer).prefix(Self.limit).flatMap { holder -> [Target] in
                guard let container = registry[holder.container],
                    let endpoint = holder.network.flatMap({ container.endpoint(on: $0) })
                else { return [] }
                let answered = endpoint.addresses.filter { addresses.contains($0.description) }
                // One of each family.
                let tried = [answered.first { !$0.isV6 }, answered.first(where: \.isV6)].compactMap(\.self)
                let member = finder.member(container)
                return tried.map {
                    Target(
                        service: Service(member, address: $0.description, listens: nil), container: holder.container)
                }
            }
            return Array(found.prefix(Self.limit))
        }
    }

    private func look(at targets: ArraySlice<Target>, _ found: [Service], _ done: @escaping ([Service]) -> Void) {
        guard let target = targets.first else { return done(found) }
        let rest = targets.dropFirst()
        var service = target.service
        listeners(of: target) { listens in
            service.listens = listens
            guard listens?.isEmpty == false || service.isOutside else {
                return self.look(at: rest, found + [service], done)
            }
            self.connect(to: target) { trial in
                service.reach = trial?.reach
                service.ledTo = trial?.ledTo
                service.wiring = self.wiring(to: target)
                self.look(at: rest, found + [service], done)
            }
        }
    }

    /// Finds out whether this host passes packets of containers on (`networking/ip-sysctl.rst`).
    private static func hostForwards(isV6: Bool) -> Bool? {
        let name = isV6 ? "ipv6/conf/all/forwarding" : "ipv4/ip_forward"
        guard let text = try? Files.readText("/proc/sys/net/\(name)", limit: 16) else { return nil }
        return !text.hasPrefix("0")
    }

    /// The way to a container, as it is behind the attempt to connect: the asker has looked for its neighbor then.
    private func wiring(to target: Target) -> WiringFacts? {
        guard let address = IPAddress(target.service.address), let container = target.container,
            let here = plane.containers.attached(asker)?.number,
            let there = plane.containers.attached(container)?.number
        else { return nil }
        return plane.discovery.wiring(from: here, to: there, at: address)
    }

    /// Addresses at which programs listen on the port; nil: they cannot be found out.
    private func listeners(of target: Target, then done: @escaping ([String]?) -> Void) {
        let (port, place) = (port, target.container.flatMap { plane.containers.namespace(of: $0) })
        if target.service.isOutside || target.container != nil && place == nil { return done(nil) }
        plane.requests.request { opener in
            Result { () throws(LinuxError) in
                guard let (identity, source) = place else {
                    return try opener.findListeners(onPort: port, in: try NetworkNamespace.current())
                }
                return try opener.findListeners(onPort: port, in: try source.openNamespace(identity, by: opener))
            }
        } late: {
            done(nil)
        } done: { (result: Result<[IPAddress], LinuxError>) in
            done((try? result.get())?.map(\.description))
        }
    }

    /// End of an attempt to connect.
    private struct Trial: Sendable {
        var reach: Service.Reach
        /// The asker's address in it; nil: none was chosen.
        var source: SocketAddress?
        /// The address and port that address translation leads it to; nil: where it was meant to go.
        var ledTo: String?
    }

    /// Tries to connect from inside the namespace of the container that asks; nil: it could not be tried.
    private func connect(to target: Target, then done: @escaping (Trial?) -> Void) {
        guard let address = IPAddress(target.service.address),
            let (identity, source) = plane.containers.namespace(of: asker)
        else { return done(nil) }
        let server = SocketAddress(address, port: port)
        let kind = SocketKind(isStream: true, isV6: address.isV6)
        plane.requests.request { opener in
            Result { () throws(LinuxError) -> Trial? in
                let namespace = try source.openNamespace(identity, by: opener)
                var batch = try opener.openSockets(in: namespace, kind, count: 1, isMarked: false)
                guard let socket = batch.take(kind) else { return nil }
                var trial = Trial(reach: Self.reach(server, by: socket))
                guard trial.reach != .open else { return trial }
                trial.source = try? socket.localAddress()
                let found = (try? opener.findTranslation(ofConnectionsTo: server, in: namespace)) ?? nil
                trial.ledTo = found?.destination
                return trial
            }
        } late: {
            done(nil)
        } done: { (result: Result<Trial?, LinuxError>) in
            guard var trial = (try? result.get()) ?? nil else { return done(nil) }
            guard trial.reach == .silent, trial.ledTo == nil, let source = trial.source else { return done(trial) }
            self.lookForWayBack(from: target, to: source) { hasWay in
                if !hasWay { trial.reach = .noWayBack("\(IPAddress(source))") }
                done(trial)
            }
        }
    }

    /// Finds out whether the service's namespace has a route to who asks, by a socket of its own: nothing is sent.
    private func lookForWayBack(
        from target: Target, to source: SocketAddress, then done: @escaping (Bool) -> Void
    ) {
        guard let (identity, place) = target.container.flatMap({ plane.containers.namespace(of: $0) }) else {
            return done(true)
        }
        let kind = SocketKind(isStream: false, isV6: IPAddress(source).isV6)
        plane.requests.request { opener in
            Result { () throws(LinuxError) in
                let namespace = try place.openNamespace(identity, by: opener)
                var batch = try opener.openSockets(in: namespace, kind, count: 1, isMarked: false)
                guard let socket = batch.take(kind) else { return true }
                do throws(LinuxError) {
                    try UDPSocket.connect(socket, to: source)
                    return true
                } catch {
                    return error.errno != .networkUnreachable && error.errno != .noRouteToHost
                }
            }
        } late: {
            done(true)
        } done: { (result: Result<Bool, LinuxError>) in
            done((try? result.get()) ?? true)
        }
    }

    /// Connects, and closes the connection at once.
    private static func reach(_ server: SocketAddress, by socket: borrowing Descriptor) -> Service.Reach {
        do throws(LinuxError) {
            try TCPSocket.connect(socket, to: server)
        } catch {
            return reach(error)
        }
        guard TCPSocket.waitForConnection(of: socket, milliseconds: patience) else { return .silent }
        return TCPSocket.connectionResult(of: socket).map(reach) ?? .open
    }

    private static func reach(_ error: LinuxError) -> Service.Reach {
        switch error.errno {
        case .connectionRefused: .refused
        case .networkUnreachable: .noRoute
        default: .unreachable("\(error.errno)")
        }
    }
}

extension IPAddress {
    /// True for an IPv6 address.
    fileprivate var isV6: Bool { if case .v6 = self { true } else { false } }
}
