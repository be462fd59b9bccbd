// Tokens of the control plane's loop: the subject of an event.

import Tables

/// Subject of an event of the control plane's loop.
enum ControlToken {
    case signals, mailbox, requests, control, inotify, mounts, resolver, heartbeat, namespaces, routes, cluster, hosts,
        resolveHook, gates
    case process(Ticket)
    case redirection(Ticket)
    case netlink(Ticket)
    case proof(Ticket)

    /// A ticket leaves four bits for a kind. Subjects without one share kind 0, and have a number.
    var word: UInt64 {
        switch self {
        case .signals: 1
        case .mailbox: 2
        case .requests: 3
        case .control: 4
        case .inotify: 5
        case .mounts: 6
        case .resolver: 7
        case .heartbeat: 8
        case .namespaces: 9
        case .routes: 10
        case .cluster: 11
        case .hosts: 12
        case .resolveHook: 13
        case .gates: 14
        case .process(let ticket): 1 << 60 | ticket.word
        case .redirection(let ticket): 2 << 60 | ticket.word
        case .netlink(let ticket): 3 << 60 | ticket.word
        case .proof(let ticket): 4 << 60 | ticket.word
        }
    }

    init?(word: UInt64) {
        let rest = word & 0x0FFF_FFFF_FFFF_FFFF
        let ticket = Ticket(word: rest)
        switch (word >> 60, rest) {
        case (0, 1): self = .signals
        case (0, 2): self = .mailbox
        case (0, 3): self = .requests
        case (0, 4): self = .control
        case (0, 5): self = .inotify
        case (0, 6): self = .mounts
        case (0, 7): self = .resolver
        case (0, 8): self = .heartbeat
        case (0, 9): self = .namespaces
        case (0, 10): self = .routes
        case (0, 11): self = .cluster
        case (0, 12): self = .hosts
        case (0, 13): self = .resolveHook
        case (0, 14): self = .gates
        case (1, _): self = .process(ticket)
        case (2, _): self = .redirection(ticket)
        case (3, _): self = .netlink(ticket)
        case (4, _): self = .proof(ticket)
        default: return nil
        }
    }
}
