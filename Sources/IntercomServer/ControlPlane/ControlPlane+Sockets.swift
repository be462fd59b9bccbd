// Sockets by which a worker asks upstreams from inside a container's namespace.

import Attachment
import LinuxNet
import Logging
import Registry
import SystemPackage

extension ControlPlane {
    /// Makes sockets in the namespace of a view and sends them to its worker; none where it cannot be entered.
    func openSockets(for view: ViewID, _ kind: SocketKind, _ count: Int) {
        makeSockets(for: view, kind, count) { [self] batch in
            workers.post(.sockets(view, kind, batch), to: worker(of: view))
        }
    }

    /// Has the opener make sockets in the namespace of a view; `done` is given none where it cannot be entered.
    func makeSockets(
        for view: ViewID, _ kind: SocketKind, _ count: Int, done: @escaping (Handover<SocketBatch>) -> Void
    ) {
        let container = ContainerID(of: view)
        guard let namespace = containers.namespaceOfContainer[container],
            let source = containers.room[namespace]?.source
        else { return done(Handover(SocketBatch())) }
        let identity = NamespaceIdentity(namespace)
        let failed = { [self] (error: LinuxError) in
            logger.warning(
                "container \(name(of: container)): upstreams cannot be asked from its namespace: \(error)",
                metadata: .about(container: name(of: container), limitedAs: "sockets of \(container.rawValue)"))
            done(Handover(SocketBatch()))
        }
        requests.request { opener in
            Result { () throws(LinuxError) in
                let namespace = try source.openNamespace(identity, by: opener)
                return Handover(try opener.openSockets(in: namespace, kind, count: count))
            }
        } late: {
            failed(LinuxError(call: "setns", errno: .timedOut, subject: source.description))
        } done: { (result: Result<Handover<SocketBatch>, LinuxError>) in
            switch result {
            case .success(let batch): done(batch)
            case .failure(let error): failed(error)
            }
        }
    }
}
