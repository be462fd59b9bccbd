// Links of a container, with what keeps each of them from its network: for explain and doctor.

import Diagnosis
import LinuxNet

extension KernelTopology {
    /// The links of a container that could put it on a network of the host's, in the order of their numbers.
    func links(of id: NamespaceID) -> [LinkFacts] {
        guard let container = containers[id] else { return [] }
        return container.state.links.sorted { $0.key < $1.key }.compactMap { index, link in
            explain(link, index, container)
        }
    }

    /// Addresses of a link that are told of.
    private static let shownAddresses = 16

    private func explain(_ link: KernelLink, _ index: UInt32, _ container: Container) -> LinkFacts? {
        guard let other = host.links[link.other] else { return nil }
        let network: UInt32?
        if link.hangsOnParent {
            guard container.namespace.isHost(link.otherPlace) else { return nil }
            network = link.other
        } else {
            // A veth's end counts where each end says it is the other's.
            guard link.kind == .veth, other.kind == .veth, other.other == index,
                other.otherPlace == container.namespace.id
            else { return nil }
            network = other.master
        }
        let bridge = network.flatMap { host.links[$0] }
        let addresses = container.state.addresses[index] ?? []
        var facts = LinkFacts(
            link.name, into: bridge?.name, hasAddress: !addresses.isEmpty,
            trouble: trouble(link, other, bridge, isSelected: network.map { selected.contains($0) } ?? false))
        facts.addresses = addresses.prefix(Self.shownAddresses).map { "\($0.address)/\($0.prefixLength)" }.sorted()
        return facts
    }

    /// - Parameters:
    ///   - link: the container's.
    ///   - other: the host's end, or the parent.
    ///   - bridge: what puts the link on a network; nil: nothing.
    ///   - isSelected: true where the configuration takes that for a network.
    private func trouble(
        _ link: KernelLink, _ other: KernelLink, _ bridge: KernelLink?, isSelected: Bool
    ) -> LinkFacts.Trouble? {
        if !link.isUp { return .down }
        if !other.isUp { return .peerDown(other.name) }
        guard let bridge else { return .notPlugged(other.name) }
        if !isSelected { return .excluded(bridge.name) }
        return bridge.isUp ? nil : .networkDown(bridge.name)
    }
}
