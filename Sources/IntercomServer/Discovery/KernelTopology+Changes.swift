// From links and addresses to endpoints and networks, and their differences.

import DNSWire
import LinuxNet
import Registry

extension KernelTopology {
    // MARK: - The host's links

    /// A link of the host, or an address of it, is another.
    mutating func hostChanged(_ index: UInt32) {
        changed.networks.insert(index)
        haveOutletsChanged = haveOutletsChanged || outlets.contains(index)
    }

    /// True once when a link of ``outlets``, or an address of one, has changed.
    mutating func takeOutletChange() -> Bool {
        defer { haveOutletsChanged = false }
        return haveOutletsChanged
    }

    /// A link of the host has come, has changed or has gone: who hangs on it is looked at again.
    mutating func linkChanged(_ index: UInt32, from old: KernelLink?, to new: KernelLink?) {
        hostChanged(index)
        if old?.master != new?.master {
            if let master = old?.master { remove(index, from: \.ports, of: master) }
            if let master = new?.master { ports[master, default: []].insert(index) }
        }
        for end in [old, new] where end?.kind == .veth {
            if let id = end?.otherPlace { changed.containers.insert(id) }
        }
        if let new { select(index, new) } else { selected.remove(index) }
        if old?.kind != new?.kind || old?.isUp != new?.isUp { membersChanged(of: index) }
    }

    /// Finds out anew whether an interface may be a network.
    mutating func select(_ index: UInt32, _ link: KernelLink) {
        let isSelected = selection.selects(link.name)
        guard isSelected != selected.contains(index) else { return }
        if isSelected { selected.insert(index) } else { selected.remove(index) }
        changed.networks.insert(index)
        membersChanged(of: index)
    }

    private mutating func membersChanged(of index: UInt32) {
        for port in ports[index] ?? [] {
            if let id = host.links[port]?.otherPlace { changed.containers.insert(id) }
        }
        changed.containers.formUnion(children[index] ?? [])
    }

    private mutating func remove<Element>(
        _ element: Element, from table: WritableKeyPath<KernelTopology, [UInt32: Set<Element>]>, of owner: UInt32
    ) {
        self[keyPath: table][owner]?.remove(element)
        if self[keyPath: table][owner]?.isEmpty == true { self[keyPath: table][owner] = nil }
    }

    // MARK: - Endpoints

    /// The endpoints of a container's links, in the order of the links' numbers.
    private func endpoints(of container: Container) -> [Endpoint] {
        container.state.links.sorted { $0.key < $1.key }.compactMap { index, link in
            guard let network = network(of: link, index, in: container.namespace) else { return nil }
            let addresses = container.state.addresses[index] ?? []
            return Endpoint(
                network: network, link: link.name, addresses: Set(addresses.map(\.address)).sorted())
        }
    }

    /// The network of a container's link; nil while it is on none.
    private func network(of link: KernelLink, _ index: UInt32, in namespace: WatchedNamespace) -> UInt32? {
        guard link.isUp, let other = host.links[link.other], other.isUp else { return nil }
        if link.hangsOnParent {
            return namespace.isHost(link.otherPlace) && selected.contains(link.other) ? link.other : nil
        }
        // A veth's end counts where each end says it is the other's.
        guard link.kind == .veth, other.kind == .veth, other.other == index, other.otherPlace == namespace.id else {
            return nil
        }
        // A pair alone is a network only where somebody said so: its host's end stands for it.
        guard let master = other.master else { return selection.declared.contains(other.name) ? link.other : nil }
        guard selected.contains(master), let bridge = host.links[master],
            bridge.kind == .bridge || selection.declared.contains(bridge.name)
        else { return nil }
        return master
    }

