// Kinds of values that are addresses: of containers, of upstreams, of networks.

import DNSWire
import Registry

extension ValueKind<IPAddress> {
    static var address: Self {
        ValueKind<String>.string.map { text throws(Refusal) in
            guard let address = IPAddress(text) else {
                throw Refusal("'\(text)' is not an IP address; expected 10.0.0.1 or fd00::1")
            }
            try address.checkOwnable()
            return address
        }
    }
}

extension IPAddress {
    /// Refuses an address that no container has, or has alone.
    func checkOwnable() throws(Refusal) {
        guard !isUnspecified else { throw Refusal("nobody has the unspecified address '\(self)'") }
        guard isOneHost else { throw Refusal("\(self) is not the address of one host") }
        switch self {
        case .v4(let address):
            guard address.bits >> 24 != 127 else { throw Refusal("\(self) is each container's own loopback") }
        case .v6(let address):
            guard address.bits != 1 else { throw Refusal("\(self) is each container's own loopback") }
            guard address.bits >> 32 != 0xFFFF else { throw Refusal("\(self) is an IPv4 address; write it as one") }
        }
    }
}

extension ValueKind<ServerAddress> {
    /// A DNS server that we may ask.
    static var upstream: Self {
        ValueKind<String>.string.map { text throws(Refusal) in try ServerAddress(upstream: text) }
    }
}

extension ServerAddress {
    /// Reads the address of a DNS server that we may ask.
    init(upstream text: String) throws(Refusal) {
        do throws(AddressError) {
            try self.init(text)
        } catch {
            throw Refusal("\(error)")
        }
        guard address.isOneHost else {
            throw Refusal("\(text) is not the address of one server")
        }
        if case .v6(let address) = address, address.isLinkLocal, scope == nil {
            throw Refusal("\(text) is on every link; expected its interface too, as fe80::1%eth0")
        }
    }

    /// Whether this is 127.0.0.11, where we listen in every container's namespace: asking it from there would be asking
    /// ourselves. In the daemon's own namespace it may be Docker's server.
    var isIntercom: Bool {
        switch address {
        case .v4(let address): address == .intercom
        case .v6(let address): address.bits == 0xFFFF << 32 | UInt128(IPv4Address.intercom.bits)
        }
    }
}

extension IPv4Address {
    /// 127.0.0.11, where a container asks: as on Docker's custom bridges.
    static let intercom = IPv4Address(bits: 0x7F00_000B)
}

extension ValueKind<Subnet> {
    static var subnet: Self {
        ValueKind<String>.string.map { text throws(Refusal) in try Subnet(checked: text) }
    }
}

extension Subnet {
    /// Reads a subnet by its first address: one within it is a mistake for another subnet, or for an address.
    init(checked text: String) throws(Refusal) {
        guard let subnet = Subnet(text) else {
            throw Refusal("'\(text)' is not a subnet; expected 10.1.0.0/24 or fd00:1::/64")
        }
        guard IPAddress(String(text.prefix { $0 != "/" })) == subnet.address else {
            throw Refusal("'\(text)' is an address within a subnet; did you mean '\(subnet)'?")
        }
        guard subnet.address.isUnspecified || subnet.address.isOneHost else {
            throw Refusal("'\(text)' is no subnet of hosts")
        }
        self = subnet
    }
}
