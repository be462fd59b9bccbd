// The way of packets between two containers over a bridge: asked of the kernel when somebody wants an explanation.

import DNSWire
import Diagnosis
import LinuxNet
import Registry

extension KernelWatch {
    /// Ends of a container's link to a bridge, by their numbers.
    private struct Plug {
        var container: NamespaceID
        var link: UInt32
        var peer: UInt32
        var bridge: UInt32
    }

    /// Looks at the links of two containers on one bridge, and at the neighbor that the first has at an address.
    /// - Parameters:
    ///   - asker: the container that connects.
    ///   - service: the container that has the address, as we know it.
    ///   - address: the address that it connects to.
    /// - Returns: nil where no bridge connects them.
    mutating func wiring(from asker: NamespaceID, to service: NamespaceID, at address: IPAddress) -> WiringFacts? {
        guard asker != service else { return nil }
        let target = plugs(of: service).filter { plug in
            topology.containers[service]?.state.addresses[plug.link]?.contains { $0.address == address } ?? false
        }
        for here in plugs(of: asker) {
            guard let there = target.first(where: { $0.bridge == here.bridge }) else { continue }
            let bridge = message(of: here.bridge, in: .host)
            var facts = WiringFacts(
                bridge: bridge?.name ?? "", bridgeMTU: bridge?.mtu.map(Int.init), asker: end(here), service: end(there))
            facts.neighbor = neighbor(of: here, at: address, unless: there)
            facts.twin = twin(of: there, isAsker: false) ?? twin(of: here, isAsker: true)
            return facts
        }
        return nil
    }

    /// Containers whose links are looked at for one with the hardware address of another.
    private static var twinLimit: Int { 1024 }

    /// Another container's link on the bridge with the hardware address of this one.
    private mutating func twin(of plug: Plug, isAsker: Bool) -> WiringFacts.Twin? {
        guard let own = message(of: plug.link, in: .namespace(plug.container))?.hardwareAddress else { return nil }
        for (id, container) in topology.containers.prefix(Self.twinLimit) where id != plug.container {
            for other in plugs(of: id) where other.bridge == plug.bridge {
                guard let link = message(of: other.link, in: .namespace(id)), link.hardwareAddress == own else {
                    continue
                }
                let namespace = container.namespace
                return WiringFacts.Twin(
                    "\(own)", other: "\(own.another)", owner: namespace.name, at: .path(namespace.path),
                    link: link.name,
                    isOfAsker: isAsker)
            }
        }
        return nil
    }

    private func plugs(of id: NamespaceID) -> [Plug] {
        guard let container = topology.containers[id] else { return [] }
        return container.state.links.sorted { $0.key < $1.key }.compactMap { index, link in
            guard link.kind == .veth, let peer = topology.host.links[link.other], peer.kind == .veth,
                peer.other == index, peer.otherPlace == id, let bridge = peer.master
            else { return nil }
            return Plug(container: id, link: index, peer: link.other, bridge: bridge)
        }
    }

    private mutating func message(of index: UInt32, in place: Place) -> LinkMessage? {
        if case .link(let link)? = ask(.link(index), in: place) { link } else { nil }
    }

    private mutating func end(_ plug: Plug) -> WiringFacts.End {
        let link = message(of: plug.link, in: .namespace(plug.container))
        let peer = message(of: plug.peer, in: .host)
        return WiringFacts.End(
            link?.name ?? "", mtu: link?.mtu.map(Int.init), peer: peer?.name ?? "", peerMTU: peer?.mtu.map(Int.init),
            isIsolated: peer?.isIsolated ?? false)
    }

    /// The neighbor that a container has at an address, where that is not the link of the one that should have it.
    private mutating func neighbor(of plug: Plug, at address: IPAddress, unless service: Plug) -> WiringFacts.Neighbor?
    {
        let place = Place.namespace(plug.container)
        guard case .neighbor(let found)? = ask(.neighbor(at: LinkAddress(address), on: plug.link), in: place),
            let seen = found.hardwareAddress,
            let own = message(of: service.link, in: .namespace(service.container))?.hardwareAddress, seen != own,
            // An answer in the place of others (proxy ARP) comes from the bridge itself.
            seen != message(of: plug.bridge, in: .host)?.hardwareAddress,
            case .neighbor(let entry)? = ask(.port(of: seen, ofBridge: plug.bridge), in: .host),
            entry.link != service.peer, entry.link != plug.bridge, let port = topology.host.links[entry.link]
        else { return nil }
        let owner = port.otherPlace.flatMap { topology.containers[$0]?.namespace.name }
        return WiringFacts.Neighbor("\(seen)", port: port.name, owner: owner)
    }
}

extension HardwareAddress {
    /// Another address, of those that nobody has bought: unicast, locally administered.
    fileprivate var another: HardwareAddress {
        HardwareAddress(rawValue: (rawValue ^ 0x00_55_00_00_00_00) & ~(0x03 << 40) | 0x02 << 40)
    }
}

extension LinkAddress {
    fileprivate init(_ address: IPAddress) {
        self =
            switch address {
            case .v4(let address): .v4(address.bits)
            case .v6(let address): .v6(address.bits)
            }
    }
}
