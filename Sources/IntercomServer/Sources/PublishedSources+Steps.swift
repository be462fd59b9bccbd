// Steps of publications: one container or network comes, changes or goes, in the registry and in its namespace.

import Attachment
import ControlAPI
import Logging
import Registry

extension PublishedSources {
    /// Changes one network or container.
    func carryOut(_ step: PublicationStep, of source: String) {
        switch step {
        case .putNetwork(let network): put(network, of: source)
        case .dropNetwork(let name):
            guard let old = said[source]?.networks.removeValue(forKey: name) else { return }
            publisher.registry.unpublish(network: old.definition.name, of: .publisher(source))
        case .put(let item): put(item, of: source)
        case .drop(let id): drop(id, of: source)
        }
    }

    private func put(_ network: PublishedSegment, of source: String) {
        said[source, default: Said()].networks[Publication.folded(network.parameters.name)] = network
        do throws(RegistryError) {
            try publisher.registry.publish(network.definition)
        } catch {
            // Its definition was checked when it came.
            logger.error("network \(network.parameters.name) of source \(source): \(error)")
        }
    }

    // MARK: - Containers

    /// Takes a container in: a new one, or in the place of what the source said before. Its listener stays while its
    /// namespace is reached in the same way.
    func put(_ item: PublishedItem, of source: String, before place: AttachedNamespace? = nil) {
        var item = item
        let (key, id) = (item.key(of: source), item.parameters.id)
        let old = said[source]?.containers[id]
        let staysReached = old.map { item.staysReached(after: $0) } ?? false
        if let old, !staysReached { leave(old, key) }
        if staysReached { item.number = old?.number }
        said[source, default: Said()].containers[id] = item
        ended.remove(key)
        tellers[id, default: []].insert(source)
        if let joined = item.joinedID { joiners[joined, default: []].insert(key) }
        let definition = show(item, key)
        if let number = item.number {
            containers.redefine(number, definition)
        } else if let way = item.way {
            enter(item, by: way, key, before: place)
        }
        if !staysReached, item.way != nil { replaceJoiners(of: id) }
    }

    private func drop(_ id: String, of source: String) {
        guard let item = said[source]?.containers.removeValue(forKey: id) else { return }
        tellers[id]?.remove(source)
        if tellers[id]?.isEmpty == true { tellers[id] = nil }
        ended.remove(item.key(of: source))
        leave(item, item.key(of: source))
        if item.way != nil { replaceJoiners(of: id) }
    }

    /// Takes a container out of its namespace and out of the registry.
    private func leave(_ item: PublishedItem, _ key: PublicationKey) {
        if let number = item.number { containers.remove(number) }
        if let joined = item.joinedID {
            joiners[joined]?.remove(key)
            if joiners[joined]?.isEmpty == true { joiners[joined] = nil }
        }
        publisher.registry.unpublish(container: key)
    }

    /// Declares a container's namespace, which is entered after this call.
    private func enter(
        _ item: PublishedItem, by way: NamespaceSource, _ key: PublicationKey, before: AttachedNamespace?
    ) {
        // Until it has been attached once after a restart.
        var place = before
        let number = containers.declare(
            item.definition, at: way, resolverFile: nil, isStanding: true, before: before
        ) { [unowned self] outcome in
            // A declaration from before may still be told that it has ended.
            switch outcome {
            case .attached(let container):
                attached(key, container, place)
                place = nil
            case .failed(_, .notThere):
                if place != nil { vanish(key) } else if case .pid = way { ended(key) }
            case .failed: break
            case .ended: ended(key)
            }
        }
        said[key.source]?.containers[key.id]?.number = number
    }

    /// Keeps where a container was attached; after a restart takes it back where another has its place.
    private func attached(_ key: PublicationKey, _ container: ContainerID, _ before: AttachedNamespace?) {
        guard let item = said[key.source]?.containers[key.id], let attached = containers.attached(container) else {
            return
        }
        if let before, !attached.isSame(as: before) { return vanish(key) }
        ended.remove(key)
        said[key.source]?.containers[key.id]?.hasEnded = false
        guard let namespace = containers.namespaceOfContainer[container] else { return }
        keep(
            item, of: key.source,
            at: AttachedNamespace(
                container: key.id, inode: namespace.inode, cookie: attached.cookie.rawValue,
                processStart: attached.processStart))
        replaceJoiners(of: key.id)
    }

    /// Notes that a container's namespace has ended, or is not there: its names go. One that came by a process does not come
    /// back under this number; one that came by a path may, within the ten minutes for which it is shown.
    private func ended(_ key: PublicationKey) {
        guard let item = said[key.source]?.containers[key.id] else { return }
        said[key.source]?.containers[key.id]?.hasEnded = true
        ended.add(key, now: .now)
        publisher.registry.unpublish(container: key)
        if case .pid? = item.way, let number = item.number {
            said[key.source]?.containers[key.id]?.number = nil
            containers.remove(number)
            showEnd(of: item, key)
        }
        replaceJoiners(of: key.id)
    }

    /// Shows a container among those that ended, also where its process was gone when its source told of it.
    private func showEnd(of item: PublishedItem, _ key: PublicationKey) {
        let name = item.definition.name
        guard let way = item.way, !containers.room.ended.contains(where: { $0.name == name }) else { return }
        containers.room.remember(
            .init(name: name, source: way, declarer: key.source, why: "its process has exited", at: .now))
    }

    /// Takes back a container that was there before a restart, or that ended ten minutes ago.
    func vanish(_ key: PublicationKey) {
        drop(key.id, of: key.source)
        keepDropped([key.id], of: key.source)
    }

    // MARK: - Containers that join another

    /// Makes a container known, beside the one that it joins.
    /// - Returns: its definition there.
    @discardableResult
    private func show(_ item: PublishedItem, _ key: PublicationKey) -> ContainerDefinition {
        var definition = item.definition
        let host = host(of: item, key)
        definition.isGuest = host != nil
        if let host, said[host.source]?.containers[host.id]?.hasEnded == true {
            publisher.registry.unpublish(container: key)
            return definition
        }
        let container = publisher.registry.publish(definition, host: host)
        // An operator's word outlives the container.
        if let container, state.isDrained(definition.name) { publisher.registry.drain(container) }
        return definition
    }

    /// The container whose namespace another one shares: one of the same source before others.
    private func host(of item: PublishedItem, _ key: PublicationKey) -> PublicationKey? {
        guard let id = item.joinedID else { return nil }
        let candidates = (tellers[id] ?? []).filter { said[$0]?.containers[id]?.way != nil }
        let source = candidates.contains(key.source) ? key.source : candidates.min()
        return source.map { PublicationKey(source: $0, id: id) }
    }

    /// Puts those who join a container where it is now: it has come, has gone, or is in another namespace.
    private func replaceJoiners(of id: String) {
        for key in (joiners[id] ?? []).sorted() {
            guard let item = said[key.source]?.containers[key.id] else { continue }
            publisher.registry.unpublish(container: key)
            show(item, key)
        }
    }
}
