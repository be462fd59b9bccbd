// The ends of containers: a process that exited, a path that went away; and the beginnings that were waited for.

import ControlAPI
import LinuxNet
import Logging
import Registry

extension ControlPlane {
    func processEnded(_ ticket: Ticket) {
        guard let container = watch.container(of: ticket) else { return }
        end(container, because: "its process has exited")
    }

    func takePathEvents() {
        do throws(LinuxError) {
            endAbsent(among: try watch.readEvents())
        } catch {
            logger.error("paths of namespaces cannot be watched: \(error)")
        }
    }

    /// Something was mounted or unmounted: a namespace may have appeared at its path, or gone while the file stays.
    func takeMountEvents() {
        attachAwaited()
        takeNamespaceMounts()
        // Mounts come in crowds, and do not say what they are about: the many that are attached are looked at now and then.
        schedule(.lookForAbsent, after: .seconds(1))
    }

    /// Ends those whose path leads to their namespace no more.
    func endAbsent() { endAbsent(among: Array(attachments.keys)) }

    /// Makes mounts tell of themselves, once; a failure costs what cannot be noticed otherwise, and is said.
    func watchMounts() {
        guard mounts == nil else { return }
        do throws(LinuxError) {
            let table = try MountTable()
            try epoll.add(table.descriptor, token: ControlToken.mounts.word, interest: [.priority])
            mounts = consume table
        } catch {
            logger.warning("mounts cannot be watched, so namespaces are not noticed that appear at a path: \(error)")
        }
    }

    private func endAbsent(among containers: some Sequence<ContainerID>) {
        for container in containers where !isStillThere(container) {
            end(container, because: "\(attachments[container]?.source.description ?? "") is gone")
        }
    }

    /// Whether the path of a container still names the namespace that we serve.
    private func isStillThere(_ container: ContainerID) -> Bool {
        guard let attachment = attachments[container] else { return true }
        return attachment.source.isStill(attachment.identity)
    }

    /// Withdraws a container that ended by itself. One of the configuration comes back when its namespace does.
    func end(_ container: ContainerID, because reason: String) {
        guard let attachment = attachments[container] else { return }
        let declared = registry[container]?.declared
        let name = name(of: container)
        logger.info("container \(name) ended: \(reason)", metadata: .about(container: name, .ended))
        if let path = attachment.foundPath { found[path]?.container = nil }
        attachments[container]?.foundPath = nil
        if declared != nil { remove(container) } else { unhear(container) }
        detach(container)
        if let declared { state.keep(.removeContainer(declared.name)) }
        if let awaited = configuration.containers.first(where: { $0.name == declared?.name }) {
            awaitNamespace(of: awaited)
        }
        // By another path it is attached anew, with port 53 free once the worker has closed the listener.
        ask([attachment.worker], { .fence(token: $0) }) { [self] _ in lookAgain(at: attachment.identity) }
        publish()
    }

    /// Takes back what is declared of a container. Unless the kernel shows it, it is gone: its listener closes.
    func remove(_ container: ContainerID) {
        do throws(RegistryError) {
            try registry.removeContainer(container)
        } catch {
            logger.error("container \(name(of: container)) cannot be removed: \(error)")
        }
        if attachments[container]?.foundPath == nil { unhear(container) }
        if registry[container] == nil { detach(container) } else { returnToKernel(container) }
    }

    /// What people call a container.
    func name(of container: ContainerID) -> String { registry[container]?.name ?? "" }

    /// Closes a container's listener and forgets where it was.
    func detach(_ container: ContainerID) {
        removeResolverFiles(of: container)
        closeListener(of: container)
        guard let attachment = attachments.removeValue(forKey: container) else { return }
        containerOfNamespace[attachment.identity] = nil
        watch.remove(container)
    }

    // MARK: - Containers of the configuration that are not there yet

    /// Waits for the namespace of a declared container: every change of the mount table is a chance.
    func awaitNamespace(of container: Configuration.Container) {
        guard case .path = container.namespace else { return }
        awaited[container.name] = container
        // It may have appeared before anybody looked at the mount table.
        watchMounts()
        attachAwaited()
    }

    private func attachAwaited() {
        guard !awaited.isEmpty else { return }
        for container in awaited.values.sorted(by: { $0.name < $1.name }) {
            do throws(ControlError) {
                try declare(container)
                awaited[container.name] = nil
                logger.info(
                    "container \(container.name) attached: its namespace has appeared",
                    metadata: .about(container: container.name))
            } catch {
                continue
            }
        }
        publish()
    }
}
