// The way of packets between two containers over a bridge, and what on it keeps them from each other.

/// Links of two containers on one bridge.
package struct WiringFacts: Sendable, Equatable {
    /// A container's link to the bridge.
    package struct End: Sendable, Equatable {
        /// Its name inside the container.
        package var link: String
        /// The most octets of a packet of it; nil: not known.
        package var mtu: Int?
        /// The name of the host's end, a port of the bridge.
        package var peer: String
        /// The most octets of a packet of that.
        package var peerMTU: Int?
        /// True when the port passes nothing to other isolated ones.
        package var isIsolated: Bool

        /// A link and the host's end of it.
        package init(_ link: String, mtu: Int?, peer: String, peerMTU: Int?, isIsolated: Bool = false) {
            self.link = link
            self.mtu = mtu
            self.peer = peer
            self.peerMTU = peerMTU
            self.isIsolated = isIsolated
        }
    }

    /// Owner of a hardware address that answers for an address of another.
    package struct Neighbor: Sendable, Equatable {
        /// As `02:42:ac:11:00:02`.
        package var hardwareAddress: String
        /// The port of the bridge behind which it is.
        package var port: String
        /// The container there; nil: none that is known.
        package var owner: String?

        /// The owner of a hardware address.
        package init(_ hardwareAddress: String, port: String, owner: String?) {
            self.hardwareAddress = hardwareAddress
            self.port = port
            self.owner = owner
        }
    }

    /// Another link on the bridge, with the hardware address of one of the two containers' links.
    package struct Twin: Sendable, Equatable {
        /// As `02:42:ac:11:00:02`.
        package var hardwareAddress: String
        /// One to take in its place.
        package var other: String
        /// The container that has the other link.
        package var owner: String
        /// The way to that.
        package var place: CommandPlace
        /// The other link's name there.
        package var link: String
        /// True where it is the asker's link that has it, and not the service's.
        package var isOfAsker: Bool

        /// A link with the hardware address of another.
        package init(
            _ hardwareAddress: String, other: String, owner: String, at place: CommandPlace, link: String,
            isOfAsker: Bool
        ) {
            self.hardwareAddress = hardwareAddress
            self.other = other
            self.owner = owner
            self.place = place
            self.link = link
            self.isOfAsker = isOfAsker
        }
    }

    /// The bridge's name.
    package var bridge: String
    /// The most octets of a packet that it passes; nil: not known.
    package var bridgeMTU: Int?
    /// The container that asks.
    package var asker: End
    /// The container behind the name.
    package var service: End
    /// The neighbor that packets to the address go to, where it is not the container behind the name.
    package var neighbor: Neighbor?
    /// A further link with the hardware address of one of the two; nil: none is known.
    package var twin: Twin?

    /// Links on a bridge.
    package init(bridge: String, bridgeMTU: Int?, asker: End, service: End, neighbor: Neighbor? = nil) {
        self.bridge = bridge
        self.bridgeMTU = bridgeMTU
        self.asker = asker
        self.service = service
        self.neighbor = neighbor
    }

    /// Nothing passes between the two ports.
    var areIsolated: Bool { asker.isIsolated && service.isIsolated }

    /// The smallest MTU on the way, where one of the containers sends longer packets.
    var bottleneck: Int? {
        let all = [asker.mtu, asker.peerMTU, bridgeMTU, service.peerMTU, service.mtu].compactMap(\.self)
        let sent = [asker.mtu, service.mtu].compactMap(\.self)
        guard let least = all.min(), let most = sent.max(), most > least else { return nil }
        return least
    }
}

extension Facts {
    /// Finding about the way to a service: another that has its address, ports that pass nothing to each other; nil: none is
    /// known.
    func wiringFault(_ service: Service, isReached: Bool) -> Finding? {
        guard let wiring = service.wiring else { return nil }
        let name = service.member.name
        if let neighbor = wiring.neighbor {
            let owner = neighbor.owner ?? "\(neighbor.hardwareAddress) behind \(neighbor.port) of \(wiring.bridge)"
            return Finding(
                .duplicateAddress,
                "\(service.address) is the address of \(name) and of \(owner): packets of \(question.asker) go to \(owner)",
                cure: "give one of them another address, or unplug it: ip link set dev "
                    + "\(ShellCommand.word(neighbor.port)) down", of: name)
        }
        if let twin = wiring.twin {
            return Finding(
                .duplicateMAC,
                "\(twin.isOfAsker ? question.asker : name) and \(twin.owner) have the same hardware address on \(wiring.bridge), "
                    + "\(twin.hardwareAddress): packets go to whichever of them spoke last",
                cure: twin.place.ip("link set dev \(ShellCommand.word(twin.link)) address \(twin.other)"), of: name)
        }
        guard wiring.areIsolated, !isReached else { return nil }
        let (here, there) = (wiring.asker.peer, wiring.service.peer)
        return Finding(
            .portsIsolated,
            "\(here) and \(there), the host's ends of the links of \(question.asker) and \(name), are isolated ports of "
                + "\(wiring.bridge): nothing passes between them",
            cure: "bridge link set dev \(ShellCommand.word(there)) isolated off", of: name)
    }

    /// Remark about links whose packets are longer than others on the way take.
    func mtuRemark(_ service: Service) -> Finding? {
        guard let wiring = service.wiring, let least = wiring.bottleneck else { return nil }
        let name = service.member.name
        func shown(_ link: String, _ mtu: Int?) -> String { "\(link) \(mtu.map { "\($0)" } ?? "?")" }
        let way = [
            shown("\(wiring.asker.link) of \(question.asker)", wiring.asker.mtu),
            shown(wiring.asker.peer, wiring.asker.peerMTU), shown(wiring.bridge, wiring.bridgeMTU),
            shown(wiring.service.peer, wiring.service.peerMTU),
            shown("\(wiring.service.link) of \(name)", wiring.service.mtu),
        ].joined(separator: ", ")
        let isAsker = (wiring.asker.mtu ?? 0) > least
        let (end, place) = isAsker ? (wiring.asker, asker.place) : (wiring.service, service.member.place)
        let command = "link set dev \(ShellCommand.word(end.link)) mtu \(least)"
        return Finding(
            .mtuDiffers, "packets over \(least) octets are lost on the way, as the links have other MTUs: \(way)",
            cure: place?.ip(command), of: name)
    }
}

extension Facts.Asker {
    /// The way into the namespace of a container that is there.
    fileprivate var place: CommandPlace? { if case .present(let member, _) = self { member.place } else { nil } }
}
