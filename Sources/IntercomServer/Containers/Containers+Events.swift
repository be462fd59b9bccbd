// Events of containers: processes exit, paths go, links change, listeners are kept, repaired and lost.

import Attachment
import LinuxNet
import Logging
import Registry
import Systemd
import Tables

extension Containers {
    // MARK: - Ends

    /// A process by which a container came has exited.
    func processEnded(_ ticket: Ticket) {
        guard let namespace = watch.container(of: ticket) else { return }
        handle(.processExited(namespace))
    }

    /// Something happened to paths of containers.
    func takePathEvents() {
        do throws(LinuxError) {
            endAbsent(among: try watch.readEvents())
        } catch {
            logger.error("cannot watch paths of namespaces; containers whose path is removed stay: \(error)")
        }
    }

    /// Ends those whose path leads to their namespace no more.
    func endAbsent() { endAbsent(among: Array(room.namespaces)) }

    private func endAbsent(among namespaces: some Sequence<NamespaceKey>) {
        for namespace in namespaces {
            guard let source = room[namespace]?.source, !source.isStill(NamespaceIdentity(namespace)) else { continue }
            handle(.sourceGone(namespace, source.description))
        }
    }

    // MARK: - Links

    /// The kernel shows something else of a container: it may be on a network now, its port 53 free, or its listener heard.
    func linksChanged(of container: ContainerID) {
        guard let namespace = namespaceOfContainer[container] else { return }
        updateResolverFile(of: namespace)
        handle(.kernelChanged(namespace))
    }

    /// A container has other addresses on its networks, and is otherwise as it was.
    func addressesChanged(of container: ContainerID) {
        if let namespace = namespaceOfContainer[container] { handle(.addressesChanged(namespace)) }
    }

    // MARK: - The daemon's end

    /// Removes the resolv.conf files and rules of all containers; their listeners close with the workers.
    func removeFilesAndRules() {
        for namespace in Array(room.namespaces) {
            resolverFiles.removeAll(of: namespace)
            redirections.remove(from: namespace)
        }
    }

    // MARK: - Kept over a restart

    /// Has the service manager keep the listener of a container that has been attached; without one it lives as long as we.
    func store(_ sockets: borrowing ListenerSockets, as name: StoredListenerName) {
        guard ServiceManager.isListening, entrances.storedListeners.keep("\(name)") else { return }
        do throws(SystemdError) {
            try ServiceManager.store(sockets, as: "\(name)")
        } catch {
            logger.warning(
                "\(name): the service manager does not store the listener, so queries fail during a restart: \(error)",
                metadata: .about(limitedAs: "store"))
        }
    }

    /// Has the service manager let go of a listener, so that its namespace can end.
    func forgetStored(_ name: StoredListenerName) {
        if entrances.storedListeners.letGo(of: "\(name)") { forget("\(name)") }
    }

    private func forget(_ name: String) {
        do throws(SystemdError) {
            try ServiceManager.forget(name)
        } catch {
            logger.warning(
                "\(name): cannot remove the listener from the service manager's store: \(error)",
                metadata: .about(limitedAs: "store"))
        }
    }

    /// Lets go of listeners whose containers have ended while nobody watched.
    func closeUnclaimedListeners() {
        let used = Set(room.namespaces.map { "\(StoredListenerName(inode: $0.inode))" })
        for name in entrances.storedListeners.closeAll(but: used) { forget(name) }
    }

    // MARK: - Repaired and lost

    func listenerWasRepaired(of view: ViewID) {
        let name = publisher.name(of: ContainerID(of: view))
        logger.warning(
            """
            container \(name): a socket of its listener was destroyed inside its namespace (as 'ss -K' does); the listener \
            serves again
            """, metadata: .about(container: name, limitedAs: "repair of \(view.rawValue)"))
    }

    /// A worker has closed a listener that cannot serve any more: it is made anew, with growing pauses where it fails again.
    func listenerFailed(of view: ViewID, _ error: LinuxError) {
        guard let namespace = namespaceOfContainer[ContainerID(of: view)] else { return }
        handle(.listenerLost(namespace, Failure(.refused, "failed and is made anew: \(error)")))
    }

    /// The most containers with a sentence in ``warnings`` of their own: `container ls` lists all.
    private static var unheardLimit: Int { 20 }

    /// A sentence for each declared container without a listener, and for the first of those that are not heard.
    var warnings: [String] {
        let unheard = room.unheard.map { namespace, state in
            let details = [state.reason, state.cure].compactMap(\.self).joined(separator: "; ")
            return "container \(name(of: namespace)) is \(state.word): \(details)"
        }.sorted()
        var warnings = room.listenerless.map { "listener of container \(name(of: $0.namespace)): \($0.failure)" }
            .sorted()
        warnings += unheard.prefix(Self.unheardLimit)
        if unheard.count > Self.unheardLimit {
            warnings.append("\(unheard.count - Self.unheardLimit) more containers are not heard: see 'container ls'")
        }
        return warnings
    }
}
