// The cluster and containers of other hosts, as the control interface shows them.

import ControlAPI
import DNSWire
import Registry

extension Cluster {
    /// State of the bridge; nil where no network is shared.
    var description: ListHosts.Cluster? {
        guard isInUse else { return nil }
        let registry = publisher.registry
        let report = session?.report
        return ListHosts.Cluster(
            host: registry.ownHost, agent: session.map { "\($0.bridge.agent) \($0.bridge.version)" },
            state: session == nil ? "no bridge" : report?.state.rawValue ?? "attached", message: report?.message,
            synced: registry.isClusterKnown, networks: registry.sharedNetworkNames.map(\.textWithoutDot),
            hosts: registry.remoteHostCount, lost: registry.lostHostCount, entries: registry.remoteCount,
            limit: settings.maximumEntries, refused: refused.count,
            lastRefusal: refused.count > 0 ? refused.last : nil, lag: report?.lag)
    }
}

extension Cluster {
    /// A container of another host.
    func describe(_ remote: Registry.Remote) -> ControlAPI.Container {
        let host = publisher.registry.host(of: remote)
        let networks = publisher.registry.endpoints(of: remote).map {
            ControlAPI.Container.Endpoint(
                network: $0.network, addresses: $0.addresses.map(\.description), aliases: $0.aliases,
                names: publisher.registry.names(of: remote, aliases: $0.aliases))
        }
        var container = ControlAPI.Container(
            name: remote.name, id: remote.runtimeID, hostname: remote.hostname, netns: nil, pid: nil,
            networks: networks, links: [],
            ports: remote.ports.map {
                Port(port: Int($0.number), protocol: $0.transport.rawValue, service: $0.service)
            },
            resolvConf: nil, listener: nil, listen: "auto", draining: remote.isDraining,
            state: host?.isLost == true ? "lost" : remote.isDraining ? "draining" : "elsewhere", reason: nil, cure: nil,
            source: "cluster", facts: [])
        container.host = host?.name
        container.hostAddress = host?.address?.description
        return container
    }

    /// The other hosts whose containers answer for a name, as they are shown behind an answer's source:
    /// `, on host b (192.0.2.2)`; empty: there are none.
    func hosts(of name: String, seenBy container: String) -> String {
        let registry = publisher.registry
        guard registry.remoteCount > 0, let asker = try? publisher.container(named: container),
            let name = try? Name(name)
        else { return "" }
        let hosts = registry.hosts(of: name, seenBy: asker).map { host in
            host.name + (host.address.map { " (\($0))" } ?? "")
        }
        return hosts.isEmpty ? "" : ", on \(hosts.count == 1 ? "host" : "hosts") \(hosts.joined(separator: ", "))"
    }
}