    /// Facts for the registry about a network; nil: it is none.
    private func network(_ index: UInt32) -> ObservedNetwork? {
        guard selected.contains(index), let link = host.links[index] else { return nil }
        // A parent is a network while somebody is on it; one that was declared, always.
        guard link.kind == .bridge || memberships[index] != nil || selection.declared.contains(link.name) else {
            return nil
        }
        // From the host's side alone: a container's root gives its links any address, and does not say with it which reverse
        // names its neighbours may ask for.
        let subnets = Set((host.addresses[index] ?? []).compactMap(\.subnet))
        return ObservedNetwork(
            interface: InterfaceIndex(rawValue: index), interfaceName: link.name, alias: link.alias,
            subnets: subnets.sorted { ($0.address, $0.prefixLength) < ($1.address, $1.prefixLength) },
            // A parent's own packets do not reach its macvlan and ipvlan links.
            hostAddresses: link.kind == .bridge || children[index] == nil
                ? Set((host.addresses[index] ?? []).map(\.address)).sorted() : [])
    }

    // MARK: - Differences

    /// Changes since the last call: first networks, then containers, then removals.
    mutating func takeChanges() -> [KernelChange] {
        var changes = changed.goneContainers.map { KernelChange.containerGone($0) }
        changed.goneContainers = []
        let observed = takeContainers()
        var gone: [KernelChange] = []
        for index in changed.networks {
            let network = network(index)
            guard network != toldNetworks[index] else { continue }
            toldNetworks[index] = network
            if let network {
                changes.append(.network(network))
            } else {
                gone.append(.networkGone(InterfaceIndex(rawValue: index)))
            }
        }
        changed.networks = []
        return changes + observed + gone
    }

    /// Containers whose links or addresses changed since the last call, without a difference in ``takeChanges()``.
    mutating func takeTouched() -> [NamespaceCookie] {
        defer { changed.touched = [] }
        return changed.touched
    }

    private mutating func takeContainers() -> [KernelChange] {
        var changes: [KernelChange] = []
        for id in changed.containers.union(changed.readdressed) {
            guard let container = containers[id] else { continue }
            let endpoints = endpoints(of: container)
            settle(container, endpoints)
            follow(container)
            let observed = ObservedContainer(
                cookie: container.namespace.cookie, name: container.namespace.name, path: container.namespace.path,
                endpoints: endpoints.map {
                    ObservedEndpoint(
                        network: InterfaceIndex(rawValue: $0.network), link: $0.link, addresses: $0.addresses)
                })
            containers[id]?.endpoints = endpoints
            guard observed != container.told else {
                changed.touched.append(observed.cookie)
                continue
            }
            containers[id]?.told = observed
            changes.append(changed.containers.contains(id) ? .container(observed) : .readdressed(observed))
        }
        changed.containers = []
        changed.readdressed = []
        return changes
    }

    /// Takes a container off the networks that it was on, and puts it on those that it is on.
    mutating func settle(_ container: Container, _ endpoints: [Endpoint]) {
        guard endpoints != container.endpoints else { return }
        for endpoint in endpoints {
            memberships[endpoint.network, default: 0] += 1
            changed.networks.insert(endpoint.network)
        }
        for endpoint in container.endpoints {
            memberships[endpoint.network, default: 1] -= 1
            if memberships[endpoint.network] == 0 { memberships[endpoint.network] = nil }
            changed.networks.insert(endpoint.network)
        }
    }

    /// Notes which of the host's links the links of a container hang on.
    private mutating func follow(_ container: Container) {
        let links = container.state.links.values
        let parents = Set(
            links.filter { $0.hangsOnParent && container.namespace.isHost($0.otherPlace) }.map(\.other))
        guard parents != container.parents else { return }
        let id = container.namespace.id
        for parent in container.parents.subtracting(parents) { forget(id, on: parent) }
        for parent in parents { children[parent, default: []].insert(id) }
        containers[id]?.parents = parents
    }

    /// A namespace has no link any more that hangs on one of the host's.
    mutating func forget(_ id: NamespaceID, on parent: UInt32) {
        remove(id, from: \.children, of: parent)
    }
}

extension WatchedNamespace {
    /// True when a number of this namespace is the host's.
    func isHost(_ id: NamespaceID?) -> Bool { id == hostID && hostID != .notAssigned }
}
