// A gate that the opener is to set: the container, the host's ends of its links, and what it reaches without being told.

import DNSWire
import LinuxNet
import Registry
import SystemPackage

/// A gate in the words of the daemon; the opener makes an ``AddressGate`` of it.
struct GateOrder: Sendable, Equatable {
    /// SO_NETNS_COOKIE of the container's namespace.
    var cookie: UInt64
    /// `ifi_index` of the host's end of each of its links.
    var devices: [UInt32]
    /// Those of devices that were its own and are no more.
    var formerDevices: [UInt32] = []
    /// Addresses that it reaches without being told.
    var terms: GateTerms

    /// Number of texts in a message to the opener.
    var weight: Int {
        devices.count + formerDevices.count + terms.networks.count + terms.blocks.count + terms.sources.count
    }

    /// Has gates in force, in the namespace of this thread: in one transaction; where that cannot be, each for itself.
    /// - Returns: the failure of each; nil: it is in force. `invalidArgument` for a device that is no veth into another namespace.
    static func set(_ orders: [GateOrder]) -> [LinuxError?] {
        do throws(LinuxError) {
            var netlink = try RouteNetlink()
            let writer = try AddressGates()
            var failures: [LinuxError?] = []
            var gates: [AddressGate] = []
            for order in orders {
                do throws(LinuxError) {
                    gates.append(try order.gate(asking: &netlink))
                    failures.append(nil)
                } catch {
                    failures.append(error)
                }
            }
            if gates.isEmpty { return failures }
            do throws(LinuxError) {
                try writer.set(gates)
            } catch {
                if gates.count == 1 { return failures.map { $0 ?? error } }
                // A device has gone just now.
                var rest = gates[...]
                for place in failures.indices where failures[place] == nil {
                    guard let gate = rest.popFirst() else { break }
                    do throws(LinuxError) { try writer.set(gate) } catch { failures[place] = error }
                }
            }
            return failures
        } catch {
            return orders.map { _ in error }
        }
    }

    private func gate(asking netlink: inout RouteNetlink) throws(LinuxError) -> AddressGate {
        var buffer = RouteNetlink.makeBuffer()
        var ends: [AddressGate.Device] = []
        for device in devices {
            var found: LinkMessage?
            try netlink.ask(.link(device), using: &buffer) { if case .link(let link) = $0 { found = link } }
            // Of no other interface of the host packets are judged.
            guard let found, found.index == device, found.kind == .veth, found.linkNamespace != nil else {
                throw LinuxError(
                    call: "nftables", errno: .invalidArgument,
                    subject: "interface \(device) is no veth(4) whose other end is in another namespace")
            }
            ends.append(AddressGate.Device(index: device, name: found.name))
        }
        var gate = AddressGate(
            cookie: cookie, devices: ends, networks: terms.networks.compactMap { AddressBlock($0) },
            blocks: terms.blocks.compactMap { AddressBlock($0) }, sources: terms.sources.compactMap { AddressBlock($0) }
        )
        gate.formerDevices = formerDevices
        return gate
    }
}

extension AddressBlock {
    init?(_ subnet: Subnet) { self.init(subnet.address.networkOctets, prefixLength: subnet.prefixLength) }

    init?(_ address: IPAddress) {
        let octets = address.networkOctets
        self.init(octets, prefixLength: octets.count * 8)
    }
}

extension IPAddress {
    /// The address in network order, 4 or 16 octets.
    var networkOctets: [UInt8] {
        switch self {
        case .v4(let address):
            stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: address.bits >> UInt32($0)) }
        case .v6(let address):
            stride(from: 120, through: 0, by: -8).map { UInt8(truncatingIfNeeded: address.bits >> UInt128($0)) }
        }
    }
}
