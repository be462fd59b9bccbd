// Containers of sources whose namespaces have ended: shown for ten minutes, then dropped.

import Attachment
import DequeModule
import Registry

/// Knows since when containers of sources have ended, while their sources still tell of them.
struct EndedPublications {
    /// All have the same time, and so stand in the order of their ends.
    private var queue: Deque<(end: ContinuousClock.Instant, key: PublicationKey)> = []
    private var ends: [PublicationKey: ContinuousClock.Instant] = [:]

    /// Takes in a container that has ended; one that is known stays as it is.
    mutating func add(_ key: PublicationKey, now: ContinuousClock.Instant) {
        guard ends[key] == nil else { return }
        ends[key] = now
        queue.append((now, key))
    }

    /// Takes out a container that is there again, or of which nobody tells any more.
    mutating func remove(_ key: PublicationKey) {
        ends[key] = nil
        while let first = queue.first, ends[first.key] != first.end { queue.removeFirst() }
    }

    /// Takes out those that have been shown for long enough.
    mutating func takeDue(now: ContinuousClock.Instant) -> [PublicationKey] {
        var due: [PublicationKey] = []
        while let first = queue.first, first.end + Attachments.endedLife <= now {
            queue.removeFirst()
            guard ends[first.key] == first.end else { continue }
            ends[first.key] = nil
            due.append(first.key)
        }
        return due
    }

    /// Time at which ``takeDue(now:)`` has something; nil: none has ended.
    var nextDeadline: ContinuousClock.Instant? { queue.first.map { $0.end + Attachments.endedLife } }
}
