// Accounts of namespaces: how many exchanges each has under way, and which is its oldest.

import Tables

/// The exchanges that namespaces wait for. One that several wait for counts for each of them.
struct Accounts: Sendable {
    private struct Account {
        /// In the order in which it began to wait for them.
        var exchanges = TicketQueue()
        /// Exchanges that it waits for.
        var open = 0
        /// Its waiters in all of them.
        var places = 0
    }

    private var accounts: [UInt32: Account] = [:]

    /// The exchanges that a namespace waits for.
    func exchanges(of namespace: UInt32) -> Int { accounts[namespace]?.open ?? 0 }

    /// The waiters of a namespace.
    func places(of namespace: UInt32) -> Int { accounts[namespace]?.places ?? 0 }

    /// The exchanges that are remembered for a namespace, those that it waits for no more included.
    func remembered(of namespace: UInt32) -> Int { accounts[namespace]?.exchanges.count ?? 0 }

    /// The namespace that waits for the most exchanges.
    var largest: UInt32? { accounts.max { $0.value.open < $1.value.open }?.key }

    /// Somebody of a namespace waits for an exchange.
    /// - Parameters:
    ///   - isFirst: nobody of that namespace waited for it before.
    ///   - table: all exchanges.
    mutating func join(_ namespace: UInt32, _ exchange: Ticket, isFirst: Bool, in table: borrowing SlotTable<Exchange>)
    {
        var account = accounts.removeValue(forKey: namespace) ?? Account()
        account.places += 1
        if isFirst {
            account.open += 1
            account.exchanges.append(exchange, waiting: account.open) { table[$0]?.isAwaited(in: namespace) == true }
        }
        accounts[namespace] = account
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
    /// - Parameter table: all exchanges.
    mutating func oldest(of namespace: UInt32, in table: borrowing SlotTable<Exchange>) -> Ticket? {
        accounts[namespace]?.exchanges.first { table[$0]?.isAwaited(in: namespace) == true }
    }
}
