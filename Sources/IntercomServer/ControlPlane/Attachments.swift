// Attaching containers to their namespaces.

import ControlAPI
import DNSWire
import LinuxNet
import Logging
import Registry
import SystemPackage

/// A container's namespace, and the listener that serves it.
struct Attachment {
    let worker: Int
    var source: NamespaceSource
    /// One namespace has one listener.
    let identity: NamespaceIdentity
    /// The same for as long as the host runs (SO_NETNS_COOKIE).
    let cookie: NamespaceCookie
    /// When the process began by which it came.
    var processStart: UInt64?
    /// What leads port 53 to its listener, where that has another one.
    var redirection: Ticket?
    /// Its number in the host's namespace, where its links are listened to.
    var number: NamespaceID?
    /// The path at which it was discovered, if it was.
    var foundPath: String?
    /// Why it has no listener; nil: it has one.
    var refusal: LinuxError?
    /// The resolv.conf that its runtime asked for.
    var wantedResolverFile: String?
    /// The resolv.conf files that we wrote for it.
    var resolverFiles: [String] = []
    /// Whether it was seen to that it has one, by us or by somebody else, though nobody declared it.
    var hasSettledResolverFile = false

    /// Under which the service manager keeps the listener over a restart.
    var storedName: StoredListenerName { StoredListenerName(inode: identity.inode) }
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
        if let refusal = entrance.refusal { throw .noListener(in: source, refusal) }
        let cookie = entrance.cookie
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
        hearChanges()
    }

    /// Has the listener of a container handed to a worker, listens to its links, and watches for its end.
    func attach(
        _ container: ContainerID, to source: NamespaceSource, _ entrance: consuming Entrance
    ) throws(ControlError) {
        let processStart = entrance.processStart
        try watch(container, source, entrance.identity, entrance.process.take())
        var attachment =
            attachments[container]
            ?? Attachment(
                worker: worker(of: container.view), source: source, identity: entrance.identity, cookie: entrance.cookie
            )
        attachment.source = source
        attachment.processStart = processStart
        attachment.refusal = entrance.refusal
        attachments[container] = attachment
        containerOfNamespace[attachment.identity] = container
        if let sockets = entrance.listener.take() {
            hand(sockets, entrance.redirection, isKept: entrance.isKept, to: container)
        } else if attachment.refusal != nil {
            closeListener(of: container)
        }
        listen(to: container, entrance)
    }

    /// Has a listener handed to the worker of its container, in the place of another.
    /// - Parameter isKept: whether the service manager keeps it already.
    func hand(
        _ sockets: consuming ListenerSockets, _ redirection: NewRedirection?, isKept: Bool = false,
        to container: ContainerID
    ) {
        guard let attachment = attachments[container] else { return }
        removeRedirection(attachment.redirection)
        attachments[container]?.redirection = nil
        if let redirection, let monitor = redirection.take() { watch(redirection.rules, monitor, of: container) }
        if !isKept {
            // The other one has the same name.
            forgetStored(attachment.storedName)
            store(sockets, as: attachment.storedName)
        }
        newListeners.append((container, attachment.worker, .listen(container.view, Handover(sockets))))
    }

    /// Makes listeners as they are wanted now where the last daemon's are others: one that is redirected, or is not any more.
    func changeKeptListeners() {
        for (container, attachment) in attachments where attachment.refusal == nil {
            let wanted = registry[container]?.declared?.listen ?? configuration.server.listen
            let isRedirected = wanted == .redirect
            guard (attachment.redirection != nil) != isRedirected else { continue }
            do throws(ControlError) {
                var entrance = try enter(attachment.source, isRedirected: isRedirected, again: container)
                if let refusal = entrance.refusal { throw .noListener(in: attachment.source, refusal) }
                if let sockets = entrance.listener.take() { hand(sockets, entrance.redirection, to: container) }
            } catch {
                let name = name(of: container)
                logger.warning(
                    "container \(name) keeps the listener that it has: \(error.message)",
                    metadata: .about(container: name))
            }
        }
    }

    /// Closes the listener of a container, if it has one.
    func closeListener(of container: ContainerID) {
        guard let attachment = attachments[container] else { return }
        forgetStored(attachment.storedName)
        removeRedirection(attachment.redirection)
        attachments[container]?.redirection = nil
        newListeners.removeAll { $0.container == container }
        workers[attachment.worker].inbox.post(.closeListener(container.view))
    }

    /// Watches for the end of a container, which has not come so far.
    private func watch(
        _ container: ContainerID, _ source: NamespaceSource, _ identity: NamespaceIdentity,
        _ process: consuming ProcessDescriptor?
    ) throws(ControlError) {
        watch.remove(container)
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
