// The name by which the forwarder and its owner speak of one upstream socket.

/// One socket to one upstream: chosen by the forwarder, opened and closed by its owner.
///
/// A token is never given twice while anything may still speak of its first use: bytes that arrive under the token of a
/// closed socket are recognised as late and dropped.
package struct SocketToken: Hashable, Sendable {
    /// Slot number in the low half, the slot's generation in the high half. Fits an epoll token.
    package let rawValue: UInt64

    /// The token with this raw value, as it came back from where the owner kept it.
    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    init(_ slot: Slot) {
        rawValue = UInt64(slot.generation) << 32 | UInt64(slot.index)
    }

    var slot: Slot {
        Slot(index: UInt32(truncatingIfNeeded: rawValue), generation: UInt32(truncatingIfNeeded: rawValue >> 32))
    }
}
