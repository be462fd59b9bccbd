// What an epoll event is about: a kind and a ticket in the word that the kernel hands back.

/// The meaning of `epoll_event.data` in a worker.
///
/// The kind is in the top four bits; generations are compared in their low 28 bits only.
struct Token {
    enum Kind: UInt64 {
        case inbox, datagramListener, streamListener, stream, upstream
    }

    let kind: Kind
    let ticket: Ticket

    init(_ kind: Kind, _ ticket: Ticket = Ticket(slot: 0, generation: 0)) {
        self.kind = kind
        self.ticket = ticket
    }

    init?(word: UInt64) {
        guard let kind = Kind(rawValue: word >> 60) else { return nil }
        self.init(kind, Ticket(word: word & 0x0FFF_FFFF_FFFF_FFFF))
    }

    var word: UInt64 { kind.rawValue << 60 | (ticket.word & 0x0FFF_FFFF_FFFF_FFFF) }
}
