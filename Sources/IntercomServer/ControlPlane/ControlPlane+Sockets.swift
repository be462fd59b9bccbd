// Sockets by which a worker asks upstreams from inside a container's namespace.

import LinuxNet
import Logging
import Registry
import SystemPackage

extension ControlPlane {
    /// Makes sockets in the namespace of a view and sends them to its worker; none where it cannot be entered.
    func openSockets(for view: ViewID, _ kind: SocketKind, _ count: Int) {
        var batch = SocketBatch()
        let container = ContainerID(of: view)
        if let attachment = attachments[container] {
            do throws(LinuxError) {
                batch = try NamespaceEntry.openSockets(in: try attachment.openNamespace(), kind, count: count)
            } catch {
                logger.warning(
                    "container \(name(of: container)): upstreams cannot be asked from its namespace: \(error)",
                    metadata: .about(container: name(of: container), limitedAs: "sockets of \(container.rawValue)"))
            }
        }
        workers[worker(of: view)].inbox.post(.sockets(view, kind, Handover(batch)))
    }
}

extension Attachment {
    /// The namespace, opened anew: nothing keeps it open, so that it ends with its container.
    fileprivate func openNamespace() throws(LinuxError) -> NetworkNamespace {
        let namespace =
            switch source {
            case .path(let path): try NetworkNamespace(path: path)
            case .pid(let pid): try NetworkNamespace(pid: pid)
            }
        guard namespace.identity == identity else {
            throw LinuxError(call: "open", errno: .noSuchFileOrDirectory, subject: source.description)
        }
        return namespace
    }
}
