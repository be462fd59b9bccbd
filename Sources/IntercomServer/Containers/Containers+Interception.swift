// Questions to a container's resolver addresses, led to its listener: the addresses, the rules, the listener at ::1.

import Attachment
import ControlAPI
import DNSWire
import LinuxNet
import Logging
import Registry
import SystemPackage
import Systemd

/// Servers that a container's programs ask, and those of them whose questions come to its listener.
struct ResolverAddresses: Sendable, Equatable {
    /// Servers that its resolv.conf names, or that were declared; in their order, at most
    /// ``Registry/Limits/interceptedAddresses``.
    var servers: [IPAddress] = []
    /// Number of servers that its resolv.conf names beyond these.
    var leftOut = 0
    /// Addresses that rules lead to its listener, 127.0.0.11 first; empty: there are no rules.
    var intercepted: [IPAddress] = []
    /// Reason why its resolv.conf is not known; nil: it is, or nobody has looked.
    var unknown: String?

    /// Takes the servers of a resolv.conf.
    mutating func take(_ configuration: ResolverConfiguration) {
        var all: [IPAddress] = []
        for server in configuration.nameservers where !all.contains(server.address) { all.append(server.address) }
        servers = Array(all.prefix(Registry.Limits.interceptedAddresses))
        leftOut = all.count - servers.count
        unknown = nil
    }
}

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
        let servers = attached.resolvers.servers.filter { !$0.isLoopback || $0 == .v4(.intercom) }
        interception.willBegin(attached.container, servers.isEmpty ? [.v4(.intercom)] : servers, done)
    }

    private func leadQuestions(_ errand: ErrandNumber, _ namespace: NamespaceKey) {
        guard let attached = attached[namespace], let source = room[namespace]?.source else {
            return handle(.rulesSet(errand, Failure(.notThere, "the container has ended")))
        }
        let others = interception(of: namespace) == nil ? [] : attached.resolvers.servers
        redirections.set(
            Lead(to: attached.port, v6Port: attached.v6Port, from: others), in: namespace, at: source,
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
            attached[namespace]?.resolvers.servers = addresses
            done()
        case .resolverFile?: readResolvers(of: namespace, done: done)
        }
    }

    /// Reads the resolv.conf of a container: as its process sees it, else the one of its namespace's name.
    private func readResolvers(of namespace: NamespaceKey, done: @escaping () -> Void) {
        guard let source = room[namespace]?.source else { return done() }
        let identity = NamespaceIdentity(namespace)
        entrances.requests.request(about: "resolv.conf in \(namespace)") { opener in
            Result { () throws(LinuxError) in try source.readResolverFile(identity, by: opener) }
        } late: { [self] in
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
            resolvers.take(file.text.map { ResolverConfiguration($0) } ?? ResolverConfiguration())
        case .failure(let error):
            // Those that were known before are as good a guess as any.
            if resolvers.unknown != "\(error)" {
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
