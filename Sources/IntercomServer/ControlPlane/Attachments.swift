// Attaching containers to their namespaces.

import ControlAPI
import DNSWire
import LinuxNet
import Registry
import SystemPackage

/// A container's namespace, and the listener that serves it.
struct Attachment {
    let worker: Int
    let source: NamespaceSource
    /// One namespace has one listener.
    let identity: NamespaceIdentity
    /// The same for as long as the host runs (SO_NETNS_COOKIE).
    let cookie: UInt64
    /// When the process began by which it came.
    let processStart: UInt64?
    /// What leads port 53 to its listener, where that has another one.
    var redirection: Ticket?
    /// The resolv.conf that its runtime asked for.
    var wantedResolverFile: String?
    /// The resolv.conf files that we wrote for it.
    var resolverFiles: [String] = []

    /// Under which the service manager keeps the listener over a restart.
    var storedName: StoredListenerName { StoredListenerName(inode: identity.inode, cookie: cookie) }
}

extension ControlPlane {
    /// Where containers ask.
    static var listenerAddress: SocketAddress { SocketAddress(v4: 0x7F00_000B, port: 53) }

    /// Adds a container and attaches it to its namespace, if it has one. Nothing is kept when this throws.
    /// - Parameter resolverFile: where its runtime wants a resolv.conf.
    func add(
        _ definition: ContainerDefinition, namespace: NamespaceSource?, resolverFile: String?
    ) throws(ControlError) {
        if let resolverFile, namespace == nil {
            throw .invalidValue(
                resolverFile, of: "resolvConf", reason: "a container without netns or pid has no listener to ask")
        }
        guard let source = namespace else {
            try changeRegistry { registry throws(RegistryError) in _ = try registry.addContainer(definition) }
            return
        }
        let entrance = try enter(source, isRedirected: (definition.listen ?? configuration.server.listen) == .redirect)
        let cookie = NamespaceCookie(rawValue: entrance.cookie)
        let container = try changeRegistry { registry throws(RegistryError) in
            try registry.addContainer(definition, cookie: cookie)
        }
        do throws(ControlError) {
            try attach(container, to: source, entrance)
            try writeResolverFiles(of: container, wanted: resolverFile)
        } catch {
            remove(container)
            throw error
        }
    }

    /// A namespace that may be attached.
    private struct Entrance: ~Copyable {
        let identity: NamespaceIdentity
        let cookie: UInt64
        /// Nil where it is served already: it was found.
        var sockets: ListenerSockets?
        /// What leads port 53 to them, and tells when it is removed.
        var redirection: NewRedirection?
        /// The process by which it was reached, and when it began.
        var process: ProcessDescriptor?
        let processStart: UInt64?
    }

    /// Enters a namespace and makes its listener, if it has none.
    private func enter(_ source: NamespaceSource, isRedirected: Bool) throws(ControlError) -> Entrance {
        let process = try openProcess(of: source)
        let opened = try openNamespace(at: source, process)
        let identity = opened.namespace.identity
        let start = opened.processStart
        if let host = try? NetworkNamespace.current(), host.identity == identity {
            throw .hostNamespace(source.description)
        }
        if let other = containerOfNamespace[identity], let attachment = attachments[other] {
            if let declared = registry[other]?.declared { throw .namespaceInUse(source.description, by: declared.name) }
            return Entrance(
                identity: identity, cookie: attachment.cookie, sockets: nil, process: process, processStart: start)
        }
        let sockets = try openListener(in: opened.namespace, source, isRedirected: isRedirected)
        let redirection = isRedirected ? try redirect(to: sockets, in: opened.namespace, source) : nil
        return Entrance(
            identity: identity, cookie: sockets.cookie, sockets: sockets, redirection: redirection, process: process,
            processStart: start)
    }

