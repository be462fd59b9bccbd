// Whom each group of questions is put to: as configured, or as the host does.

import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry

extension ControlPlane {
    /// The host's resolv.conf is another: so are its upstreams, and what containers have from it.
    func takeResolverChange() {
        let old = hostResolver.configuration
        guard hostResolver.update() else { return }
        if hostResolver.configuration != old { containers.rewriteResolverFiles() }
        forgetLoops()
        upstreamsChanged = true
        publish()
        // Also where the file says the same: systemd-resolved's stub stays when the servers behind it are others.
        if configuration.forward.upstreams.isEmpty {
            workers.ask(workers.indices, { .flush(token: $0, .everything) }) { _ in }
        }
    }

    /// Tells the workers which upstreams each group has, where that has changed.
    func publishUpstreams() {
        var groups = [UpstreamGroupID.default.rawValue: defaultUpstreams]
        for group in registry.upstreamGroups {
            groups[group.id.rawValue] = list(group.upstreams, from: group.from ?? configuration.forward.from)
        }
        for (group, list) in groups where upstreamGroups[group] != list {
            if list.servers.isEmpty, list.origin == .namespace { warnOfLoopback() }
            workers.post(.upstreams(group: group, list))
        }
        for group in upstreamGroups.keys where groups[group] == nil {
            workers.post(.upstreams(group: group, nil))
        }
        upstreamGroups = groups
        upstreamsChanged = false
    }

    /// Domains that the host's own upstreams know, though they are under the domain of containers or `local`: its search
    /// domains and those of clouds. None where the configuration has upstreams of its own.
    var hostDomains: [Name] {
        guard configuration.forward.upstreams.isEmpty else { return [] }
        return hostResolver.configuration.search.compactMap { try? Name($0) } + Registry.cloudDomains
    }

    private func warnOfLoopback() {
        logger.warning(
            "upstreams of \(HostResolver.path) on the host's loopback cannot be asked from a container's namespace; give [forward] or its network others"
        )
    }

    /// The upstreams of all networks that have none of their own.
    private var defaultUpstreams: UpstreamList { list([], from: configuration.forward.from) }

    /// A list of these servers; of those of all, where there are none; else of the host's.
    private func list(_ servers: [ServerAddress], from: ForwardFrom) -> UpstreamList {
        var list = UpstreamList(servers: servers.isEmpty ? configuration.forward.upstreams : servers)
        list.origin = from == .host ? .host : .namespace
        // In a container's namespace that is our own listener.
        if from == .namespace { list.servers.removeAll { $0.isIntercom } }
        if list.servers.isEmpty {
            let host = hostResolver.configuration
            // The host's loopback is another in a container.
            list.servers = host.nameservers.filter { from == .host || !$0.address.isLoopback }
            list.rotates = host.options.contains("rotate")
            list.usesStreams = host.options.contains("use-vc")
            // Who waits longer has servers that need longer; containers wait as long, by the same line of theirs. A shorter
            // time is when a libc turns to the next server, which we do by each server's own measure.
            if let timeout = host.timeout {
                list.patience = max(list.patience, .seconds(timeout) - .milliseconds(500))
            }
        }
        return list
    }
}
