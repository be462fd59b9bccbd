// Containers that sources tell of, and keys by which a container or a network is the same one in the next telling.

package import DNSWire

/// A container that a source tells of. The source knows it by its id: its name may change.
package struct PublicationKey: Hashable, Comparable, Sendable {
    /// The source's name.
    package let source: String
    /// Id that its runtime gave it.
    package let id: String

    package init(source: String, id: String) {
        self.source = source
        self.id = id
    }

    package static func < (left: Self, right: Self) -> Bool { (left.source, left.id) < (right.source, right.id) }
}

/// A network that a source tells of, by its name.
struct NetworkPublication: Hashable, Sendable {
    let source: Source
    let name: Name
}

/// The upstream group of containers that have the same servers of their own.
struct OwnGroup: Sendable {
    let id: UpstreamGroupID
    /// Number of these containers.
    var users: Int
}

extension ContainerDefinition {
    /// Its key among what sources tell of; nil: it was declared.
    package var publication: PublicationKey? {
        guard case .publisher(let source) = source, let id else { return nil }
        return PublicationKey(source: source, id: id)
    }
}

extension [ContainerDefinition] {
    /// Puts a definition in its place: guests stand behind the others, each in the order of their keys.
    mutating func put(_ definition: ContainerDefinition) {
        removeAll { $0.publication == definition.publication }
        let place = firstIndex { other in
            guard let key = other.publication, let new = definition.publication else { return false }
            return definition.isGuest == other.isGuest ? new < key : !definition.isGuest
        }
        insert(definition, at: place ?? endIndex)
    }
}

extension Registry {
    // MARK: - Containers

    /// Takes in what a source tells of a container: a new one, or in the place of what it told before. It is the container
    /// whose namespace this is, if there is one; else the one that it was before.
    /// - Parameters:
    ///   - definition: of a ``Source/publisher(_:)``, with its id.
    ///   - cookie: that of its namespace; nil where the namespace is not known, or not on this machine.
    ///   - host: the container whose namespace it shares; nil: it has its own, or none.
    /// - Returns: its number; nil where the definition is of no source.
    @discardableResult
    package mutating func publish(
        _ definition: ContainerDefinition, cookie: NamespaceCookie? = nil, host: PublicationKey? = nil
    ) -> ContainerID? {
        guard let key = definition.publication else { return nil }
        let present = containerOfPublication[key]
        let shared = host.flatMap { containerOfPublication[$0] }
        let id =
            cookie.flatMap { containerOfCookie[$0] } ?? shared ?? present
            ?? ContainerID(rawValue: containerNumbers.take())
        var moved = [definition]
        var isDrained = false
        var connections: [EndpointDefinition] = []
        if let present, present != id, let container = containerStates[present] {
            // Those that share its namespace go where it goes.
            isDrained = container.isPublishedAlone && container.isDrained
            connections = container.isPublishedAlone ? container.connections : []
            let guests = container.isPublishedAlone ? container.published.filter { $0.publication != key } : []
            moved += guests
            change(present) { old in old.published.removeAll { moved.map(\.publication).contains($0.publication) } }
        }
        for definition in moved { if let key = definition.publication { containerOfPublication[key] = id } }
        change(id) { new in
            for definition in moved { new.published.put(definition) }
            if let cookie { new.cookie = cookie }
            new.isDrained = new.isDrained || isDrained
            new.connections += connections
        }
        return id
    }

    /// Takes back what a source told of a container. What others say of it stays.
    package mutating func unpublish(container key: PublicationKey) {
        guard let id = containerOfPublication.removeValue(forKey: key) else { return }
        change(id) { $0.published.removeAll { $0.publication == key } }
    }

    /// Leaves a container out of names that others serve, too, on an operator's word.
    package mutating func drain(_ container: ContainerID) {
        if containerStates[container] != nil { change(container) { $0.isDrained = true } }
    }

    /// The container that a source tells of under an id.
    package func container(published key: PublicationKey) -> Container? {
        containerOfPublication[key].flatMap { containerStates[$0] }
    }

    // MARK: - Upstreams

    /// The group for a container's own upstreams; nil where it has none.
    mutating func ownGroup(of new: Container, before old: Container) -> UpstreamGroupID? {
        let (before, servers) = (old.ownUpstreams, new.ownUpstreams)
        guard before != servers else { return old.group }
        if !before.isEmpty {
            ownGroups[before]?.users -= 1
            if ownGroups[before]?.users == 0 {
                ownGroups[before] = nil
                haveOwnGroupsChanged = true
            }
        }
        guard !servers.isEmpty else { return nil }
        if ownGroups[servers] == nil {
            lastGroup = UpstreamGroupID(rawValue: lastGroup.rawValue + 1)
            ownGroups[servers] = OwnGroup(id: lastGroup, users: 0)
            haveOwnGroupsChanged = true
        }
        ownGroups[servers]?.users += 1
        return ownGroups[servers]?.id
    }
}

extension Registry.Container {
    /// DNS servers of it alone; empty: those of its networks.
    package var ownUpstreams: [ServerAddress] { published.first { !$0.upstreams.isEmpty }?.upstreams ?? [] }
}
