// Ways out of a container: the host's ends of its links, at which a gate can stand.

import LinuxNet

/// The ways by which packets of a container come out of its namespace.
enum WaysOut: Equatable {
    /// Through the host's ends of its links alone, by their numbers.
    case devices([UInt32])
    /// Also by a way at which no gate can stand, or nobody knows; the reason is for people.
    case unguarded(String)
}

extension KernelTopology {
    /// The ways out of a container.
    ///
    /// A veth whose other end is neither here nor in the container leads into a namespace that is no host of its: a neighbor. Tunnels,
    /// VLANs and bridges of its own lead out by its other links.
    func waysOut(of id: NamespaceID) -> WaysOut {
        guard let container = containers[id] else { return .unguarded("its links are not known") }
        if container.state.isTruncated { return .unguarded("it has too many links") }
        var devices: [UInt32] = []
        for (index, link) in container.state.links.sorted(by: { $0.key < $1.key }) {
            if link.kind == .veth {
                guard let other = host.links[link.other], other.kind == .veth, other.other == index,
                    other.otherPlace == id
                else { continue }
                devices.append(link.other)
            } else if let reason = link.unguardedWay(index) {
                return .unguarded("its link \(link.name) \(reason), where no gate can stand")
            }
        }
        guard devices.count <= AddressGate.maximumDevices else { return .unguarded("it has too many links") }
        return .devices(devices.sorted())
    }

    /// True where a device of the host's is a veth whose other end is in a namespace, and in that of no container we know: a container's
    /// root may have moved it into a namespace of its own making.
    /// - Parameter number: a container that does not count: it says itself which links it has.
    func leadsElsewhere(_ device: UInt32, but number: NamespaceID? = nil) -> Bool {
        guard let link = host.links[device], link.kind == .veth, let place = link.otherPlace else { return false }
        if place == number { return true }
        guard let other = containers[place]?.state.links[link.other] else { return true }
        return other.kind != .veth || other.other != device
    }
}

extension KernelLink {
    /// Reason for which packets that leave by a link, which is no veth, come by no link of the host; nil: they do, or stay.
    fileprivate func unguardedWay(_ index: UInt32) -> String? {
        let loopback: UInt32 = 1
        if index == loopback { return nil }
        guard let kind else { return "is a device of hardware" }
        if otherPlace != nil { return "(\(kind.rawValue)) hangs on another namespace's" }
        return kind.rawValue == "wireguard" ? "(wireguard) may lead out of another namespace" : nil
    }
}
