// Listeners that fail while their containers live, and workers that cannot go on.

import Attachment
import LinuxNet
import Logging
import Registry

/// A worker that cannot go on. Its namespaces are served by nobody, so the daemon ends: the service manager starts it again.
struct WorkerFailure: Error, CustomStringConvertible {
    let worker: Int
    let cause: LinuxError

    var description: String {
        "worker \(worker) cannot wait for events: \(cause); the daemon ends, as nobody would answer its containers"
    }
}

extension Containers {
    func listenerWasRepaired(of view: ViewID) {
        let name = plane.name(of: ContainerID(of: view))
        logger.warning(
            """
            container \(name): a socket of its listener was destroyed inside its namespace (as 'ss -K' does); the listener \
            serves again
            """, metadata: .about(container: name, limitedAs: "repair of \(view.rawValue)"))
    }

    /// A worker has closed a listener that cannot serve any more: it is made anew, with growing pauses where it fails again.
    func listenerFailed(of view: ViewID, _ error: LinuxError) {
        guard let namespace = namespaceOfContainer[ContainerID(of: view)] else { return }
        handle(.listenerLost(namespace, Failure(.refused, "failed and is made anew: \(error)")))
        plane.publish()
    }

    /// A sentence for each declared container without a listener.
    var warnings: [String] {
        room.listenerless.map { "listener of container \(name(of: $0.namespace)): \($0.failure)" }.sorted()
    }
}
