// Facts about containers and names as the control plane knows them, for explain and doctor.

import Attachment
import ControlAPI
import DNSWire
import Diagnosis
import Forwarding
import LinuxNet
import Registry

/// Looks up what the control plane knows, and changes nothing.
struct FactFinder {
    let plane: ControlPlane

    private var registry: Registry { plane.publisher.registry }

    // MARK: - Containers

    /// A container with its networks and its links.
    func member(_ container: Registry.Container) -> Member {
        let links = plane.containers.attached(container.id)?.number.map { plane.discovery.links(of: $0) } ?? []
        return Member(
            container.name, at: place(of: container),
            on: container.endpoints.compactMap { registry[$0.network]?.name },
            left: registry.networksLeft(by: container),
            links: links.map { link in
                var link = link
                link.network = link.interface.flatMap { registry.network(ofInterface: $0)?.name }
                return link
            })
    }

    /// A container that is declared and waited for.
    func member(_ declaration: Attachment.Declaration) -> Member {
        Member(declaration.name, at: CommandPlace(declaration.source), on: [])
    }

    private func place(of container: Registry.Container) -> CommandPlace? {
        guard let namespace = plane.containers.namespaceOfContainer[container.id],
            let attachment = plane.containers.room[namespace]
        else { return nil }
        return attachment.path.map { .path($0) } ?? CommandPlace(attachment.source)
    }

    /// A container of this name that is not there.
    func absence(of name: String) -> Absence? {
        let same = { (other: String) in other.lowercased() == name.lowercased() }
        if let waiting = plane.containers.room.waiting.first(where: { same($0.declaration.name) }) {
            return .waiting(why: "\(waiting.failure)")
        }
        let unattached = plane.containers.room.unattached
        if let found = unattached.first(where: { same(Attachments.name(of: $0.path)) }) {
            return .unattached(path: found.path, found.failure)
        }
        if let absence = plane.namespaces.absence(ofNamespaceNamed: name) { return absence }
        return plane.containers.room.ended.last { same($0.name) }.map {
            .ended(
                why: $0.why, seconds: Int($0.at.duration(to: .now).components.seconds), place: "\($0.source)")
        }
    }

    /// The name of a container that is spelled nearly so.
    func nearContainer(_ text: String) -> String? {
        Spelling.suggestion(for: text, among: registry.containers.prefix(Self.nameLimit).map(\.name))
    }

    /// Names that are compared with one that nobody has.
    private static let nameLimit = 10_000

    // MARK: - Names

    /// Containers behind a name: those that the asker is answered with first.
    func holders(of name: Name, for asker: Registry.Container) -> [Diagnosis.Holder] {
        registry.holderFacts(of: name, for: asker, member)
    }

    /// A name that the asker sees and that is spelled nearly as this one.
    func near(_ name: Name, for asker: Registry.Container) -> String? {
        registry.nearName(name, seenBy: asker, limit: Self.nameLimit)
    }

    // MARK: - Containers without names

    /// Namespaces that were found by files that a runtime numbers, and of whose containers nobody tells; none while an adapter
    /// tells of that runtime's: it will tell of them.
    var unnamed: [String] { registry.containers.compactMap { unnamedPath(of: $0) } }

    /// Those on the networks of a container.
    func unnamed(seenBy asker: Registry.Container) -> [String] {
        let networks = Set(asker.endpoints.map(\.network))
        return registry.containers.compactMap { container in
            container.endpoints.contains { networks.contains($0.network) } ? unnamedPath(of: container) : nil
        }
    }

    private func unnamedPath(of container: Registry.Container) -> String? {
        guard container.source == nil, let observed = container.observed, !observed.isNamed else { return nil }
        let runtime = Runtime(ofNamespaceAt: observed.path)
        let isTold = plane.sources.list.contains { $0.name == runtime?.rawValue && $0.lastHeard != nil }
        return isTold ? nil : observed.path
    }

    // MARK: - Networks and policies

    /// True when the policy of a container denies names of its own networks that have no rule.
    func isPolicyStrict(of asker: Registry.Container) -> Bool { registry.isPolicyStrict(of: asker) }

    /// A network that may forward.
    var openNetwork: String? { registry.networks.first { !$0.isInternal }?.name }

    // MARK: - Upstreams

    /// The servers of a group as a container's questions reach them, in their order.
    func servers(of group: UInt32, for container: ContainerID, _ reports: [UpstreamReport]) -> [Diagnosis.Server] {
        guard let list = plane.upstreams.groups[group] else { return [] }
        var vantage = list.origin == .host ? Vantage.host : .namespace(container.view.rawValue)
        var servers = list.servers
        if list.origin == .former {
            servers = plane.upstreams.former.servers(of: container)
            if servers.isEmpty, let standIn = list.standIn {
                return self.servers(of: standIn, for: container, reports)
            }
            vantage = .namespace(container.view.rawValue)
        }
        return servers.map { server in
            Server(server, reports.filter { $0.server == server && $0.vantage == vantage })
        }
    }
}

extension CommandPlace {
    init(_ source: NamespaceSource) {
        switch source {
        case .path(let path): self = .path(path)
        case .pid(let pid): self = .pid(pid)
        }
    }
}

extension Diagnosis.Server {
    /// The findings of workers about a server, each of which has its own. One that has not asked it since it failed does not know
    /// that another has got a reply.
    init(_ server: ServerAddress, _ reports: [UpstreamReport]) {
        let replied = reports.compactMap(\.lastReply).max()
        let failing = reports.filter { report in
            guard let failed = report.lastFailure, let replied else { return true }
            return failed >= replied
        }
        let worst = failing.max { $0.failures < $1.failures }
        self.init(
            "\(server)", failures: worst?.failures ?? 0, trouble: worst?.trouble.map { Trouble($0) },
            since: failing.compactMap(\.failingSince).min().map { WallClock.shown($0.nanoseconds) },
            wrongReplies: failing.reduce(0) { $0 + $1.wrongReplies },
            isResting: reports.contains(where: \.isResting), isLooping: reports.contains(where: \.isAvoided))
    }
}

extension Diagnosis.Server.Trouble {
    init(_ trouble: UpstreamTrouble) {
        switch trouble {
        case .silent: self = .silent
        case .refused: self = .refused
        case .unreachable: self = .unreachable
        }
    }
}
