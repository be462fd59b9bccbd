// Sockets by which a worker asks upstreams from inside a container's namespace.

import LinuxNet
import Logging
import Registry
import SystemPackage

extension ControlPlane {
    /// Makes sockets in the namespace of a view and sends them to its worker; none where it cannot be entered.
    func openSockets(for view: ViewID, _ kind: SocketKind, _ count: Int) {
        workers[worker(of: view)].inbox.post(.sockets(view, kind, Handover(makeSockets(for: view, kind, count))))
    }

    /// Makes sockets in the namespace of a view; none where it cannot be entered.
    func makeSockets(for view: ViewID, _ kind: SocketKind, _ count: Int) -> SocketBatch {
        let container = ContainerID(of: view)
        guard let attachment = attachments[container] else { return SocketBatch() }
        do throws(LinuxError) {
            let namespace = try attachment.openNamespace(by: opener)
            return try opener.openSockets(in: namespace.namespace, kind, count: count)
        } catch {
            logger.warning(
                "container \(name(of: container)): upstreams cannot be asked from its namespace: \(error)",
                metadata: .about(container: name(of: container), limitedAs: "sockets of \(container.rawValue)"))
            return SocketBatch()
        }
    }
}

extension Attachment {
    /// The namespace, opened anew: nothing keeps it open, so that it ends with its container.
    fileprivate func openNamespace(by opener: any Opener) throws(LinuxError) -> SourceNamespace {
        var process: ProcessDescriptor?
        if let pid = source.process { process = try ProcessDescriptor(pid: pid) }
        let opened = try source.openNamespace(of: process, by: opener)
        guard opened.namespace.identity == identity else {
            throw LinuxError(call: "open", errno: .noSuchFileOrDirectory, subject: source.description)
        }
        return opened
    }
}
