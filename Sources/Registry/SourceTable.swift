// Views by network and address: by this a gateway's listener knows who asks.

package import DNSWire
import Tables

/// Views by network and address. Looking up allocates nothing.
struct SourceTable: Sendable {
    private struct Entry {
        let address: UInt128
        let network: UInt32
        var view: ViewID
    }

    private var index = HashIndex()
    private var entries: [Entry] = []
    /// A secret: guests choose addresses of theirs.
    private let seed: UInt64

    init(seed: UInt64) {
        self.seed = seed
    }

    /// The view of an address on a network; nil where nobody that is known has it.
    func view(of address: UInt128, on network: ScopeID) -> ViewID? {
        number(of: address, network.rawValue).map { entries[$0].view }
    }

    /// Sets who has an address; nil: nobody.
    mutating func set(_ address: IPAddress, on network: ScopeID, _ view: ViewID?) {
        let (address, network) = (address.number, network.rawValue)
        let hash = hash(address, network)
        guard let number = number(of: address, network) else {
            guard let view else { return }
            index.insert(hash, entries.count)
            return entries.append(Entry(address: address, network: network, view: view))
        }
        if let view {
            entries[number].view = view
            return
        }
        index.remove(hash, number)
        // The last one takes the free place.
        guard let last = entries.popLast(), number < entries.count else { return }
        index.move(self.hash(last.address, last.network), from: entries.count, to: number)
        entries[number] = last
    }

    private func number(of address: UInt128, _ network: UInt32) -> Int? {
        var probe = index.probe(hash(address, network))
        while let number = index.next(&probe) {
            if entries[number].address == address, entries[number].network == network { return number }
        }
        return nil
    }

    /// A multiplicative hash under a secret. The multipliers are odd and without a pattern (those of SplitMix64).
    private func hash(_ address: UInt128, _ network: UInt32) -> UInt32 {
        let (low, high) = (UInt64(truncatingIfNeeded: address), UInt64(truncatingIfNeeded: address >> 64))
        var mixed = (low ^ seed) &* 0xBF58_476D_1CE4_E5B9
        mixed ^= mixed >> 32
        mixed = (mixed ^ high ^ UInt64(network)) &* 0x94D0_49BB_1331_11EB
        return UInt32(truncatingIfNeeded: mixed >> 32)
    }
}

extension IPAddress {
    /// The address as a number; an IPv4 address as ::ffff:0:0/96 has it (RFC 4291 §2.5.5.2).
    package var number: UInt128 {
        switch self {
        case .v4(let address): 0xFFFF << 32 | UInt128(address.bits)
        case .v6(let address): address.bits
        }
    }

    /// The address of such a number.
    package init(number: UInt128) {
        let isV4 = number >> 32 == 0xFFFF
        self = isV4 ? .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: number))) : .v6(IPv6Address(bits: number))
    }
}
