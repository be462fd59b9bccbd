// From links and addresses to networks and containers. A plain value: messages in, differences out.

import DNSWire
import LinuxNet
import Registry

/// A namespace whose links and addresses are observed.
struct WatchedNamespace: Equatable, Sendable {
    /// Its number in the host's namespace.
    var id: NamespaceID
    /// The number of the host's namespace in it; ``NamespaceID/notAssigned`` while the kernel has given it none.
    var hostID: NamespaceID
    var cookie: NamespaceCookie
    /// The name of its file.
    var name: String
    var path: String
}

/// A difference, in the registry's terms.
enum KernelChange: Equatable, Sendable {
    case network(ObservedNetwork)
    case networkGone(InterfaceIndex)
    case container(ObservedContainer)
    /// Nothing of the container but addresses on its networks has changed.
    case readdressed(ObservedContainer)
    case containerGone(NamespaceCookie)
}

/// All links and addresses that are observed, and what follows from them.
///
/// A bridge of the host is a network, and so is the parent of containers' macvlan and ipvlan links; the host's end of a veth that
/// is in no bridge is one where it was declared. A link of a container is an endpoint while it and what it hangs on are up: the
/// host's end of a veth, a macvlan's parent. Everything is found by the numbers of links: ipvlans of one parent share a MAC address.
///
/// Taking a message in costs time in proportion to what it changes, ``takeChanges()`` in proportion to what has changed.
struct KernelTopology: Sendable {
    /// A container's namespace, and what was last said of it.
    struct Container: Sendable {
        var namespace: WatchedNamespace
        var state = KernelNamespace(limit: KernelNamespace.containerLimit)
        /// The links of the host that its own hang on.
        var parents: Set<UInt32> = []
        var endpoints: [Endpoint] = []
        var told: ObservedContainer?
    }

    /// Objects for ``takeChanges()`` to look at.
    struct Changed: Sendable {
        var containers: Set<NamespaceID> = []
        /// Namespaces with other addresses on a link that is not their `lo`.
        var readdressed: Set<NamespaceID> = []
        var networks: Set<UInt32> = []
        var goneContainers: [NamespaceCookie] = []
        /// Containers with a change of links or addresses that makes no difference to networks and endpoints, as that of `lo`.
        var touched: [NamespaceCookie] = []
    }

    /// A link of a container, and the network that it is on.
    struct Endpoint: Equatable, Sendable {
        var network: UInt32
        var link: String
        var addresses: [IPAddress]
    }

    var host = KernelNamespace()
    var containers: [NamespaceID: Container] = [:]
    /// Interfaces that may be networks.
    private(set) var selection: InterfaceSelection

    // Found from the other end.
    /// The host's links that are selected.
    var selected: Set<UInt32> = []
    /// The ports of each bridge.
    var ports: [UInt32: Set<UInt32>] = [:]
    /// The namespaces with links that hang on one of the host's.
    var children: [UInt32: Set<NamespaceID>] = [:]
    /// Number of endpoints on each network.
    var memberships: [UInt32: Int] = [:]
    var toldNetworks: [UInt32: ObservedNetwork] = [:]

    /// Namespaces with links that hang on another namespace's, of which it is not known whether that is the host's.
    private var namespacesWithoutHost: Set<NamespaceID> = []

    var changed = Changed()

    /// Links of the host that default routes lead out over: a change of one may end a route without a notification.
    var outlets: Set<UInt32> = []
    var haveOutletsChanged = false

    init(selection: InterfaceSelection) {
        self.selection = selection
    }

    /// Says anew which interfaces may be networks.
    mutating func select(_ selection: InterfaceSelection) {
        guard selection != self.selection else { return }
        let declarations = selection.declared.symmetricDifference(self.selection.declared)
        self.selection = selection
        for (index, link) in host.links {
            select(index, link)
            // A pair is a network by its declaration alone, whatever the patterns say.
            if link.kind == .veth, declarations.contains(link.name), let id = link.otherPlace {
                changed.containers.insert(id)
            }
        }
    }

    // MARK: - Namespaces

    /// Observes a namespace: its links and addresses are taken from now on. A dump shows those that are there.
    mutating func add(_ namespace: WatchedNamespace) {
        remove(namespace.id)
        containers[namespace.id] = Container(namespace: namespace)
        changed.containers.insert(namespace.id)
    }

