// Answers without the records that lead to private addresses: protection against DNS rebinding.

extension ResourceRecord {
    /// True for a record of class IN that leads to a private address: A, AAAA, and the hints of SVCB and HTTPS (RFC 9460 §7.3). So
    /// is one of these that cannot be read.
    public func leadsToPrivateAddress(_ message: Span<UInt8>) -> Bool {
        guard recordClass == .in else { return false }
        switch type {
        case .a: return rdataLength != 4 || IPv4Address(bits: message.word32(rdataOffset)).isPrivate
        case .aaaa: return rdataLength != 16 || Self.isPrivateIPv6(message, at: rdataOffset)
        case .svcb, .https: return hasPrivateHint(message)
        default: return false
        }
    }

    private static func isPrivateIPv6(_ message: Span<UInt8>, at offset: Int) -> Bool {
        let bits = UInt128(message.word64(offset)) << 64 | UInt128(message.word64(offset + 8))
        return IPv6Address(bits: bits).isPrivate
    }

    /// Keys of parameters with addresses (RFC 9460 §14.3.2).
    private static var ipv4Hint: UInt16 { 4 }
    private static var ipv6Hint: UInt16 { 6 }

    private func hasPrivateHint(_ message: Span<UInt8>) -> Bool {
        // Behind two octets of SvcPriority comes TargetName.
        guard rdataLength > 2, var place = try? LabelReader.skip(message, at: rdataOffset + 2) else { return true }
        while place < endOffset {
            guard place + 4 <= endOffset else { return true }
            let key = message.word16(place)
            let value = place + 4
            place = value + Int(message.word16(place + 2))
            guard place <= endOffset else { return true }
            if key == Self.ipv4Hint {
                guard (place - value) % 4 == 0 else { return true }
                for offset in stride(from: value, to: place, by: 4)
                where IPv4Address(bits: message.word32(offset)).isPrivate { return true }
            } else if key == Self.ipv6Hint {
                guard (place - value) % 16 == 0 else { return true }
                for offset in stride(from: value, to: place, by: 16) where Self.isPrivateIPv6(message, at: offset) {
                    return true
                }
            }
        }
        return false
    }

    /// True for a record that can stand at another place of its message: nothing of it is compressed but its owner, by a pointer
    /// to before an offset.
    fileprivate func canMove(_ message: Span<UInt8>, before offset: Int) -> Bool {
        switch type {
        // Types whose data have one length or no name that is compressed: RFC 3597 §4 lets those of RFC 1035 alone be so.
        case .a, .aaaa, .svcb, .https, .rrsig, .txt: break
        default: return false
        }
        var place = nameOffset
        while place < message.count {
            let octet = message[place]
            if octet == 0 { return true }
            if octet & CompressionPointer.mark == CompressionPointer.mark {
                return CompressionPointer.target(message.word16(place)) < offset
            }
            place += Int(octet) + 1
        }
        return false
    }
}

/// Drops records that lead to private addresses from a message, in place.
public enum PrivateRecords {
    /// True when a message has such a record, or cannot be read.
    public static func isFound(in message: Span<UInt8>) -> Bool {
        guard let whole = try? Message(message) else { return true }
        var records = whole.records
        do throws(WireError) {
            while let record = try records.next() {
                if record.leadsToPrivateAddress(message) { return true }
            }
        } catch {
            return true
        }
        return false
    }

    /// Drops them. What stands behind the first of them is kept where it can stand at another place: further addresses, signatures
    /// and the OPT record.
    /// - Parameters:
    ///   - message: begins with the message.
    ///   - length: its octets.
    /// - Returns: its octets afterwards; 0 where it cannot be read.
    public static func drop(from message: inout MutableSpan<UInt8>, length: Int) -> Int {
        guard let (kept, header, cut) = plan(message.span.extracting(first: length)) else { return 0 }
        var end = cut
        for range in kept {
            // To the left: no octet is overwritten before it is copied.
            for offset in range {
                message[end] = message[offset]
                end += 1
            }
        }
        header.write(into: &message)
        return end
    }

    /// Ranges behind the first record that is dropped which are kept, the header that counts what is kept, and the offset of that
    /// first record.
    private static func plan(_ message: Span<UInt8>) -> ([Range<Int>], Header, Int)? {
        guard let whole = try? Message(message) else { return nil }
        var header = whole.header
        (header.answerCount, header.authorityCount, header.additionalCount) = (0, 0, 0)
        var cut: Int?
        var kept: [Range<Int>] = []
        var end = message.count
        var records = whole.records
        do throws(WireError) {
            while let record = try records.next() {
                end = record.endOffset
                let isDropped = record.type != .opt && record.leadsToPrivateAddress(message)
                if cut == nil, isDropped { cut = record.nameOffset }
                if let cut {
                    let moves = record.section == .answer && record.canMove(message, before: cut)
                    guard !isDropped, record.type == .opt || moves else { continue }
                    kept.append(record.nameOffset..<record.endOffset)
                }
                switch record.section {
                case .answer: header.answerCount &+= 1
                case .authority: header.authorityCount &+= 1
                case .additional: header.additionalCount &+= 1
                }
            }
        } catch {
            return nil
        }
        // No authority has signed it as it is now.
        if cut != nil { header.flags.ad = false }
        return (kept, header, cut ?? end)
    }
}
