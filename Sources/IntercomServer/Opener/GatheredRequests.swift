// Requests to the opener of which thousands come at once: a thread takes several, and the opener hears of them in one call.

import DequeModule
import Synchronization

/// Requests of one kind that wait for a thread. Alone, a request is carried out alone.
final class GatheredRequests<Order: Sendable, Made: Sendable>: Sendable {
    private struct Waiting {
        let order: Order
        let done: @Sendable (Made) -> Void
    }

    /// The most requests that are carried out together: what one of them waits for, all wait for.
    private let limit: Int
    private let waiting = Mutex<Deque<Waiting>>([])
    private let carryOut: @Sendable ([Order], any Opener) -> [Made]

    /// - Parameters:
    ///   - limit: the most that are carried out together.
    ///   - carryOut: carries out requests, and gives what came of each, in their order.
    init(atMost limit: Int, _ carryOut: @escaping @Sendable ([Order], any Opener) -> [Made]) {
        self.limit = limit
        self.carryOut = carryOut
    }

    /// Adds a request; `done` is called by the thread that has carried it out.
    func add(_ order: Order, _ done: @escaping @Sendable (Made) -> Void) {
        waiting.withLock { $0.append(Waiting(order: order, done: done)) }
    }

    /// Carries out the share of one thread of what waits; nothing where other threads have taken all.
    func carryOutSome(by opener: any Opener) {
        let share = waiting.withLock { waiting in
            // Half of what is more than there are threads for: processors are fewer than threads, and a call costs as much as
            // what it is about.
            let isCrowded = waiting.count > OpenerRequests.usualThreadLimit
            let count = min(isCrowded ? waiting.count / 2 : 1, limit, waiting.count)
            let share = Array(waiting.prefix(count))
            waiting.removeFirst(count)
            return share
        }
        guard !share.isEmpty else { return }
        for (one, made) in zip(share, carryOut(share.map(\.order), opener)) { one.done(made) }
    }
}
