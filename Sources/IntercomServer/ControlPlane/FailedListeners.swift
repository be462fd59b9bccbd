// Listeners that fail while their containers live: they are made anew, at once and then with growing pauses.

import ControlAPI
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

/// A listener that has failed, and when it is made anew.
struct FailedListener {
    /// The first pause, and the longest: it doubles with each failure.
    static let pauses = Duration.milliseconds(100)...Duration.seconds(30)
    /// A listener that has served for so long has recovered: its next failure is a first one.
    static let recovery = Duration.seconds(60)

    private var pause = Duration.zero
    private var lastFailure: ContinuousClock.Instant
    /// Nil while it serves.
    private(set) var due: ContinuousClock.Instant?

    init(_ now: ContinuousClock.Instant) {
        lastFailure = now
        due = now
    }

    mutating func noteFailure(_ now: ContinuousClock.Instant) {
        let hasRecovered = lastFailure.duration(to: now) > max(pause, Self.recovery)
        pause = hasRecovered ? .zero : min(max(pause * 2, Self.pauses.lowerBound), Self.pauses.upperBound)
        lastFailure = now
        due = now + pause
    }

    mutating func noteSuccess() { due = nil }
}

extension ControlPlane {
    func listenerWasRepaired(of view: ViewID) {
        let name = name(of: ContainerID(of: view))
        logger.warning(
            """
            container \(name): a socket of its listener was destroyed inside its namespace (as 'ss -K' does); the listener \
            serves again
            """, metadata: .about(container: name, limitedAs: "repair of \(view.rawValue)"))
    }

    /// A worker has closed a listener that cannot serve any more.
    func listenerFailed(of view: ViewID, _ error: LinuxError) {
        let container = ContainerID(of: view)
        guard let attachment = attachments[container] else { return }
        let now = ContinuousClock.now
        if failedListeners[container] == nil {
            failedListeners[container] = FailedListener(now)
        } else {
            failedListeners[container]?.noteFailure(now)
        }
        noteFailure(of: container, error)
        // The sockets are closed with it, also those that the service manager keeps.
        closeListener(of: container)
        ask([attachment.worker], { .fence(token: $0) }) { [self] _ in remakeListeners() }
    }

    /// Makes the listeners anew that are due.
    func remakeListeners() {
        let now = ContinuousClock.now
        failedListeners = failedListeners.filter { attachments[$0.key] != nil }
        for (container, failed) in failedListeners {
            guard let due = failed.due else { continue }
            if due <= now {
                remakeListener(of: container)
            } else {
                schedule(.remakeListeners, after: now.duration(to: due))
            }
        }
        publish()
    }

    private func remakeListener(of container: ContainerID) {
        guard let attachment = attachments[container] else { return }
        let wanted = registry[container]?.declared?.listen ?? configuration.server.listen
        do throws(ControlError) {
            var entrance = try enter(attachment.source, isRedirected: wanted == .redirect, again: container)
            if let refusal = entrance.refusal { throw .noListener(in: attachment.source, refusal) }
            guard let sockets = entrance.listener.take() else { return }
            hand(sockets, entrance.redirection, to: container)
            attachments[container]?.refusal = nil
            failedListeners[container]?.noteSuccess()
            shortfalls[subject(container)] = nil
            logger.info(
                "container \(name(of: container)) has a listener again",
                metadata: .about(container: name(of: container)))
        } catch {
            shortfalls[subject(container)] = error.message
            failedListeners[container]?.noteFailure(.now)
            if let due = failedListeners[container]?.due {
                schedule(.remakeListeners, after: ContinuousClock.now.duration(to: due))
            }
        }
    }

    private func noteFailure(of container: ContainerID, _ error: LinuxError) {
        attachments[container]?.refusal = error
        shortfalls[subject(container)] = "failed: \(error)"
        logger.warning(
            "container \(name(of: container)): its listener failed and is made anew: \(error)",
            metadata: .about(container: name(of: container), limitedAs: "failure of \(container.rawValue)"))
    }

    private func subject(_ container: ContainerID) -> String { "listener of container \(name(of: container))" }
}
