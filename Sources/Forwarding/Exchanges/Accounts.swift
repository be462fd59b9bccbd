// Who pays for exchanges: how many each namespace has under way, and which is its oldest.

import DequeModule

/// What the namespaces wait for. An exchange that several wait for counts for each of them.
struct Accounts: Sendable {
    private struct Account {
        /// In the order in which it began to wait for them. Those that it waits for no more are still in it for a while.
        var exchanges = Deque<Slot>()
        /// How many of them it waits for.
        var open = 0
        /// Its waiters in all of them.
        var places = 0
    }

    private var accounts: [UInt32: Account] = [:]

    /// The exchanges that a namespace waits for.
    func exchanges(of namespace: UInt32) -> Int { accounts[namespace]?.open ?? 0 }

    /// The waiters of a namespace.
    func places(of namespace: UInt32) -> Int { accounts[namespace]?.places ?? 0 }

    /// The namespace that waits for the most exchanges.
    var largest: UInt32? { accounts.max { $0.value.open < $1.value.open }?.key }

    /// Somebody of a namespace waits for an exchange.
    /// - Parameter isFirst: nobody of that namespace waited for it before.
    mutating func join(_ namespace: UInt32, _ exchange: Slot, isFirst: Bool) {
        accounts[namespace, default: Account()].places += 1
        guard isFirst else { return }
        accounts[namespace]?.open += 1
        accounts[namespace]?.exchanges.append(exchange)
    }

    /// Nobody of a namespace waits for an exchange any more, of so many that did.
    mutating func leave(_ namespace: UInt32, places: Int) {
        guard var account = accounts.removeValue(forKey: namespace) else { return }
        account.places -= places
        account.open -= 1
        guard account.open > 0 else { return }
        accounts[namespace] = account
    }

    /// The exchange that a namespace has waited for longest.
    /// - Parameter waits: whether it still waits for one.
    mutating func oldest(of namespace: UInt32, waits: (Slot) -> Bool) -> Slot? {
        while let slot = accounts[namespace]?.exchanges.first {
            if waits(slot) { return slot }
            accounts[namespace]?.exchanges.removeFirst()
        }
        return nil
    }

    /// Drops what is waited for no more, where that is most of it.
    mutating func tidy(_ namespace: UInt32, waits: (Slot) -> Bool) {
        guard let account = accounts[namespace], account.exchanges.count > 2 * account.open + 16 else { return }
        accounts[namespace]?.exchanges = Deque(account.exchanges.filter(waits))
    }
}
