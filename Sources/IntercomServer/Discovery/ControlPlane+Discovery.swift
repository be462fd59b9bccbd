// What the kernel shows goes into the registry: discovery's beginning and end, and what is heard meanwhile.

import ControlAPI
import LinuxNet
import Logging
import Registry

extension ControlPlane {
    // MARK: - Beginning and end

    /// Whether the kernel is heard.
    var isDiscovering: Bool { kernel?.hearsAll != nil }

    /// Hears the kernel, and attaches what there is. Without the means to do so that is said, and nothing is discovered.
    func startDiscovery() {
        guard configuration.discover.isEnabled else { return }
        do throws(LinuxError) {
            kernel = try KernelWatch.start(
                selection: interfaceSelection, receiveBuffer: configuration.discover.receiveBuffer, opener: opener,
                by: epoll)
        } catch {
            logger.error("networks and containers are not discovered: \(error)")
            return
        }
        for container in attachments.keys { listen(to: container) }
        hearChanges()
        watchNamespaces()
    }

    /// Discovers nothing any more: what nobody declared goes.
    private func stopDiscovery() {
        paths = nil
        for path in found.keys { leave(path) }
        directoryProblems = []
        for container in attachments.keys { unhear(container) }
        kernel?.select(InterfaceSelection(patterns: [], exclude: []))
        hearChanges()
        kernel = nil
    }

    /// Discovers what the configuration says now.
    func restartDiscovery(since old: Configuration.Discover) {
        let new = configuration.discover
        if new.receiveBuffer != old.receiveBuffer {
            logger.warning("[discover] receive-buffer: takes effect at a restart")
        }
        switch (new.isEnabled, isDiscovering) {
        case (false, _): stopDiscovery()
        case (true, false): startDiscovery()
        case (true, true):
            selectInterfaces()
            watchNamespaces()
        }
    }

    // MARK: - Interfaces

    private var interfaceSelection: InterfaceSelection {
        InterfaceSelection(
            patterns: configuration.discover.interfaces, exclude: configuration.discover.exclude,
            declared: Set(registry.networks.compactMap { $0.declared?.interface }))
    }

    /// Networks were declared, or the configuration is another: other interfaces may be networks.
    func selectInterfaces() {
        guard isDiscovering else { return }
        kernel?.select(interfaceSelection)
        hearChanges()
    }

    // MARK: - Links of containers

    /// Listens to the links of a container that was attached.
    func listen(to container: ContainerID, _ entrance: consuming Entrance) {
        guard let attachment = attachments[container], attachment.number == nil,
            attachment.identity == entrance.identity, let opened = entrance.opened.take()
        else { return }
        let name = self.name(of: container)
        do throws(LinuxError) {
            let number = try kernel?.listen(
                to: opened, cookie: attachment.cookie, name: name, path: attachment.source.path, by: epoll)
            attachments[container]?.number = number
        } catch {
            logger.warning(
                "container \(name): its links are not known: \(error)", metadata: .about(container: name, .notAttached))
        }
    }

    /// Listens to the links of a container that was attached before anything was heard.
    private func listen(to container: ContainerID) {
        guard let source = attachments[container]?.source else { return }
        do throws(ControlError) {
            listen(
                to: container,
                try enter(source, isRedirected: attachments[container]?.redirection != nil, again: container))
        } catch {
            logger.warning("container \(name(of: container)): its links are not known: \(error.message)")
        }
    }

    /// Forgets what the kernel has shown of a container.
    func unhear(_ container: ContainerID) {
        guard let attachment = attachments[container] else { return }
        if let number = attachment.number { kernel?.forget(number) }
        attachments[container]?.number = nil
        hearChanges()
        registry.forget(container: attachment.cookie)
    }

    // MARK: - What is told

    func takeKernelEvents(_ ticket: Ticket) {
        do throws(LinuxError) {
            try kernel?.takeEvents(ticket)
        } catch {
            logger.error("the kernel cannot be heard: \(error)", metadata: .about(limitedAs: "netlink"))
        }
        if kernel?.hasGap == true {
            schedule(.catchUp, after: max(.zero, ContinuousClock.now.duration(to: nextCatchUp)))
        }
        hearChanges()
        publish()
    }

    /// Something that the kernel told is lost: everything is asked for. Who makes it tell too much shall not keep us busy:
    /// nine tenths of the time are for others.
    func catchUp() {
        let start = ContinuousClock.now
        do throws(LinuxError) {
            try kernel?.catchUp()
            logger.info("more was told than there was room for: all links and addresses were read again")
        } catch {
            logger.error("links and addresses cannot be read: \(error)", metadata: .about(limitedAs: "netlink"))
            schedule(.catchUp, after: .seconds(1))
        }
        nextCatchUp = .now + max(start.duration(to: .now) * 9, .milliseconds(10))
        hearChanges()
        publish()
    }

    /// Has the registry know what the kernel shows.
    func hearChanges() {
        guard let changes = kernel?.takeChanges(), !changes.isEmpty else { return }
        var containers: [ContainerID] = []
        for change in changes {
            switch change {
            case .network(let network): registry.observe(network)
            case .networkGone(let interface): registry.forget(network: interface)
            case .container(let container): containers.append(registry.observe(container))
            case .containerGone(let cookie): registry.forget(container: cookie)
            }
        }
        for container in containers {
            settleResolverFile(of: container)
            if attachments[container]?.refusal != nil { retryListener(of: container) }
        }
    }
}

extension NamespaceSource {
    /// Where the namespace is seen.
    fileprivate var path: String {
        switch self {
        case .path(let path): path
        case .pid(let pid): "/proc/\(pid)/ns/net"
        }
    }
}
