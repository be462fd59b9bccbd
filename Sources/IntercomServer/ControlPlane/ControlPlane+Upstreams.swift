// Whom each group of questions is put to: as configured, or as the host does.

import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry

extension ControlPlane {
    /// The host's resolv.conf is another: so are its upstreams, and what containers have from it.
    func takeResolverChange() {
        guard hostResolver.update() else { return }
        upstreamsChanged = true
        rewriteResolverFiles()
        publish {}
    }

    /// Tells the workers which upstreams each group has, where that has changed.
    func publishUpstreams() {
        var groups = [UpstreamGroupID.default.rawValue: defaultUpstreams]
        for group in registry.upstreamGroups { groups[group.id.rawValue] = UpstreamList(servers: group.upstreams) }
        for (group, list) in groups where upstreamGroups[group] != list {
            for worker in workers { worker.inbox.post(.upstreams(group: group, list)) }
        }
        for group in upstreamGroups.keys where groups[group] == nil {
            for worker in workers { worker.inbox.post(.upstreams(group: group, nil)) }
        }
        upstreamGroups = groups
        upstreamsChanged = false
    }

    /// The upstreams of all networks that have none of their own.
    private var defaultUpstreams: UpstreamList {
        let configured = configuration.defaultUpstreams
        guard configured.isEmpty else { return UpstreamList(servers: configured) }
        let host = hostResolver.configuration
        return UpstreamList(servers: host.nameservers, rotates: host.options.contains("rotate"))
    }
}
