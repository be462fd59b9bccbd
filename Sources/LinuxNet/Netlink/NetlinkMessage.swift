// Netlink's framing: messages behind one another in a datagram, netlink(7) and `linux/netlink.h`.

internal import CLinux

/// Type of a message: one of netlink's own, or of the socket's protocol.
package struct NetlinkMessageType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    init(_ constant: some BinaryInteger) {
        rawValue = UInt16(truncatingIfNeeded: constant)
    }

    /// An acknowledgement, or an error.
    package static let error = Self(NLMSG_ERROR)
    /// The end of a dump.
    package static let done = Self(NLMSG_DONE)
}

/// Modifiers of a message (NLM_F_*); some bits mean different things for different types.
package struct NetlinkFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    private init(_ constant: some BinaryInteger) {
        rawValue = UInt16(truncatingIfNeeded: constant)
    }

    /// A request to the kernel.
    package static let request = Self(NLM_F_REQUEST)
    /// An acknowledgement is asked for.
    package static let acknowledge = Self(NLM_F_ACK)
    /// The data changed during the dump: some of it may be missing or old.
    package static let dumpInterrupted = Self(NLM_F_DUMP_INTR)
    /// Of a request: everything there is, not one thing.
    package static let dump = Self(NLM_F_DUMP)
    /// Of a request that makes something: it may be absent before.
    package static let create = Self(NLM_F_CREATE)
    /// Of a request that makes something: it may not be there before.
    package static let exclusive = Self(NLM_F_EXCL)
    /// Of a request that makes something: behind what is there.
    package static let append = Self(NLM_F_APPEND)
    /// Of an acknowledgement: the request is not in it as a whole, but its header alone.
    package static let capped = Self(NLM_F_CAPPED)
    /// Of an acknowledgement: attributes are behind it, such as a message for people.
    package static let hasAttributes = Self(NLM_F_ACK_TLVS)
}

/// One message, in place: `struct nlmsghdr` and what is behind it.
package struct NetlinkMessage: ~Escapable {
    /// The length of a header in octets; it is a multiple of the alignment.
    package static let headerLength = MemoryLayout<nlmsghdr>.size

    /// Type of the message.
    package let type: NetlinkMessageType
    /// NLM_F_*: how it is meant.
    package let flags: NetlinkFlags
    /// Sequence number of the request that this answers.
    package let sequence: UInt32
    /// The socket that asked, by netlink's number; of an event: whose request caused it, 0 where nobody's did.
    package let port: UInt32
    /// Octets behind the header.
    package let payload: Span<UInt8>

    /// Reads the message at the beginning of `bytes`.
    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) throws(NetlinkError) {
        guard bytes.count >= Self.headerLength else { throw .truncatedMessage(octets: bytes.count) }
        let length = Int(bytes.hostWord32(0))
        guard length >= Self.headerLength, length <= bytes.count else {
            throw .badMessageLength(length, octets: bytes.count)
        }
        type = NetlinkMessageType(rawValue: bytes.hostWord16(4))
        flags = NetlinkFlags(rawValue: bytes.hostWord16(6))
        sequence = bytes.hostWord32(8)
        port = bytes.hostWord32(12)
        payload = bytes.extracting(Self.headerLength..<length)
    }
}

/// Goes through the messages of a datagram.
package struct NetlinkReader: ~Escapable {
    private var rest: Span<UInt8>

    /// Reads messages that stand one behind the other, as one datagram brings them.
    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>) {
        rest = bytes
    }

    /// The next message; nil behind the last.
    @_lifetime(copy self)
    package mutating func next() throws(NetlinkError) -> NetlinkMessage? {
        guard !rest.isEmpty else { return nil }
        let message = try NetlinkMessage(rest)
        let length = NetlinkMessage.headerLength + message.payload.count
        rest = rest.extracting(droppingFirst: min(netlinkAligned(length), rest.count))
        return message
    }
}

/// NLMSG_ALIGN and NLA_ALIGN: messages and attributes begin at multiples of four octets.
@inline(__always)
func netlinkAligned(_ length: Int) -> Int { (length + 3) & ~3 }

extension Span<UInt8> {
    // Netlink's numbers are in the host's order, wherever they lie.

    /// The 16-bit number at an offset that was checked before.
    @inline(__always)
    func hostWord16(_ offset: Int) -> UInt16 {
        UInt16(littleEndian: UInt16(self[offset]) | UInt16(self[offset + 1]) << 8)
    }

    /// The 32-bit number at an offset that was checked before.
    @inline(__always)
    func hostWord32(_ offset: Int) -> UInt32 {
        let octets = (0..<4).reduce(UInt32(0)) { $0 | UInt32(self[offset + $1]) << (8 * UInt32($1)) }
        return UInt32(littleEndian: octets)
    }
}