    /// Its file has another name now.
    mutating func rename(_ id: NamespaceID, name: String, path: String) {
        containers[id]?.namespace.name = name
        containers[id]?.namespace.path = path
        changed.containers.insert(id)
    }

    /// Says which number the host has in a namespace.
    mutating func setHost(_ hostID: NamespaceID, in id: NamespaceID) {
        guard let container = containers[id], container.namespace.hostID != hostID else { return }
        containers[id]?.namespace.hostID = hostID
        changed.containers.insert(id)
    }

    /// Namespaces for which ``setHost(_:in:)`` is to be called, if the host has a number there.
    mutating func takeNamespacesWithoutHost() -> Set<NamespaceID> {
        defer { namespacesWithoutHost = [] }
        return namespacesWithoutHost
    }

    private mutating func noteParent(_ link: KernelLink, of id: NamespaceID) {
        guard link.hangsOnParent, link.otherPlace != nil, containers[id]?.namespace.hostID == .notAssigned else {
            return
        }
        namespacesWithoutHost.insert(id)
    }

    /// The namespace has ended, or is of no interest any more.
    mutating func remove(_ id: NamespaceID) {
        guard let container = containers.removeValue(forKey: id) else { return }
        settle(container, [])
        for parent in container.parents { forget(id, on: parent) }
        if let told = container.told { changed.goneContainers.append(told.cookie) }
    }

    /// Names of containers that have more links or addresses than are kept of one.
    var truncated: [String] { containers.values.filter(\.state.isTruncated).map(\.namespace.name).sorted() }

    // MARK: - Messages

    /// Takes in what the kernel says of links and addresses of a place; of places that are not observed, nothing.
    mutating func take(_ message: RouteMessage, from place: Place) {
        switch (message, place) {
        case (.link(let link), .host):
            let (hasChanged, old) = host.take(KernelLink(link), link.index)
            // A carrier that comes back revives next hops (RTNH_F_DEAD), and is nothing that is kept of a link.
            haveOutletsChanged = haveOutletsChanged || outlets.contains(link.index)
            if hasChanged { linkChanged(link.index, from: old, to: KernelLink(link)) }
        case (.linkDeleted(let link), .host):
            if let old = host.remove(link: link.index) { linkChanged(link.index, from: old, to: nil) }
        case (.address(let address), .host):
            if host.take(address) { hostChanged(address.link) }
        case (.addressDeleted(let address), .host):
            if host.remove(address) { hostChanged(address.link) }
        case (.link(let link), .namespace(let id)):
            noteParent(KernelLink(link), of: id)
            if containers[id]?.state.take(KernelLink(link), link.index).hasChanged == true {
                changed.containers.insert(id)
            }
        case (.linkDeleted(let link), .namespace(let id)):
            if containers[id]?.state.remove(link: link.index) != nil { changed.containers.insert(id) }
        case (.address(let address), .namespace(let id)):
            if containers[id]?.state.take(address) == true || address.isOnLoopback { addressChanged(address, in: id) }
        case (.addressDeleted(let address), .namespace(let id)):
            if containers[id]?.state.remove(address) == true || address.isOnLoopback { addressChanged(address, in: id) }
        case (.namespaceID, _), (.namespaceIDDeleted, _), (.defaultRoute, _), (.defaultRouteDeleted, _), (.neighbor, _):
            break
        }
    }

    private mutating func addressChanged(_ address: AddressMessage, in id: NamespaceID) {
        if address.isOnLoopback || KernelAddress(address).address.isLoopback {
            changed.containers.insert(id)
        } else {
            changed.readdressed.insert(id)
        }
    }

    /// A place has more links or addresses than are read of it.
    mutating func noteMore(in place: Place) {
        if case .namespace(let id) = place { containers[id]?.state.isTruncated = true }
    }

    /// All links and addresses of a place are told of from now on.
    mutating func beginDump(of place: Place) {
        switch place {
        case .host: host.beginDump()
        case .namespace(let id): containers[id]?.state.beginDump()
        }
    }

    /// All links and addresses of a place were told of: the others are gone.
    mutating func endDump(of place: Place) {
        switch place {
        case .host:
            let gone = host.endDump()
            for (index, link) in gone.links { linkChanged(index, from: link, to: nil) }
            for index in gone.addresses { hostChanged(index) }
        case .namespace(let id):
            guard let gone = containers[id]?.state.endDump(), !gone.links.isEmpty || !gone.addresses.isEmpty else {
                return
            }
            changed.containers.insert(id)
        }
    }
}
