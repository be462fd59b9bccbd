// Effects of the room Attachment carried out, one function for each kind.

import Attachment
import ControlAPI
import LinuxNet
import Logging
import Registry

extension Containers {
    func carryOut(_ effect: Effect) {
        switch effect {
        case .open(let errand, let source, let port): open(errand, source, port)
        case .release(let errand): entries[errand] = nil
        case .enroll(let namespace, let errand, let identity): enroll(namespace, errand, identity)
        case .rename(let namespace, let path): rename(namespace, path)
        case .strike(let namespace, let identity): strike(namespace, identity)
        case .watch(let namespace, let source, let errand): watch(namespace, source, errand)
        case .unwatch(let namespace):
            watch.remove(namespace)
            callWaiters(of: namespace)
        case .subscribe(let namespace, let errand): subscribe(namespace, errand)
        case .unsubscribe(let namespace): unsubscribe(namespace)
        case .store(let namespace, let errand): store(namespace, errand)
        case .forget(let namespace): forgetStored(StoredListenerName(inode: namespace.inode))
        case .handOver(let namespace, let errand): handOver(namespace, errand)
        case .closeListener(let namespace): closeListener(of: namespace)
        case .setRules(let errand, let namespace): setRules(errand, namespace)
        case .removeRules(let namespace): removeRules(of: namespace)
        case .prove(let errand, let namespace): prove(errand, namespace)
        case .stopProof(let errand): hearing.stop(errand)
        case .tellState(let namespace): tellState(of: namespace)
        case .writeResolverFiles(let namespace): writeResolverFiles(of: namespace)
        case .removeResolverFiles(let namespace): resolverFiles.removeAll(of: namespace)
        case .settle(let number, let settlement): settle(number, settlement)
        case .log(let note): log(note)
        }
    }

    // MARK: - The registry

    private func enroll(_ namespace: NamespaceKey, _ errand: ErrandNumber, _ identity: Identity) {
        guard let entry = entries[errand], let number = attached[namespace]?.cookie.rawValue ?? entry.cookie else {
            return
        }
        let cookie = NamespaceCookie(rawValue: number)
        switch identity {
        case .found(let path):
            attach(
                publisher.registry.observe(
                    namespace: cookie, at: path, called: discovery.name(ofContainerAt: path)), namespace, cookie, entry)
        case .declared(let number):
            guard let definition = definitions[number] else { return }
            if definition.definition.publication != nil {
                guard let container = publisher.registry.publish(definition.definition, cookie: cookie) else { return }
                return attach(container, namespace, cookie, entry)
            }
            do throws(ControlError) {
                let container = try publisher.change { registry throws(RegistryError) in
                    try registry.addContainer(definition.definition, cookie: cookie)
                }
                attach(container, namespace, cookie, entry)
                if let file = definition.resolverFile {
                    try resolverFiles.writeWanted(file, of: namespace, called: name(of: namespace))
                }
            } catch {
                definitions[number]?.refusal = error
                handle(.enrollmentRefused(number, Failure(.forbidden, error.message)))
            }
        }
    }

    private func attach(
        _ container: ContainerID, _ namespace: NamespaceKey, _ cookie: NamespaceCookie, _ entry: Entry
    ) {
        if attached[namespace] == nil {
            attached[namespace] = Attached(container: container, cookie: cookie)
        }
        attached[namespace]?.processStart = entry.entrance.processStart
        namespaceOfContainer[container] = namespace
        lockChanged(of: container)
    }

    private func rename(_ namespace: NamespaceKey, _ path: String) {
        guard let attached = attached[namespace] else { return }
        if let number = attached.number {
            discovery.rename(number, name: discovery.name(ofContainerAt: path), path: path)
        } else {
            publisher.registry.observe(
                namespace: attached.cookie, at: path, called: discovery.name(ofContainerAt: path))
        }
    }

