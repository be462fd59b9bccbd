// Requests to the kernel, written octet by octet: a header, a fixed part, attributes.

internal import CLinux

/// A message to the kernel.
package struct NetlinkRequest: Sendable {
    /// As the kernel's headers call it.
    let name: String
    /// As it is sent; its length, which it begins with, is right after every step.
    package private(set) var bytes: [UInt8] = []

    /// Begins a request that has neither a fixed part nor attributes yet.
    init(_ name: String, _ type: some BinaryInteger, flags: NetlinkFlags = []) {
        self.name = name
        append(UInt32(NetlinkMessage.headerLength))
        append(UInt16(truncatingIfNeeded: type))
        append(flags.union([.request, .acknowledge]).rawValue)
        // The sequence number comes when it is sent; the port is that of the socket it is sent on.
        append(UInt32(0))
        append(UInt32(0))
    }

    /// The number that every message of the answer has.
    package var sequence: UInt32 {
        get { bytes.span.hostWord32(8) }
        set { overwrite(newValue, at: 8) }
    }

    // MARK: - Parts

    /// Appends the fixed part of a message of the protocol.
    mutating func append(fixed octets: [UInt8]) {
        bytes += octets
        finishPart()
    }

    /// Appends an attribute with a number.
    mutating func append(attribute type: some BinaryInteger, _ value: Int32) {
        append(UInt16(NetlinkAttribute.headerLength + 4))
        append(UInt16(truncatingIfNeeded: type))
        append(UInt32(bitPattern: value))
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

    /// In the host's order.
    static func octets(of word: UInt32) -> [UInt8] {
        let word = word.littleEndian
        return (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) }
    }
}
