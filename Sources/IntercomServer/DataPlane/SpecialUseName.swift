// Names that have their meaning from an RFC, not from a registry of anybody's.

import DNSWire

/// The ``SpecialUseDomain`` that a name is in, as the data plane finds it: without allocation.
enum SpecialUseName {
    case none, localhost, invalid, onion, resolverARPA

    @inline(__always)
    init(_ name: borrowing FoldedName) {
        let labels = name.labelCount
        guard labels > 0 else {
            self = .none
            return
        }
        // The length of the last label sorts out nearly every name at once.
        switch name[name.labelOffset(labels - 1)] {
        case 9 where name.suffixEquals(Self.localhostName.span, fromLabel: labels - 1): self = .localhost
        case 7 where name.suffixEquals(Self.invalidName.span, fromLabel: labels - 1): self = .invalid
        case 5 where name.suffixEquals(Self.onionName.span, fromLabel: labels - 1): self = .onion
        case 4 where labels >= 2 && name.suffixEquals(Self.resolverName.span, fromLabel: labels - 2):
            self = .resolverARPA
        default: self = .none
        }
    }

    /// 2. The answer to every question in it: `localhost`, `invalid` (RFC 6761 §6.3, §6.4), `onion` (RFC 7686 §2),
    /// `resolver.arpa` (RFC 9462 §6.4); nil of other names.
    var content: AnswerContent? {
        switch self {
        case .none: nil
        case .localhost: .loopback
        case .invalid, .onion: .noName
        case .resolverARPA: .noData
        }
    }

    /// True for `local` and names under it: those are asked by multicast (RFC 6762 §3), and no server knows them.
    @inline(__always)
    static func isMulticast(_ name: borrowing FoldedName) -> Bool {
        name.labelCount > 0 && name.suffixEquals(localName.span, fromLabel: name.labelCount - 1)
    }

    private static let localName: InlineArray<7, UInt8> = [5, 0x6C, 0x6F, 0x63, 0x61, 0x6C, 0]
    private static let localhostName: InlineArray<11, UInt8> =
        [9, 0x6C, 0x6F, 0x63, 0x61, 0x6C, 0x68, 0x6F, 0x73, 0x74, 0]
    private static let invalidName: InlineArray<9, UInt8> = [7, 0x69, 0x6E, 0x76, 0x61, 0x6C, 0x69, 0x64, 0]
    private static let onionName: InlineArray<7, UInt8> = [5, 0x6F, 0x6E, 0x69, 0x6F, 0x6E, 0]
    private static let resolverName: InlineArray<15, UInt8> =
        [8, 0x72, 0x65, 0x73, 0x6F, 0x6C, 0x76, 0x65, 0x72, 4, 0x61, 0x72, 0x70, 0x61, 0]
}
