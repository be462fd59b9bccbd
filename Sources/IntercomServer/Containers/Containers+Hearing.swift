// Proofs that containers are heard: made as the room Attachment wants them; callers wait for their verdicts.

import Attachment
import ControlAPI
import DNSWire
import LinuxNet
import Logging
import Registry

extension Containers {
    // MARK: - Effects

    /// Asks the container's resolver addresses from inside its namespace.
    func prove(_ errand: ErrandNumber, _ namespace: NamespaceKey) {
        guard let view = attached[namespace]?.container.view, let source = room[namespace]?.source else {
            return handle(.proved(errand, .untried(Failure(.notThere, "the container has ended"))))
        }
        hearing.prove(
            HearingOrder(
                errand: errand, view: view, namespace: NamespaceIdentity(namespace), source: source,
                servers: askedServers(of: namespace)
            ) { [unowned self] event in
                handle(event)
                if case .proved = event { callWaiters(of: namespace) }
            })
    }

    /// Servers whose questions are to come to the container's listener: 127.0.0.11, and those that are intercepted.
    private func askedServers(of namespace: NamespaceKey) -> [ServerAddress] {
        let intercepted = attached[namespace]?.resolvers.intercepted ?? []
        return (intercepted.isEmpty ? [.v4(.intercom)] : intercepted).map { ServerAddress(address: $0) }
    }

    /// Tells monitors of the state of a container.
    func tellState(of namespace: NamespaceKey) {
        guard publisher.hasMonitors, let id = attached[namespace]?.container, let container = publisher.registry[id],
            let state = room.state(of: namespace, isDraining: container.isDraining)
        else { return }
        var change = Monitor.Change(kind: "container", action: "changed", container: container.name)
        change.state = state.word
        change.reason = state.reason
        publisher.tell(change)
    }

    // MARK: - Callers

    /// Calls `done` when there is a verdict on a container's listener, or a second later; at once where none is on its way.
    func whenProved(_ container: ContainerID, _ done: @escaping () -> Void) {
        guard let namespace = namespaceOfContainer[container], room.isProving(namespace) else { return done() }
        hearing.waiters.add(namespace, now: .now, done)
    }

    /// Has a container that is ready proved anew, for somebody asks; one that is not is tried again by itself.
    func proveAgain(_ container: ContainerID) {
        guard let namespace = namespaceOfContainer[container],
            room.state(of: namespace, isDraining: false) == .ready
        else { return }
        room.prove(namespace)
        carryOut()
    }

    func callWaiters(of namespace: NamespaceKey) {
        for done in hearing.waiters.take(namespace) { done() }
    }

    /// Gives up what has taken too long.
    func expireProofs() {
        hearing.expire()
        for done in hearing.waiters.takeDue(now: .now) { done() }
    }

    // MARK: - What is said

    /// Says that a container is not heard, or that this cannot be tried.
    func logUnheard(_ namespace: NamespaceKey, _ verdict: Hearing) {
        let name = name(of: namespace)
        let metadata = Logger.Metadata.about(container: name, .notAttached, limitedAs: "hearing of \(name)")
        switch verdict {
        case .heard: break
        case .unheard(let unheard):
            logger.warning("container \(name) is not heard: \(unheard); \(unheard.cure)", metadata: metadata)
        case .notAsked(let servers):
            logger.warning("container \(name) does not ask here: its resolv.conf names \(servers)", metadata: metadata)
        case .untried(let failure):
            logger.warning("container \(name): cannot see whether it is heard: \(failure)", metadata: metadata)
        }
    }
}
