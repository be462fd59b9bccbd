// Calls that wait for the verdict on a container, for a bounded time.

import Attachment
import DequeModule

/// Callbacks that are called when there is a verdict on a container's listener, or when they have waited for long enough.
struct VerdictWaiters {
    /// The longest wait: the time of a question that goes nowhere, and some to send it.
    static let patience = HearingProofs.deadline + .milliseconds(200)

    private var waiting: [NamespaceKey: [(number: UInt64, done: () -> Void)]] = [:]
    /// In their order: all wait equally long.
    private var deadlines: Deque<(time: ContinuousClock.Instant, namespace: NamespaceKey, number: UInt64)> = []
    private var lastNumber: UInt64 = 0

    /// Adds a callback.
    mutating func add(_ namespace: NamespaceKey, now: ContinuousClock.Instant, _ done: @escaping () -> Void) {
        lastNumber &+= 1
        waiting[namespace, default: []].append((lastNumber, done))
        deadlines.append((now + Self.patience, namespace, lastNumber))
    }

    /// The callbacks that wait for a container, in their order.
    mutating func take(_ namespace: NamespaceKey) -> [() -> Void] {
        guard let taken = waiting.removeValue(forKey: namespace) else { return [] }
        while let first = deadlines.first, !isWaiting(first.namespace, first.number) { deadlines.removeFirst() }
        return taken.map(\.done)
    }

    private func isWaiting(_ namespace: NamespaceKey, _ number: UInt64) -> Bool {
        waiting[namespace]?.contains { $0.number == number } ?? false
    }

    /// The callbacks that have waited for long enough.
    mutating func takeDue(now: ContinuousClock.Instant) -> [() -> Void] {
        var due: [() -> Void] = []
        while let (time, namespace, number) = deadlines.first, time <= now {
            deadlines.removeFirst()
            guard let index = waiting[namespace]?.firstIndex(where: { $0.number == number }) else { continue }
            if let waiter = waiting[namespace]?.remove(at: index) { due.append(waiter.done) }
            if waiting[namespace]?.isEmpty == true { waiting[namespace] = nil }
        }
        return due
    }

    /// Time at which ``takeDue(now:)`` has something; nil: nobody waits.
    var nextDeadline: ContinuousClock.Instant? { deadlines.first?.time }
}
