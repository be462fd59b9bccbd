// Messages between a worker and the opener about addresses that a container may reach: of a fixed form, as there is one for each
// answer with new addresses.

import DNSWire
import LinuxNet

/// An address that a container is about to be told.
struct ToldAddress: Hashable, Sendable {
    /// The address as a number; an IPv4 address in its lowest 32 bits.
    let bits: UInt128
    let isV6: Bool
    /// True where a name of ours, or a record of the operator's, leads to it: it may be the host's.
    let isOwn: Bool

    /// In network order, 4 or 16 octets.
    fileprivate var octets: [UInt8] {
        (isV6 ? IPAddress.v6(IPv6Address(bits: bits)) : .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: bits))))
            .networkOctets
    }
}

/// Addresses that are to be put into the sets of one container.
///
/// On the wire: a number that the reply repeats (4 octets), the number of addresses (2), two of zero, the cookie (8); then for each
/// address its octets (16, an IPv4 address in the first four, then zero), seconds (4), family (1: 4 or 6), origin (1: 1 for one of ours), and two
/// of zero. Numbers are in network order.
struct Admission: Equatable, Sendable {
    /// The most addresses of a message: an answer of 65,535 octets has fewer A records than this.
    static let maximumAddresses = 4096
    private static let headerLength = 16
    private static let addressLength = 24
    /// Octets of the longest message.
    static let maximumLength = headerLength + maximumAddresses * addressLength

    let number: UInt32
    /// SO_NETNS_COOKIE of the container's namespace.
    let cookie: UInt64
    let entries: [AddressGates.Entry]

    init(number: UInt32, cookie: UInt64, _ addresses: [(address: ToldAddress, seconds: UInt32)]) {
        self.number = number
        self.cookie = cookie
        entries = addresses.map {
            AddressGates.Entry(octets: $0.address.octets, seconds: $0.seconds, isOwn: $0.address.isOwn)
        }
    }

    /// Reads a message; nil where it is none.
    init?(_ message: Span<UInt8>) {
        guard message.count >= Self.headerLength else { return nil }
        let count = Int(message.word16(4))
        guard (1...Self.maximumAddresses).contains(count), message.word16(6) == 0,
            message.count == Self.headerLength + count * Self.addressLength
        else { return nil }
        number = message.word32(0)
        cookie = message.word64(8)
        guard cookie != 0 else { return nil }
        var entries: [AddressGates.Entry] = []
        entries.reserveCapacity(count)
        for index in 0..<count {
            let place = Self.headerLength + index * Self.addressLength
            let (family, origin) = (message[place + 20], message[place + 21])
            guard family == 4 || family == 6, origin < 2, message.word16(place + 22) == 0 else { return nil }
            let length = family == 4 ? 4 : 16
            guard (length..<16).allSatisfy({ message[place + $0] == 0 }) else { return nil }
            let octets = (0..<length).map { message[place + $0] }
            entries.append(
                AddressGates.Entry(octets: octets, seconds: message.word32(place + 16), isOwn: origin == 1))
        }
        self.entries = entries
    }

    /// The message as it is sent.
    var octets: [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(Self.headerLength + entries.count * Self.addressLength)
        octets.append(word: number)
        octets.append(word: UInt32(truncatingIfNeeded: entries.count) << 16)
        octets.append(word: UInt32(truncatingIfNeeded: cookie >> 32))
        octets.append(word: UInt32(truncatingIfNeeded: cookie))
        for entry in entries {
            octets += entry.octets + [UInt8](repeating: 0, count: 16 - entry.octets.count)
            octets.append(word: entry.seconds)
            octets += [entry.octets.count == 4 ? 4 : 6, entry.isOwn ? 1 : 0, 0, 0]
        }
        return octets
    }
}

/// The outcome of an ``Admission``: its number (4 octets), an errno(3) (4), and flags (1).
struct AdmissionReply: Equatable, Sendable {
    /// Octets of a message.
    static let length = 9

    let number: UInt32
    /// 0: the addresses are in the sets.
    let errno: Int32
    /// True where other addresses of the container have made room.
    let madeRoom: Bool

    init(number: UInt32, errno: Int32, madeRoom: Bool) {
        self.number = number
        self.errno = errno
        self.madeRoom = madeRoom
    }

    /// Reads a message; nil where it is none.
    init?(_ message: Span<UInt8>) {
        guard message.count == Self.length else { return nil }
        number = message.word32(0)
        errno = Int32(bitPattern: message.word32(4))
        madeRoom = message[8] == 1
    }

    /// The message as it is sent.
    var octets: [UInt8] {
        var octets: [UInt8] = []
        octets.append(word: number)
        octets.append(word: UInt32(bitPattern: errno))
        octets.append(madeRoom ? 1 : 0)
        return octets
    }
}
