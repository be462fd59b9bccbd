// Upstreams: groups, and the routing domains that have a group of their own.

package import DNSWire

/// A group of upstreams, and what it is for.
package struct UpstreamGroup: Sendable, Equatable {
    /// Its number, for good.
    package var id: UpstreamGroupID
    /// Asked in this order; empty: those of all.
    package var upstreams: [ServerAddress]
    /// Namespace from which they are asked; nil: the default.
    package var from: ForwardFrom?
    /// The network whose group it is; nil: all.
    package var network: String?
    /// The domain of the route whose group it is; nil: all names that are under no route.
    package var domain: Name?
}

extension Registry {
    /// Sets the routes that hold for all networks. For a domain that has two, that of the network comes first.
    package mutating func setRoutes(_ new: [RouteDefinition]) {
        guard new != routes else { return }
        routes = new
        routeGroups = groups(for: new.map(\.domain), keeping: routeGroups)
        routesChanged = true
    }

    /// Sets whether a container has former servers: those that its questions went to before they were led to us.
    package mutating func setFormerServers(_ hasFormerServers: Bool, of container: ContainerID) {
        guard let known = containerStates[container], known.hasFormerServers != hasFormerServers else { return }
        containerStates[container]?.hasFormerServers = hasFormerServers
        changedViews.insert(container)
    }

    /// Sets the domains that are asked of the host's upstreams although their names would be denied here: the host's search
    /// domains and those of clouds under `internal`.
    /// - Parameters:
    ///   - new: the domains.
    ///   - forContainers: false where the configuration names other upstreams for all: then they are the host's own alone.
    package mutating func setHostDomains(_ new: [Name], forContainers: Bool = true) {
        let domains = new.filter { $0 != .root }
        guard domains != hostDomains || forContainers != containersFollowHost else { return }
        hostDomains = domains
        containersFollowHost = forContainers
        hostDomainsChanged = true
    }

    /// Domains of clouds for their machines' names, under the domain that is ours by default: Google's metadata server and
    /// machines, Amazon's in us-east-1 and elsewhere.
    package static let cloudDomains = ["google.internal", "ec2.internal", "compute.internal"]
        .compactMap { try? Name($0) }

    /// All groups but the default one, whose upstreams the registry does not know.
    package var upstreamGroups: [UpstreamGroup] {
        var all = routes.compactMap { route in
            routeGroups[route.domain].map {
                UpstreamGroup(id: $0, upstreams: route.upstreams, network: nil, domain: route.domain)
            }
        }
        for network in networkStates.values {
            guard let declared = network.definition else { continue }
            for (domain, group) in network.groups {
                let route = declared.routes.first { $0.domain == domain }
                all.append(
                    UpstreamGroup(
                        id: group, upstreams: route?.upstreams ?? declared.upstreams, from: declared.forwardFrom,
                        network: declared.name, domain: route?.domain))
            }
        }
        // Servers of a container's own are where the container is: in a VPN, or behind its network's gateway.
        all += ownGroups.map { UpstreamGroup(id: $0.value.id, upstreams: $0.key, from: .namespace) }
        return all.sorted { $0.id.rawValue < $1.id.rawValue }
    }

    /// True when groups of containers' own servers have come or gone since the last call.
    package mutating func takeOwnGroupChange() -> Bool {
        defer { haveOwnGroupsChanged = false }
        return haveOwnGroupsChanged
    }

    // MARK: - For this room

    /// The groups of a network that is declared so.
    mutating func groups(
        for network: NetworkDefinition, keeping old: [Name: UpstreamGroupID]
    ) -> [Name: UpstreamGroupID] {
        let hasOwn = !network.upstreams.isEmpty || network.forwardFrom != nil
        return groups(for: network.routes.map(\.domain) + (hasOwn ? [.root] : []), keeping: old)
    }

    /// A group for each domain: the one that it had, else a new one.
    private mutating func groups(
        for domains: [Name], keeping old: [Name: UpstreamGroupID]
    ) -> [Name: UpstreamGroupID] {
        var groups: [Name: UpstreamGroupID] = [:]
        for domain in domains where groups[domain] == nil {
            if let kept = old[domain] {
                groups[domain] = kept
            } else {
                lastGroup = UpstreamGroupID(rawValue: lastGroup.rawValue + 1)
                groups[domain] = lastGroup
            }
        }
        return groups
    }

    /// The routes of all networks for the directories.
    var compiledRoutes: [RoutingDomain] {
        routes.compactMap { route in
            routeGroups[route.domain].map { RoutingDomain(domain: route.domain, upstreams: $0) }
        }
    }

    /// The routes of one network for the directories: none where it is internal.
    func compiledRoutes(of network: Network) -> [RoutingDomain] {
        guard let declared = network.definition, !declared.isInternal else { return [] }
        return declared.routes.compactMap { route in
            network.groups[route.domain].map { RoutingDomain(domain: route.domain, upstreams: $0) }
        }
    }
}
