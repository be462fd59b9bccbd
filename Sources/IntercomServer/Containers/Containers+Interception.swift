// Questions to a container's resolver addresses, led to its listener: the addresses, the rules, the listener at ::1.

import Attachment
import ControlAPI
import DNSWire
import LinuxNet
import Logging
import Registry
import SystemPackage
import Systemd

extension Containers {
    // MARK: - Lookups

    /// Servers that a container asks, as far as that is known; nil where it has no namespace.
    func resolverAddresses(of container: ContainerID) -> ResolverAddresses? { attached(container)?.resolvers }

    // MARK: - Rules

    /// Sets the rules for the listener that was handed over last.
    func setRules(_ errand: ErrandNumber, _ namespace: NamespaceKey) {
        findResolvers(of: namespace) { [self] in
            prepareInterception(of: namespace) { [self] in leadQuestions(errand, namespace) }
        }
    }

    /// Tells of the servers whose questions are to be led here, before they are: their answers are missed from then on.
    private func prepareInterception(of namespace: NamespaceKey, done: @escaping () -> Void) {
        guard let attached = attached[namespace], interception(of: namespace) != nil else { return done() }
        let servers = attached.resolvers.servers.filter { !$0.address.isLoopback || $0.isIntercom }
        interception.willBegin(
            attached.container, servers.isEmpty ? [ServerAddress(address: .v4(.intercom))] : servers, done)
    }

    private func leadQuestions(_ errand: ErrandNumber, _ namespace: NamespaceKey) {
        guard let attached = attached[namespace], let source = room[namespace]?.source else {
            return handle(.rulesSet(errand, Failure(.notThere, "the container has ended")))
        }
        let others = interception(of: namespace) == nil ? [] : attached.resolvers.servers.map(\.address)
        let rules = room.wantedRules(of: namespace)
        let lead =
            rules.lead == .none && rules.isLocked
            ? .lock : Lead(to: attached.port, v6Port: attached.v6Port, from: others, isLocked: rules.isLocked)
        redirections.set(
            lead, in: namespace, at: source,
            of: attached.container,
            lost: { [unowned self] in handle(.rulesLost(namespace, Failure(.refused, $0.failure.description))) },
            done: { [self] in rulesSet(errand, namespace, $0) })
    }

    private func rulesSet(
        _ errand: ErrandNumber, _ namespace: NamespaceKey,
        _ result: Result<(Lead, Handover<ListenerSockets>?), RedirectionFailure>
    ) {
        switch result {
        case .success((let lead, let v6Listener)):
            attached[namespace]?.resolvers.intercepted = lead.addresses
            tellInterception(of: namespace)
            if let sockets = v6Listener?.take() {
                storeV6(sockets, of: namespace)
                openV6(sockets, of: namespace)
            }
            handle(.rulesSet(errand, nil))
        case .failure(let failure):
            if let refusal = failure.refusal, let number = room[namespace]?.declaration {
                definitions[number]?.refusal = refusal
            }
            handle(.rulesSet(errand, failure.failure))
        }
    }

    /// The policy of a container may be another: rules refuse DNS of other servers, or do not any more.
    func lockChanged(of container: ContainerID) {
        guard let namespace = namespaceOfContainer[container] else { return }
        handle(.lockChanged(namespace, publisher.registry.isLocked(container)))
    }

    /// Removes the rules of a namespace, and closes its listener at ::1.
    func removeRules(of namespace: NamespaceKey) {
        redirections.remove(from: namespace)
        attached[namespace]?.resolvers.intercepted = []
        tellInterception(of: namespace)
        guard let attached = attached[namespace], attached.v6Port != nil else { return }
        self.attached[namespace]?.v6Port = nil
        publisher.closeV6Listener(of: attached.container.view)
    }

    private func tellInterception(of namespace: NamespaceKey) {
        guard let attached = attached[namespace] else { return }
        interception.changed(
            attached.container, interception(of: namespace) == nil ? [] : attached.resolvers.intercepted)
    }

    private func interception(of namespace: NamespaceKey) -> Interception? {
        room[namespace]?.allDeclarations.lazy.compactMap { [self] in definitions[$0]?.definition.intercept }.first
    }

