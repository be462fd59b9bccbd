// Sockets by which a worker asks upstreams from inside a container's namespace.

import Attachment
import LinuxNet
import Logging
import Registry
import SystemPackage

/// Has the opener make sockets in containers' namespaces.
struct NamespaceSockets {
    let containers: Containers
    let requests: OpenerRequests
    let publisher: Publisher
    let workers: WorkerPool
    let logger: Logger

    /// Makes sockets in the namespace of a view and sends them to its worker; none where it cannot be entered.
    func open(for view: ViewID, _ kind: SocketKind, _ count: Int) {
        let worker = publisher.worker(of: view)
        make(for: view, kind, count) { [workers] batch in workers.post(.sockets(view, kind, batch), to: worker) }
    }

    /// Makes sockets in the namespace of a view.
    /// - Parameters:
    ///   - view: that of the container.
    ///   - kind: UDP or TCP, IPv4 or IPv6.
    ///   - count: the number of sockets.
    ///   - isMarked: false for questions that our rules are to lead as those of the container's programs.
    ///   - done: is given them; none where the namespace cannot be entered.
    func make(
        for view: ViewID, _ kind: SocketKind, _ count: Int, isMarked: Bool = true,
        done: @escaping (Handover<SocketBatch>) -> Void
    ) {
        let container = ContainerID(of: view)
        guard let (identity, source) = containers.namespace(of: container) else {
            return done(Handover(SocketBatch()))
        }
        let failed = { [publisher, logger] (error: LinuxError) in
            let name = publisher.name(of: container)
            logger.warning(
                "container \(name): upstreams cannot be asked from its namespace: \(error)",
                metadata: .about(container: name, limitedAs: "sockets of \(container.rawValue)"))
            done(Handover(SocketBatch()))
        }
        requests.request { opener in
            Result { () throws(LinuxError) in
                let namespace = try source.openNamespace(identity, by: opener)
                return Handover(try opener.openSockets(in: namespace, kind, count: count, isMarked: isMarked))
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
