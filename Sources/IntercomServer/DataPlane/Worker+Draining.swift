// The end of a worker: what it owes is still sent; what it has not read waits for the next daemon.

import Forwarding
import LinuxNet

extension Worker {
    /// How long a worker that was told to stop waits at most: for upstreams, and for clients that do not take their answers.
    /// Queries wait in the sockets meanwhile, and programs wait for 5 s (resolv.conf(5) `timeout`).
    static var drainTime: Lapse { .milliseconds(500) }

    /// Reads no more queries. Connections get a FIN once they have their answers.
    mutating func beginDraining() {
        drainDeadline = Moment.now + Self.drainTime
        for position in 0..<listeners.count {
            try? epoll.remove(listeners[position].sockets.udp)
            try? epoll.remove(listeners[position].sockets.tcp)
        }
        for position in stride(from: streams.count - 1, through: 0, by: -1) {
            let ticket = streams.ticket(at: position)
            // What has come is read once more: it is owed an answer, and a socket that is closed with unread octets in it
            // sends a reset, which takes the answers with it.
            streams[position].observe(.readable)
            serveStream(ticket)
            guard let position = streams.position(of: ticket) else { continue }
            streams[position].hasEnded = true
            settle(ticket)
        }
    }

    /// Whether a worker that was told to stop may end.
    var hasDrained: Bool {
        mutating get {
            guard let drainDeadline else { return false }
            return streams.isEmpty && forwarder.inFlight == 0 || Moment.now >= drainDeadline
        }
    }
}
