// The name by which the forwarder and its owner speak of one upstream socket.

import Tables

/// One socket to one upstream: chosen by the forwarder, opened and closed by its owner.
///
/// A token is never given twice while anything may still speak of its first use: bytes that arrive under the token of a
/// closed socket are recognised as late and dropped.
package struct SocketToken: Hashable, Sendable {
    /// The word of the socket's ticket: slot in the low half, generation in the high half.
    package let rawValue: UInt64

    /// The token with this raw value, as it came back from where the owner kept it.
    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    init(_ ticket: Ticket) {
        rawValue = ticket.word
    }

    var ticket: Ticket { Ticket(word: rawValue) }
}
