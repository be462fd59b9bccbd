// The ends of containers as the kernel shows them: a process that exited, a path that went away.

import Attachment
import LinuxNet
import Logging
import Registry

extension Containers {
    /// A process by which a container came has exited.
    func processEnded(_ ticket: Ticket) {
        guard let namespace = watch.container(of: ticket) else { return }
        handle(.processExited(namespace))
        plane.publish()
    }

    /// Something happened to paths of containers.
    func takePathEvents() {
        do throws(LinuxError) {
            endAbsent(among: try watch.readEvents())
        } catch {
            logger.error("paths of namespaces cannot be watched: \(error)")
        }
    }

    /// Ends those whose path leads to their namespace no more.
    func endAbsent() { endAbsent(among: Array(room.namespaces)) }

    private func endAbsent(among namespaces: some Sequence<NamespaceKey>) {
        for namespace in namespaces {
            guard let source = room[namespace]?.source, !source.isStill(NamespaceIdentity(namespace)) else { continue }
            handle(.sourceGone(namespace, source.description))
        }
        plane.publish()
    }

    // MARK: - Links

    /// The kernel shows something else of a container: it may be on a network now, or its port 53 free.
    func linksChanged(of container: ContainerID) {
        guard let namespace = namespaceOfContainer[container] else { return }
        settleResolverFile(of: namespace)
        if room[namespace]?.port == nil { handle(.kernelChanged(namespace)) }
    }

    // MARK: - The daemon's end

    /// Takes back what containers have of us; their listeners close with the workers.
    func takeBackAll() {
        for namespace in Array(room.namespaces) {
            removeResolverFiles(of: namespace)
            removeRules(of: namespace)
        }
        requests.finishAll(within: .seconds(3))
    }
}
