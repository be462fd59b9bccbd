// Kinds of values that are addresses: of containers, of upstreams, of networks.

import DNSWire
import Registry
import TOML

extension ValueKind<IPAddress> {
    /// An address of a container.
    static var address: Self { text(IPAddress.init(ofContainer:)) }
}

extension ValueKind<Interception?> {
    /// True for the servers of the container's own resolv.conf, false for none, or the addresses of servers.
    static var interception: Self {
        let addresses = ValueKind<[IPAddress]>.nonEmptyList(of: .text(IPAddress.init(ofResolver:)))
        return ValueKind { (value, key, mistakes) -> Interception?? in
            switch value.content {
            case .boolean(let isOn): return .some(isOn ? .resolverFile : nil)
            case .array: return addresses.read(value, key, &mistakes).map { Interception($0) }
            default:
                let message = "\(key): expected true, false or an array of addresses, found \(value.typeName)"
                mistakes.append(Mistake(position: value.position, message: message))
                return nil
            }
        }
    }
}

extension ValueKind<ServerAddress> {
    /// A DNS server that we may ask.
    static var upstream: Self { text(ServerAddress.init(upstream:)) }
}

extension ValueKind<Subnet> {
    /// Addresses of a network.
    static var subnet: Self { text(Subnet.init(declared:)) }
}

extension ServerAddress {
    /// True for 127.0.0.11, where we listen in every container's namespace: asking it from there would be asking
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
