// Attributes: what is behind the fixed part of a message, type by type, `struct nlattr` of `linux/netlink.h`.

internal import CLinux

/// One attribute, in place.
package struct NetlinkAttribute: ~Escapable {
    /// The length of an attribute's header in octets.
    package static let headerLength = MemoryLayout<nlattr>.size

    /// Without NLA_F_NESTED and NLA_F_NET_BYTEORDER, which not every sender sets.
    package let type: UInt16
    /// Octets behind length and type, without padding.
    package let value: Span<UInt8>

    /// True when this is the attribute with a number of the kernel's headers, as IFLA_IFNAME.
    func isOf(_ constant: some BinaryInteger) -> Bool { type == UInt16(truncatingIfNeeded: constant) }

    /// Reads the attribute at the beginning of `bytes`.
    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) throws(NetlinkError) {
        guard bytes.count >= Self.headerLength else { throw .badAttributeLength(0, octets: bytes.count) }
        let length = Int(bytes.hostWord16(0))
        guard length >= Self.headerLength, length <= bytes.count else {
            throw .badAttributeLength(length, octets: bytes.count)
        }
        type = bytes.hostWord16(2) & ~UInt16(truncatingIfNeeded: NLA_F_NESTED | NLA_F_NET_BYTEORDER)
        value = bytes.extracting(Self.headerLength..<length)
    }

    // MARK: - Values

    /// The attributes within this one.
    var nested: NetlinkAttributeReader {
        @_lifetime(copy self)
        get { NetlinkAttributeReader(value) }
    }

    func word32() throws(NetlinkError) -> UInt32 {
        try check(4)
        return value.hostWord32(0)
    }

    func number32() throws(NetlinkError) -> Int32 { Int32(bitPattern: try word32()) }

    /// Octets up to a NUL, if there is one.
    var text: String { KernelText.text(of: value) }

    private func check(_ octets: Int) throws(NetlinkError) {
        guard value.count >= octets else { throw .badAttributeValue(type: type, octets: value.count) }
    }
}

/// Goes through attributes that lie behind one another.
package struct NetlinkAttributeReader: ~Escapable {
    private var rest: Span<UInt8>

    /// Reads attributes that stand one behind the other.
    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>) {
        rest = bytes
    }

    /// Behind the fixed part of a message's payload.
    @_lifetime(copy message)
    init(_ message: borrowing NetlinkMessage, behind fixedLength: Int) throws(NetlinkError) {
        guard message.payload.count >= fixedLength else {
            throw .truncatedPayload(message.type, octets: message.payload.count)
        }
        rest = message.payload.extracting(droppingFirst: min(netlinkAligned(fixedLength), message.payload.count))
    }

    /// The next attribute; nil behind the last. What is too short to be one is padding.
    @_lifetime(copy self)
    package mutating func next() throws(NetlinkError) -> NetlinkAttribute? {
        guard rest.count >= NetlinkAttribute.headerLength else { return nil }
        let attribute = try NetlinkAttribute(rest)
        let length = NetlinkAttribute.headerLength + attribute.value.count
        rest = rest.extracting(droppingFirst: min(netlinkAligned(length), rest.count))
        return attribute
    }
}