    // MARK: - The listener at ::1

    /// Has the worker of a container serve it at ::1 as well.
    func openV6(_ sockets: consuming ListenerSockets, of namespace: NamespaceKey) {
        guard let container = attached[namespace]?.container else { return }
        attached[namespace]?.v6Port = try? sockets.udp.localAddress().port
        publisher.openV6(sockets, of: container.view)
    }

    /// Has the service manager keep a listener at ::1 with the one at 127.0.0.11, under the same name.
    private func storeV6(_ sockets: borrowing ListenerSockets, of namespace: NamespaceKey) {
        guard ServiceManager.isListening else { return }
        let name = StoredListenerName(inode: namespace.inode)
        do throws(SystemdError) {
            try ServiceManager.store(sockets, as: "\(name)")
        } catch {
            logger.warning(
                "\(name): the service manager does not store the listener, so queries fail during a restart: \(error)",
                metadata: .about(limitedAs: "store"))
        }
    }

    // MARK: - resolv.conf

    /// Finds out which servers a container asks; `done` is called when that is known, or cannot be.
    func findResolvers(of namespace: NamespaceKey, done: @escaping () -> Void) {
        switch interception(of: namespace) {
        case nil: done()
        case .addresses(let addresses)?:
            attached[namespace]?.resolvers.take(addresses)
            done()
        case .resolverFile?: readResolvers(of: namespace, done: done)
        }
    }

    /// Reads a container's resolv.conf again for a proof: its servers may be others. Those that were declared stay.
    func readResolversAgain(of namespace: NamespaceKey, done: @escaping () -> Void) {
        if case .addresses? = interception(of: namespace) { return done() }
        let before = attached[namespace]?.resolvers.servers
        readResolvers(of: namespace) { [self] in
            if attached[namespace]?.resolvers.servers != before { handle(.resolversChanged(namespace)) }
            done()
        }
    }

    /// Reads the resolv.conf of a container: as its process sees it, else the one of its namespace's name. `done` is called when
    /// it is known, or cannot be.
    private func readResolvers(of namespace: NamespaceKey, done: @escaping () -> Void) {
        guard let source = room[namespace]?.source, attached[namespace]?.resolvers.hangs == false else { return done() }
        if source.process == nil {
            // A file of the host's.
            noteResolvers(of: namespace, Result { () throws(LinuxError) in try source.readHostsResolverFile() })
            return done()
        }
        let identity = NamespaceIdentity(namespace)
        entrances.requests.request(about: "resolv.conf in \(namespace)") { opener in
            Result { () throws(LinuxError) in try source.readResolverFile(identity, by: opener) }
        } late: { [self] in
            attached[namespace]?.resolvers.hangs = true
            noteResolvers(
                of: namespace, .failure(LinuxError(call: "read", errno: .timedOut, subject: "/etc/resolv.conf")))
            done()
        } done: { [self] (result: Result<ReadResolverFile, LinuxError>) in
            noteResolvers(of: namespace, result)
            done()
        }
    }

    private func noteResolvers(of namespace: NamespaceKey, _ result: Result<ReadResolverFile, LinuxError>) {
        guard var resolvers = attached[namespace]?.resolvers else { return }
        switch result {
        case .success(let file):
            // A runtime has made a process, and has not mounted its files yet.
            if file.isHosts { handle(.resolversMayChange(namespace)) }
            let configuration = file.text.map { ResolverConfiguration($0) } ?? ResolverConfiguration()
            // A process with the host's root may have a file of its own mounted there, as `ip netns exec` does.
            let isHosts = file.isHosts && configuration.nameservers == resolverFiles.resolver.nameservers
            resolvers.take(configuration, isHosts: isHosts)
        case .failure(let error):
            // Those that were known before are as good a guess as any.
            if resolvers.unknown != "\(error)", interception(of: namespace) != nil {
                let name = name(of: namespace)
                logger.warning(
                    "container \(name): its resolv.conf cannot be read; name its servers with --intercept ADDR: \(error)",
                    metadata: .about(container: name, limitedAs: "resolv.conf of \(namespace)"))
            }
            resolvers.unknown = "\(error)"
        }
        attached[namespace]?.resolvers = resolvers
    }
}
