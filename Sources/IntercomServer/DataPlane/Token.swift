// The subject of an epoll event: a kind and a ticket in the word that the kernel hands back.

import Tables

/// The meaning of `epoll_event.data` in a worker.
///
/// The kind is in the top four bits, which no ticket's word uses.
struct Token {
    enum Kind: UInt64 {
        case inbox, bell, datagramListener, streamListener, stream, upstream, admissions
    }

    let kind: Kind
    let ticket: Ticket

    init(_ kind: Kind, _ ticket: Ticket = Ticket(slot: 0, generation: 0)) {
        self.kind = kind
        self.ticket = ticket
    }

    init?(word: UInt64) {
        guard let kind = Kind(rawValue: word >> Self.kindShift) else { return nil }
        self.init(kind, Ticket(word: word & ~Self.kindMask))
    }

    var word: UInt64 { kind.rawValue << Self.kindShift | ticket.word & ~Self.kindMask }

    private static var kindShift: UInt64 { 60 }
    private static var kindMask: UInt64 { 0xF << kindShift }
}
