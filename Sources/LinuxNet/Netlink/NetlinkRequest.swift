// Requests to the kernel, written octet by octet: a header, a fixed part, attributes.

internal import CLinux

/// A message to the kernel.
package struct NetlinkRequest: Sendable {
    /// The message's type as the kernel's headers spell it, such as `RTM_GETLINK`; errors name it.
    package let name: String
    /// The message as it is sent; the length in its first word is right after every step.
    package private(set) var bytes: [UInt8] = []

    /// Begins a request without a fixed part and without attributes.
    /// - Parameter isAcknowledged: asks the kernel to say when it is done (NLM_F_ACK), not only when it refuses.
    init(_ name: String, _ type: some BinaryInteger, flags: NetlinkFlags = [], isAcknowledged: Bool = true) {
        self.name = name
        append(UInt32(NetlinkMessage.headerLength))
        append(UInt16(truncatingIfNeeded: type))
        append(flags.union(isAcknowledged ? [.request, .acknowledge] : [.request]).rawValue)
        // The sequence number is set before sending; port 0 stands for the socket that sends.
        append(UInt32(0))
        append(UInt32(0))
    }

    /// The number that every message of the answer carries.
    package var sequence: UInt32 {
        get { bytes.span.hostWord32(8) }
        set { overwrite(newValue, at: 8) }
    }

    /// NLM_F_*.
    var flags: NetlinkFlags {
        get { NetlinkFlags(rawValue: bytes.span.hostWord16(6)) }
        set {
            let word = newValue.rawValue.littleEndian
            bytes[6] = UInt8(truncatingIfNeeded: word)
            bytes[7] = UInt8(truncatingIfNeeded: word >> 8)
        }
    }

    // MARK: - Parts

    /// Appends the fixed part of a message of the protocol.
    mutating func append(fixed octets: [UInt8]) {
        bytes += octets
        finishPart()
    }

    /// Appends an attribute with a number in the host's order, as rtnetlink has them.
    mutating func append(attribute type: some BinaryInteger, _ value: Int32) {
        append(attribute: type, octets: Self.octets(of: UInt32(bitPattern: value)))
    }

    /// Appends an attribute with a number in network order, as nfnetlink has them.
    mutating func append(attribute type: some BinaryInteger, network value: UInt32) {
        append(attribute: type, octets: Self.networkOctets(of: value))
    }

    /// Appends an attribute with text, which a NUL ends.
    mutating func append(attribute type: some BinaryInteger, text: String) {
        append(attribute: type, octets: Array(text.utf8) + [0])
    }

    /// Appends an attribute: its length without padding, its type, its value. A value has at most 65,531 octets.
    mutating func append(attribute type: some BinaryInteger, octets: [UInt8]) {
        append(UInt16(truncatingIfNeeded: NetlinkAttribute.headerLength + octets.count))
        append(UInt16(truncatingIfNeeded: type))
        bytes += octets
        finishPart()
    }

    /// Appends an attribute whose value is the attributes that `body` appends (NLA_F_NESTED).
    mutating func nest(_ type: some BinaryInteger, _ body: (inout NetlinkRequest) -> Void) {
        let start = bytes.count
        append(UInt16(0))
        append(UInt16(truncatingIfNeeded: type) | UInt16(truncatingIfNeeded: NLA_F_NESTED))
        body(&self)
        let length = UInt16(truncatingIfNeeded: bytes.count - start).littleEndian
        bytes[start] = UInt8(truncatingIfNeeded: length)
        bytes[start + 1] = UInt8(truncatingIfNeeded: length >> 8)
        finishPart()
    }

    private mutating func finishPart() {
        while bytes.count % 4 != 0 { bytes.append(0) }
        overwrite(UInt32(bytes.count), at: 0)
    }

    private mutating func append(_ word: UInt16) {
        let word = word.littleEndian
        bytes += [UInt8(truncatingIfNeeded: word), UInt8(truncatingIfNeeded: word >> 8)]
    }

    private mutating func append(_ word: UInt32) {
        bytes += Self.octets(of: word)
    }

    private mutating func overwrite(_ word: UInt32, at offset: Int) {
        bytes.replaceSubrange(offset..<offset + 4, with: Self.octets(of: word))
    }

    /// A word in the host's order.
    static func octets(of word: UInt32) -> [UInt8] {
        let word = word.littleEndian
        return (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) }
    }

    /// A word in network order.
    static func networkOctets(of word: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * UInt32($0))) }
    }
}
