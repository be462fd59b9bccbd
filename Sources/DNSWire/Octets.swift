// Octets many at a time, from anywhere to anywhere: one check of bounds for all octets of a number.

extension Span<UInt8> {
    /// The 16-bit number at an offset that was checked before.
    @inlinable
    @inline(__always)
    public func word16(_ offset: Int) -> UInt16 {
        let octets = extracting(offset..<offset &+ 2)
        return UInt16(octets[1]) | UInt16(octets[0]) << 8
    }

    /// The 32-bit number at an offset that was checked before.
    @inlinable
    @inline(__always)
    public func word32(_ offset: Int) -> UInt32 {
        let octets = extracting(offset..<offset &+ 4)
        var word = UInt32(octets[3])
        word |= UInt32(octets[2]) << 8
        word |= UInt32(octets[1]) << 16
        word |= UInt32(octets[0]) << 24
        return word
    }

    /// The 64-bit number at an offset that was checked before.
    @inlinable
    @inline(__always)
    public func word64(_ offset: Int) -> UInt64 {
        let octets = extracting(offset..<offset &+ 8)
        // One chain from the last octet to the first: so the compiler makes one load of it.
        var word = UInt64(octets[7])
        word |= UInt64(octets[6]) << 8
        word |= UInt64(octets[5]) << 16
        word |= UInt64(octets[4]) << 24
        word |= UInt64(octets[3]) << 32
        word |= UInt64(octets[2]) << 40
        word |= UInt64(octets[1]) << 48
        word |= UInt64(octets[0]) << 56
        return word
    }

    /// The sixteen octets at an offset that was checked before.
    @inlinable
    @inline(__always)
    public func block(_ offset: Int) -> SIMD16<UInt8> {
        let octets = extracting(offset..<offset &+ 16)
        var block = SIMD16<UInt8>()
        for index in 0..<16 { block[index] = octets[index] }
        return block
    }

    /// True when both are the same octets.
    @inlinable
    @inline(__always)
    public func isEqual(to other: Span<UInt8>) -> Bool {
        // Out of line, so that nothing is made ready for it where the lengths differ.
        count == other.count && hasOctets(of: other)
    }

    /// True when the octets are those of a span of the same length.
    @usableFromInline
    func hasOctets(of other: Span<UInt8>) -> Bool {
        let count = count
        guard count >= 8 else {
            if count >= 4 {
                return word32(0) == other.word32(0) && word32(count &- 4) == other.word32(count &- 4)
            }
            for index in 0..<count where self[index] != other[index] { return false }
            return true
        }
        var index = 0
        while index < count &- 8 {
            if word64(index) != other.word64(index) { return false }
            index &+= 8
        }
        // The last eight, of which some may have been compared already.
        return word64(count &- 8) == other.word64(count &- 8)
    }
}

extension Span<UInt8> {
    /// True where some octet is an ASCII letter in upper case.
    var hasUpperCase: Bool {
        var index = 0
        while index + 8 <= count {
            if folded(word64(index)) != word64(index) { return true }
            index += 8
        }
        while index < count {
            if folded(self[index]) != self[index] { return true }
            index += 1
        }
        return false
    }

    /// True when both are the same octets but for the case of ASCII letters.
    func isEqualFolded(to other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        var index = 0
        while index + 8 <= count {
            if folded(word64(index)) != folded(other.word64(index)) { return false }
            index += 8
        }
        while index < count {
            if folded(self[index]) != folded(other[index]) { return false }
            index += 1
        }
        return true
    }
}

extension MutableSpan<UInt8> {
    /// Stores a number at an offset that was checked before.
    @inlinable
    @inline(__always)
    public mutating func set(_ word: UInt16, at offset: Int) {
        var octets = _mutatingExtracting(offset..<offset &+ 2)
        octets[0] = UInt8(truncatingIfNeeded: word >> 8)
        octets[1] = UInt8(truncatingIfNeeded: word)
    }

