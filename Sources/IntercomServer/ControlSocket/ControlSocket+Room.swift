// Room for clients of the control socket: who keeps us waiting is closed first, and in the end by the clock.

import LinuxNet
import Logging
import Tables

extension ControlSocket {
    // MARK: - Patience

    /// The client without progress for the longest time, of those that meet a condition.
    func latest(where condition: (borrowing ControlConnection) -> Bool) -> Ticket? {
        var latest: (client: Ticket, since: ContinuousClock.Instant)?
        for position in 0..<connections.count where condition(connections[position]) {
            let since = connections[position].lastProgress
            if latest.map({ since < $0.since }) ?? true { latest = (connections.ticket(at: position), since) }
        }
        return latest?.client
    }

    /// Makes room for one more client, if there is none: at the cost of one that has not called yet or sent half a call,
    /// else of one that is idle or does not read.
    func makeRoom() -> Bool {
        guard connections.count >= ControlSocketLimits.connections else { return true }
        guard let least = latest(where: { $0.isAwaited }) ?? latest(where: { $0.isIdleOrStuck }) else { return false }
        close(least)
        return true
    }

    private var isClockRunning: Bool {
        switch clock {
        case .some: true
        case .none: false
        }
    }

    func startClock() {
        if isClockRunning { return }
        guard let timer = try? Timer(every: ControlSocketLimits.checkInterval) else { return }
        try? loop.add(timer.descriptor, token: Token.clock, interest: [.readable])
        clock = consume timer
    }

    /// Closes the connections of clients that owe us octets for too long.
    func closeLate() {
        clock?.drain()
        let last = ContinuousClock.now - ControlSocketLimits.patience
        var late: [Ticket] = []
        var isAnyAwaited = false
        for position in 0..<connections.count where connections[position].isAwaited {
            if connections[position].lastProgress < last {
                late.append(connections.ticket(at: position))
            } else {
                isAnyAwaited = true
            }
        }
        for client in late {
            logger.debug("control connection closed: no progress for \(ControlSocketLimits.patience)")
            close(client)
        }
        if !isAnyAwaited { clock = nil }
    }
}