    /// The listener that was kept of a namespace over a restart, else a new one.
    private func openListener(
        in namespace: borrowing NetworkNamespace, _ source: NamespaceSource, isRedirected: Bool
    ) throws(ControlError) -> ListenerSockets {
        let address = isRedirected ? Self.listenerAddress.withPort(0) : Self.listenerAddress
        if let stored = storedListeners.take(namespace.identity, boundTo: address) { return stored }
        do throws(LinuxError) {
            return try opener.openListener(in: namespace, at: address)
        } catch {
            if error.errno == .addressInUse {
                throw .portInUse(namespace: source.description, address: Self.listenerAddress.description)
            }
            throw .operationFailed(reason: "\(source) cannot be given a listener: \(error)")
        }
    }

    /// Leads port 53 of a namespace to its listener.
    private func redirect(
        to listener: borrowing ListenerSockets, in namespace: borrowing NetworkNamespace, _ source: NamespaceSource
    ) throws(ControlError) -> NewRedirection {
        do throws(LinuxError) {
            let rules = PortRedirection.ofListener(at: try listener.udp.localAddress().port)
            return NewRedirection(rules, try opener.set(rules, in: namespace), by: opener)
        } catch {
            throw error.kind == .noNftables
                ? .noNftables(namespace: source.description, reason: error.description)
                : .operationFailed(reason: "port 53 of \(source) cannot be redirected: \(error)")
        }
    }

    /// Has the listener of a container handed to a worker, and watches for the container's end.
    private func attach(
        _ container: ContainerID, to source: NamespaceSource, _ entrance: consuming Entrance
    ) throws(ControlError) {
        let identity = entrance.identity
        let cookie = entrance.cookie
        let processStart = entrance.processStart
        let sockets = entrance.sockets.take()
        watch.remove(container)
        try watch(container, source, identity, entrance.process.take())
        let worker = worker(of: container.view)
        let attachment = Attachment(
            worker: worker, source: source, identity: identity, cookie: cookie, processStart: processStart)
        attachments[container] = attachment
        containerOfNamespace[identity] = container
        guard let sockets else { return }
        if let redirection = entrance.redirection, let monitor = redirection.take() {
            watch(redirection.rules, monitor, of: container)
        } else {
            store(sockets, as: attachment.storedName)
        }
        newListeners.append((container, worker, .listen(container.view, Handover(sockets))))
    }

    /// The process by which a container came; nil where it came by the path of a file.
    private func openProcess(of source: NamespaceSource) throws(ControlError) -> ProcessDescriptor? {
        guard let pid = source.process else { return nil }
        do throws(LinuxError) {
            return try ProcessDescriptor(pid: pid)
        } catch {
            throw error.kind == .noSuchProcess
                ? .noSuchProcess(pid: Int(pid)) : .operationFailed(reason: "\(source) cannot be watched: \(error)")
        }
    }

    private func openNamespace(
        at source: NamespaceSource, _ process: borrowing ProcessDescriptor?
    ) throws(ControlError) -> SourceNamespace {
        do throws(LinuxError) {
            return try source.openNamespace(of: process, by: opener)
        } catch {
            switch (error.kind, source) {
            case (.noSuchProcess, .pid(let pid)): throw .noSuchProcess(pid: Int(pid))
            case (.notANetworkNamespace, _):
                throw .notANetworkNamespace(path: source.description, reason: "it is something else")
            default: throw .notANetworkNamespace(path: source.description, reason: "\(error.errno)")
            }
        }
    }

    /// Watches for the end of a container, which has not come so far.
    private func watch(
        _ container: ContainerID, _ source: NamespaceSource, _ identity: NamespaceIdentity,
        _ process: consuming ProcessDescriptor?
    ) throws(ControlError) {
        do throws(LinuxError) {
            if let process {
                // Alive after the namespace was opened: the number meant this process then.
                guard process.isAlive else { throw LinuxError(call: "pidfd_open", errno: .noSuchProcess) }
                try watch.watch(process, of: container, by: epoll)
            }
            for path in source.paths {
                try watch.watch(path: path, of: container)
                watchMounts()
            }
            guard source.isStill(identity) else {
                throw LinuxError(call: "open", errno: .noSuchFileOrDirectory, subject: source.description)
            }
        } catch {
            watch.remove(container)
            if case .pid(let pid) = source, error.errno == .noSuchProcess { throw .noSuchProcess(pid: Int(pid)) }
            throw .operationFailed(reason: "\(source) cannot be watched: \(error)")
        }
    }
}