    /// Stores a number at an offset that was checked before.
    @inlinable
    @inline(__always)
    public mutating func set(_ word: UInt32, at offset: Int) {
        var octets = _mutatingExtracting(offset..<offset &+ 4)
        octets[0] = UInt8(truncatingIfNeeded: word >> 24)
        octets[1] = UInt8(truncatingIfNeeded: word >> 16)
        octets[2] = UInt8(truncatingIfNeeded: word >> 8)
        octets[3] = UInt8(truncatingIfNeeded: word)
    }

    /// Stores a number at an offset that was checked before.
    @inlinable
    @inline(__always)
    public mutating func set(_ word: UInt64, at offset: Int) {
        var octets = _mutatingExtracting(offset..<offset &+ 8)
        octets[0] = UInt8(truncatingIfNeeded: word >> 56)
        octets[1] = UInt8(truncatingIfNeeded: word >> 48)
        octets[2] = UInt8(truncatingIfNeeded: word >> 40)
        octets[3] = UInt8(truncatingIfNeeded: word >> 32)
        octets[4] = UInt8(truncatingIfNeeded: word >> 24)
        octets[5] = UInt8(truncatingIfNeeded: word >> 16)
        octets[6] = UInt8(truncatingIfNeeded: word >> 8)
        octets[7] = UInt8(truncatingIfNeeded: word)
    }

    /// Stores sixteen octets at an offset that was checked before.
    @inlinable
    @inline(__always)
    public mutating func set(_ block: SIMD16<UInt8>, at offset: Int) {
        var octets = _mutatingExtracting(offset..<offset &+ 16)
        for index in 0..<16 { octets[index] = block[index] }
    }

    /// Copies octets to an offset; that there is room for them was checked before.
    ///
    /// Names and records are short, so a call of memcpy would be dearer than this.
    @inlinable
    @inline(__always)
    public mutating func copy(_ source: Span<UInt8>, to offset: Int) {
        let count = source.count
        guard count >= 16 else { return copyFew(source, to: offset) }
        var target = _mutatingExtracting(offset..<offset &+ count)
        var index = 0
        while index < count &- 16 {
            target.set(source.block(index), at: index)
            index &+= 16
        }
        // The last sixteen, of which some may have been copied already.
        target.set(source.block(count &- 16), at: count &- 16)
    }

    /// Copies less than sixteen octets.
    @usableFromInline
    mutating func copyFew(_ source: Span<UInt8>, to offset: Int) {
        let count = source.count
        var target = _mutatingExtracting(offset..<offset &+ count)
        if count >= 8 {
            target.set(source.word64(0), at: 0)
            target.set(source.word64(count &- 8), at: count &- 8)
        } else {
            for index in target.indices { target[index] = source[index] }
        }
    }
}

/// The lower case of an ASCII letter, any other octet as it is (RFC 4343 §3).
@inline(__always)
func folded(_ octet: UInt8) -> UInt8 {
    octet | ((octet &- 0x41) < 26 ? 0x20 : 0)
}

/// The same for eight octets at once.
@inline(__always)
func folded(_ octets: UInt64) -> UInt64 {
    let low7 = octets & 0x7F7F_7F7F_7F7F_7F7F
    // The high bit of each octet: from A on, and behind Z. No octet carries into the next.
    let isUpper =
        ((low7 &+ 0x3F3F_3F3F_3F3F_3F3F) ^ (low7 &+ 0x2525_2525_2525_2525)) & ~octets & 0x8080_8080_8080_8080
    return octets | isUpper >> 2
}

/// The same for sixteen octets at once.
@inline(__always)
func folded(_ octets: SIMD16<UInt8>) -> SIMD16<UInt8> {
    let low7 = octets & 0x7F
    // The high bit of each octet: from A on, and behind Z. (Comparing them would be a loop over octets.)
    let isUpper = ((low7 &+ 0x3F) ^ (low7 &+ 0x25)) & ~octets & 0x80
    return octets | isUpper &>> 2
}