    private func strike(_ namespace: NamespaceKey, _ identity: Identity) {
        guard let attached = attached[namespace] else { return }
        switch identity {
        case .found:
            guard let number = attached.number, let container = room[namespace] else {
                return publisher.registry.forget(container: attached.cookie)
            }
            // It is declared, and its links are observed as before: only its path is gone.
            discovery.rename(
                number, name: name(of: namespace), path: container.source.namespacePath)
        case .declared(let number):
            if let key = definitions[number]?.definition.publication {
                return publisher.registry.unpublish(container: key)
            }
            // It may be there no more, or never have been: the registry refused it.
            try? publisher.registry.removeContainer(attached.container)
        }
    }

    // MARK: - Watching and observing

    private func watch(_ namespace: NamespaceKey, _ source: NamespaceSource, _ errand: ErrandNumber?) {
        watch.remove(namespace)
        do throws(LinuxError) {
            var process = errand.flatMap { entries[$0]?.entrance.process.take() }
            if errand == nil, let pid = source.process { process = try ProcessDescriptor(pid: pid) }
            if let process = process.take() {
                // Alive after the namespace was opened: the number meant this process then.
                guard process.isAlive else { return handle(.processExited(namespace)) }
                try watch.watch(process, of: namespace)
            }
            for path in source.paths {
                try watch.watch(path: path, of: namespace)
                watch.watchMounts(logger)
            }
            if !source.isStill(NamespaceIdentity(namespace)) { handle(.sourceGone(namespace, source.description)) }
        } catch {
            watch.remove(namespace)
            // A container whose end goes unnoticed would keep its names for ever: one that is just being declared is refused.
            if errand != nil, let number = room[namespace]?.declaration {
                let failure = Failure(.refused, "\(source) cannot be watched: \(error)")
                return handle(.enrollmentRefused(number, failure))
            }
            logger.error(
                "container \(name(of: namespace)): cannot be watched; its names stay when it ends: \(error)",
                metadata: .about(container: name(of: namespace)))
        }
    }

    private func subscribe(_ namespace: NamespaceKey, _ errand: ErrandNumber) {
        guard let attached = attached[namespace], let opened = entries[errand]?.entrance.opened.take() else { return }
        let container = room[namespace]
        let path = container?.path ?? container?.source.namespacePath ?? ""
        let name = container?.path.map { discovery.name(ofContainerAt: $0) } ?? self.name(of: namespace)
        self.attached[namespace]?.number = discovery.observe(
            opened, cookie: attached.cookie, name: name, path: path)
    }

    private func unsubscribe(_ namespace: NamespaceKey) {
        guard let attached = attached[namespace] else { return }
        if let number = attached.number { discovery.forget(number) }
        self.attached[namespace]?.number = nil
        // One that was found is still there, without its links.
        guard let path = room[namespace]?.path else { return publisher.registry.forget(container: attached.cookie) }
        publisher.registry.observe(
            namespace: attached.cookie, at: path, called: discovery.name(ofContainerAt: path))
    }

    // MARK: - Listeners

    private func store(_ namespace: NamespaceKey, _ errand: ErrandNumber) {
        let name = StoredListenerName(inode: namespace.inode)
        guard let entry = entries[errand] else { return }
        switch entry.entrance.listener {
        case .some(let sockets): store(sockets, as: name)
        case .none: break
        }
    }

    private func handOver(_ namespace: NamespaceKey, _ errand: ErrandNumber) {
        guard let sockets = entries[errand]?.takeListener(), let container = attached[namespace]?.container else {
            return
        }
        attached[namespace]?.port = (try? sockets.udp.localAddress().port) ?? 53
        publisher.open(sockets, of: container.view)
        // The worker closes the one at ::1 with the listener before.
        attached[namespace]?.v6Port = nil
        if let v6Listener = entries[errand]?.takeV6Listener() { openV6(v6Listener, of: namespace) }
    }

    private func closeListener(of namespace: NamespaceKey) {
        guard let attached = attached[namespace] else { return handle(.listenerClosed(namespace)) }
        publisher.closeListener(of: attached.container.view) { [self] in handle(.listenerClosed(namespace)) }
        noteClosed(namespace)
    }

    // MARK: - Files

