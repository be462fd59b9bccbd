// Compression pointers: the rest of a name, by its offset in the message.

/// A compression pointer: two octets whose upper two bits are set; the other fourteen are an offset in the message (RFC 1035
/// §4.1.4).
public enum CompressionPointer {
    /// The bits that tell a pointer from the length of a label, in the first octet. 01 and 10 are neither (RFC 6891 §5).
    @inlinable
    public static var mark: UInt8 { 0xC0 }
    /// The largest offset that a pointer can have.
    @inlinable
    public static var maximumOffset: Int { 0x3FFF }

    /// The pointer to an offset, 12...``maximumOffset``.
    @inlinable
    public static func word(to offset: Int) -> UInt16 { UInt16(mark) << 8 | UInt16(truncatingIfNeeded: offset) }

    /// The offset that a pointer's two octets have.
    @inlinable
    public static func target(_ word: UInt16) -> Int { Int(word) & maximumOffset }
}
