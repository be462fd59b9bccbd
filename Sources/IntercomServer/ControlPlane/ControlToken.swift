// Tokens of the control plane's loop: the subject of an event.

import Tables

/// Subject of an event of the control plane's loop.
enum ControlToken {
    case signals, mailbox, requests, control, inotify, mounts, resolver, heartbeat, namespaces, routes, cluster
    case process(Ticket)
    case redirection(Ticket)
    case netlink(Ticket)
    case proof(Ticket)

    var word: UInt64 {
        switch self {
        case .signals: 1 << 60
        case .mailbox: 2 << 60
        case .requests: 7 << 60
        case .control: 3 << 60
        case .inotify: 4 << 60
        case .mounts: 5 << 60
        case .process(let ticket): 6 << 60 | ticket.word
        case .resolver: 8 << 60
        case .heartbeat: 9 << 60
        case .redirection(let ticket): 10 << 60 | ticket.word
        case .netlink(let ticket): 11 << 60 | ticket.word
        case .namespaces: 12 << 60
        case .routes: 13 << 60
        case .proof(let ticket): 14 << 60 | ticket.word
        case .cluster: 15 << 60
        }
    }

    init?(word: UInt64) {
        let ticket = Ticket(word: word & 0x0FFF_FFFF_FFFF_FFFF)
        switch word >> 60 {
        case 1: self = .signals
        case 2: self = .mailbox
        case 3: self = .control
        case 4: self = .inotify
        case 5: self = .mounts
        case 6: self = .process(ticket)
        case 7: self = .requests
        case 8: self = .resolver
        case 9: self = .heartbeat
        case 10: self = .redirection(ticket)
        case 11: self = .netlink(ticket)
        case 12: self = .namespaces
        case 13: self = .routes
        case 14: self = .proof(ticket)
        case 15: self = .cluster
        default: return nil
        }
    }
}