    /// Writes the file of a declared container; sees to that of a found one.
    private func writeResolverFiles(of namespace: NamespaceKey) {
        guard let container = room[namespace] else { return }
        guard container.declaration != nil else { return updateResolverFile(of: namespace) }
        guard case .path(let path) = container.source else { return }
        resolverFiles.write(for: namespace, at: path, called: name(of: namespace))
    }

    /// Writes or removes the file of a container that nobody has declared, as it is on a network or is not.
    func updateResolverFile(of namespace: NamespaceKey) {
        guard let container = room[namespace], container.declaration == nil, let attached = attached[namespace],
            let found = publisher.registry[attached.container], let path = container.path
        else { return }
        resolverFiles.update(
            namespace, at: path, called: found.name, wantsFile: !found.endpoints.isEmpty && container.port != nil)
    }

    /// Writes the files of containers anew whose networks have, or had, search domains of their own.
    func followSearches() {
        for container in publisher.registry.takeSearchChanges() {
            if let namespace = namespaceOfContainer[container] { resolverFiles.rewrite(of: namespace) }
        }
    }

    /// The search list of a container, where its networks have one.
    func search(of namespace: NamespaceKey) -> [String] {
        guard let container = attached[namespace].flatMap({ publisher.registry[$0.container] }) else { return [] }
        return publisher.registry.searchDomains(of: container).map(\.textWithoutDot)
    }

    // MARK: - Telling

    private func settle(_ number: DeclarationNumber, _ settlement: Settlement) {
        guard let definition = definitions[number] else { return }
        switch settlement {
        case .attached(let namespace):
            // The registry has refused it: that is told next.
            guard
                definition.refusal == nil
                    || attached[namespace].map({ publisher.registry[$0.container] != nil }) == true,
                let container = attached[namespace]?.container,
                isKnown(definition.definition, as: container)
            else { return }
            definitions[number]?.refusal = nil
            definition.tell(.attached(container))
        case .failed(let failure):
            let error = definition.refusal ?? .operationFailed(reason: failure.description)
            definition.tell(.failed(error, failure.kind))
        case .inUse(let other):
            definition.tell(.failed(.namespaceInUse(definition.source.description, by: other), .forbidden))
        case .ended:
            definition.tell(.ended)
        }
        if room.declaration(number) == nil { definitions[number] = nil }
    }

    /// True when the registry has taken in what was declared, or a source has told.
    private func isKnown(_ definition: ContainerDefinition, as container: ContainerID) -> Bool {
        if let key = definition.publication { return publisher.registry.container(published: key)?.id == container }
        return publisher.registry[container]?.declared?.name == definition.name
    }

    private func log(_ note: Note) {
        switch note {
        case .found(let namespace, let path):
            let name = discovery.name(ofContainerAt: path)
            // The daemon before has told of those whose listeners it left, and clients wait now: thousands of lines take time.
            if entrances.storedListeners.isKept(StoredListenerName(inode: namespace.inode)) { return }
            logger.info("container \(name) found at \(path)", metadata: .about(container: name))
        case .ended(_, let name, let why):
            logger.info("container \(name) ended: \(why)", metadata: .about(container: name, .ended))
        case .noListener(let namespace, let failure):
            let name = name(of: namespace)
            logger.warning("\(failure)", metadata: .about(container: name, .notAttached))
        case .notIntercepted(let namespace, let failure):
            let name = name(of: namespace)
            logger.warning(
                "container \(name): questions to its resolver addresses do not come here: \(failure)",
                metadata: .about(container: name, .notAttached))
        case .listens(let namespace):
            logger.info("container \(name(of: namespace)) has a listener again")
        case .unheard(let namespace, let verdict): logUnheard(namespace, verdict)
        case .heard(let namespace): logger.info("container \(name(of: namespace)) is heard now")
        case .notAttached(_, let failure):
            logger.warning("\(failure)", metadata: .about(.notAttached))
        case .secondPath(let path, let other):
            logger.warning("\(path) is the namespace of \(other), which is attached", metadata: .about(.notAttached))
        case .linksUnknown(let namespace, let failure):
            let name = name(of: namespace)
            logger.warning(
                "container \(name): its links are not known: \(failure)",
                metadata: .about(container: name, .notAttached))
        }
    }
}
