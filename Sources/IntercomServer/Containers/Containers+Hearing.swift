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
        readResolversAgain(of: namespace) { [self] in
            // Nobody may want to know any more: a socket would keep the namespace alive.
            guard room.isProving(namespace, by: errand) else { return }
            guard let attached = attached[namespace], let source = room[namespace]?.source else {
                let failure = Failure(.notThere, "the container has ended")
                return takeProof(.proved(errand, .untried(failure)), of: namespace)
            }
            switch attached.resolvers.proof {
            case .notAsked(let servers): takeProof(.proved(errand, .notAsked(servers)), of: namespace)
            case .ask(let servers):
                hearing.prove(
                    HearingOrder(
                        errand: errand, view: attached.container.view, namespace: NamespaceIdentity(namespace),
                        source: source, servers: servers
                    ) { [unowned self] event in takeProof(event, of: namespace) })
            }
        }
    }

    private func takeProof(_ event: Event, of namespace: NamespaceKey) {
        handle(event)
        if case .proved = event { callWaiters(of: namespace) }
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
            logger.warning(
                "container \(name) does not ask here: \(servers.reason); \(servers.cure)", metadata: metadata)
        case .untried(let failure):
            logger.warning("container \(name): cannot see whether it is heard: \(failure)", metadata: metadata)
        }
    }
}
