// The netlink codec: what recorded messages say, and that no octets do harm.

import Testing

@testable import LinuxNet

@Suite("A message of rtnetlink")
struct RouteMessageTests {
    @Test(
        "says what ip(8) would print",
        arguments: [
            ("a bridge with an alias, whole, as it is told of", "link 2 br0 up bridge alias frontend"),
            (
                "the host's end of a veth, in a bridge",
                "link 3 v0 up veth port of 2 other end 2 in nsid 0"
            ),
            (
                "the other end, in the namespace 0, as it is asked for, whole",
                "link 2 eth0 up veth other end 3 in nsid 1"
            ),
            (
                "a macvlan in the namespace 0, as it is told of there",
                "link 3 mv0 macvlan other end 4 in nsid 0"
            ),
            (
                "the same as it is asked for from the host",
                "link 3 mv0 macvlan other end 4 in nsid 1"
            ),
            (
                "an ipvlan of mode L3, laid out by hand after the kernel's own",
                "link 3 ipvl0 ipvlan other end 4 in nsid 0"
            ),
            ("a VXLAN in a bridge", "link 5 vx9 vxlan port of 2"),
            (
                "a veth that has moved to another namespace",
                "deleted link 2 eth0 veth other end 3 in nsid 0"
            ),
            ("what a bridge tells of its port", "nothing"),
            ("10.0.0.2/24", "address 0a000002/24 on 2 scope 0 flags 80"),
            ("10.0.0.9 with the peer 10.9.0.1/32", "address 0a000009/32 on 2 scope 0 flags 80"),
            (
                "fd00::2/64 before its duplicate address detection",
                "address fd000000000000000000000000000002/64 on 2 scope 0 flags c0"
            ),
            ("the same after it", "address fd000000000000000000000000000002/64 on 2 scope 0 flags 80"),
            (
                "a link-local address as it is asked for",
                "address fe80000000000000fc7fdafffe9658af/64 on 2 scope 253 flags 80"
            ),
            ("10.0.0.2/24 removed", "deleted address 0a000002/24 on 2 scope 0 flags 80"),
            ("default via 10.0.0.254 dev br0", "default over 2"),
            ("the same removed", "deleted default over 2"),
            ("default with two next hops", "default over 2 over 3"),
            ("10.9.0.0/16 via 10.0.0.254", "nothing"),
            ("default in table 100", "nothing"),
            ("default in table 1000", "nothing"),
            ("blackhole default", "default"),
            ("default via fd00::fe dev br0", "default over 2"),
            (
                "default via fd00::fe, and via fd01::fe whose link is down, as they are asked for",
                "default over 2 over 3 dead"
            ),
            ("one of two next hops of IPv6 removed", "deleted default over 2"),
            ("default from fd00::/64", "default over 2"),
            ("unreachable default of IPv6", "default"),
            ("fd01::/64 that goes with its link", "nothing"),
            ("no table, for there was never a route", "acknowledgement 2"),
            (
                "the host's end of a veth, an isolated port of a bridge",
                "link 4 v0 up veth port of 2 other end 3 mtu 1500 at 02:00:00:00:00:03 isolated"
            ),
            ("the neighbor 10.0.0.2", "neighbor 02:00:00:00:00:07 on 2"),
            ("the neighbor fd00::2", "neighbor 02:00:00:00:00:07 on 2"),
            ("the port behind which a bridge has seen 02:00:00:00:00:07", "neighbor 02:00:00:00:00:07 on 4"),
            ("no such neighbor", "acknowledgement 2 Neighbour entry not found"),
            ("a namespace's new number", "nsid 0"),
            ("a number's end", "deleted nsid 1"),
            ("done", "acknowledgement 0"),
            ("no such device", "acknowledgement 19"),
            ("a number that the namespace has already", "acknowledgement 17 Peer netns already has a nsid assigned"),
            ("the end of a dump", "acknowledgement 0"),
            ("a dump that was refused", "acknowledgement 22 Invalid target network namespace id"),
        ])
    func reading(name: String, expected: String) throws {
        #expect(try describe(Packet.named(name).bytes) == [expected])
    }

    @Test("is one of several in a datagram, each at a multiple of four octets")
    func several() throws {
        let bytes = Packet.others.flatMap { $0.bytes + [UInt8](repeating: 0, count: -$0.bytes.count & 3) }
        #expect(try describe(bytes).count == Packet.others.count)
    }

    @Test("may have any octets for a name: other than UTF-8 and control characters are escaped")
    func names() throws {
        let whole = Packet.named("a macvlan in the namespace 0, as it is told of there").bytes
        // The name is at the beginning of the attributes: 8, 3, "mv0".
        for (octets, expected) in [
            ([0x61, 0xFF, 0x62], "a\\255b"), ([0x1B, 0x5B, 0x6D], "\\027[m"), ([0xC3, 0xA9, 0x78], "éx"),
            ([0x5C, 0x30, 0], "\\0920"), ([0, 0x61, 0x62], ""), ([0xC2, 0x80, 0x7F], "\\194\\128\\127"),
        ] as [([UInt8], String)] {
            var bytes = whole
            bytes.replaceSubrange(36..<39, with: octets)
            #expect(
                try describe(bytes).first?.split(separator: " ", omittingEmptySubsequences: false)[2] ?? "" == expected)
        }
    }

    // MARK: - Damage

    @Test("that ends early is refused, wherever it ends", arguments: Packet.all)
    func truncation(packet: Packet) {
        for length in 1..<packet.bytes.count {
            if (try? read(Array(packet.bytes.prefix(length)))) != nil { Issue.record("read with \(length) octets") }
        }
    }

    @Test("whose length says that it ends early is read without harm", arguments: Packet.all)
    func shortened(packet: Packet) {
        for length in 16..<packet.bytes.count {
            var bytes = Array(packet.bytes.prefix(length))
            bytes[0] = UInt8(truncatingIfNeeded: length)
            bytes[1] = UInt8(truncatingIfNeeded: length >> 8)
            _ = try? read(bytes)
        }
    }

    @Test("with any one octet changed is read without harm", arguments: Packet.all)
    func change(packet: Packet) {
        // Of long messages each bit; of short ones each value of each octet.
        let changes = packet.bytes.count < 80 ? Array(1...UInt8.max) : (0..<8).map { UInt8(1) << $0 }
        var bytes = packet.bytes
        for index in bytes.indices {
            for change in changes {
                bytes[index] = packet.bytes[index] ^ change
                _ = try? read(bytes)
            }
            bytes[index] = packet.bytes[index]
        }
    }

    @Test(
        "whose next hop says it is shorter than its header, or longer than the rest, is refused",
        arguments: [0, 7, 37, 0xFFFF])
    func nextHopLength(length: Int) {
        var bytes = Packet.named("default with two next hops").bytes
        // RTA_TABLE, then RTA_MULTIPATH of 32 octets, the header of which is at 36.
        bytes[40] = UInt8(truncatingIfNeeded: length)
        bytes[41] = UInt8(truncatingIfNeeded: length >> 8)
        #expect(throws: NetlinkError.badAttributeLength(length, octets: 32)) { try describe(bytes) }
    }

    @Test("with any word at the edge of its type is read without harm", arguments: Packet.all)
    func edges(packet: Packet) {
        let edges: [UInt32] = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF]
        // Of long messages some words: what follows is read in the same way.
        for start in stride(from: 0, to: min(packet.bytes.count - 3, 400), by: 2) {
            for edge in edges {
                var bytes = packet.bytes
                bytes.replaceSubrange(start..<start + 4, with: NetlinkRequest.octets(of: edge))
                _ = try? read(bytes)
                bytes = packet.bytes
                bytes.replaceSubrange(start..<start + 2, with: NetlinkRequest.octets(of: edge).prefix(2))
                _ = try? read(bytes)
            }
        }
    }

    @Test("whose attribute says it is shorter than its header is refused, and read no further")
    func attributeWithoutLength() {
        var bytes = Packet.named("10.0.0.2/24").bytes
        for length in 0..<4 as Range<UInt8> {
            bytes[24] = length
            #expect(throws: NetlinkError.badAttributeLength(Int(length), octets: 56)) { try describe(bytes) }
        }
    }
}

@Suite("A request to rtnetlink")
struct RouteRequestTests {
    @Test("is laid out as iproute2 does it")
    func layout() throws {
        var request = NetlinkRequest.link(3)
        request.sequence = 0x0102_0304
        #expect(
            request.bytes
                == Packet(
                    "", "20000000 1200 0500 04030201 00000000 00 00 0000 03000000 00000000 00000000"
                ).bytes)
        #expect(request.sequence == 0x0102_0304)
        // IFLA_EXT_MASK: without counters of IPv6.
        #expect(
            NetlinkRequest.links().bytes
                == Packet(
                    "", "28000000 1200 0503 00000000 00000000 00 00 0000 00000000 00000000 00000000 0800 1d00 08000000"
                ).bytes)
        #expect(
            NetlinkRequest.routes(.v6).bytes
                == Packet("", "1c000000 1a00 0503 00000000 00000000 0a 00 00 00 fe 00 00 01 00000000").bytes)
        let addresses = NetlinkRequest.addresses()
        #expect(addresses.bytes == Packet("", "18000000 1600 0503 00000000 00000000 0000 0000 00000000").bytes)
        let namespace = try NetworkNamespace.current()
        let assignment = NetlinkRequest.assignID(to: namespace)
        let number = UInt8(truncatingIfNeeded: namespace.descriptor.rawValue)
        #expect(
            assignment.bytes
                == Packet("", "24000000 5800 0500 00000000 00000000 00000000 0800 0300").bytes + [number, 0, 0, 0]
                + Packet("", "0800 0100 ffffffff").bytes)
    }
}

/// Reads all messages of a datagram, whole.
private func read(_ bytes: [UInt8]) throws(NetlinkError) {
    var reader = NetlinkReader(bytes.span)
    while let message = try reader.next() {
        switch message.type {
        case .error, .done: _ = try NetlinkAcknowledgement(message)
        default: _ = try RouteMessage(message)
        }
    }
}

/// Messages of a datagram, a line each.
private func describe(_ bytes: [UInt8]) throws(NetlinkError) -> [String] {
    var lines: [String] = []
    var reader = NetlinkReader(bytes.span)
    while let message = try reader.next() {
        switch message.type {
        case .error, .done:
            let end = try NetlinkAcknowledgement(message)
            lines.append("acknowledgement \(end.errorNumber)\(end.text.map { " \($0)" } ?? "")")
        default:
            lines.append(try RouteMessage(message)?.line ?? "nothing")
        }
    }
    return lines
}

extension RouteMessage {
    fileprivate var line: String {
        switch self {
        case .link(let link): "link \(link.line)"
        case .linkDeleted(let link): "deleted link \(link.line)"
        case .address(let address): "address \(address.line)"
        case .addressDeleted(let address): "deleted address \(address.line)"
        case .defaultRoute(let route): (["default"] + route.nextHops.map(\.line)).joined(separator: " ")
        case .defaultRouteDeleted(let route): (["deleted default"] + route.nextHops.map(\.line)).joined(separator: " ")
        case .neighbor(let message): "neighbor \(message.hardwareAddress?.description ?? "?") on \(message.link)"
        case .namespaceID(let message): "\(message.id)"
        case .namespaceIDDeleted(let message): "deleted \(message.id)"
        }
    }
}

extension DefaultRouteMessage.NextHop {
    fileprivate var line: String { "over \(link)\(isDead ? " dead" : "")" }
}

extension LinkMessage {
    fileprivate var line: String {
        var words = ["\(index)", name]
        if flags.contains(.up) { words.append("up") }
        if let kind { words.append(kind.rawValue) }
        if let master { words.append("port of \(master)") }
        if let link { words.append("other end \(link)") }
        if let linkNamespace { words.append("in \(linkNamespace)") }
        if let alias { words.append("alias \(alias)") }
        // Others are of no interest here, and are in most.
        if isIsolated { words += ["mtu \(mtu ?? 0)", "at \(hardwareAddress?.description ?? "?")", "isolated"] }
        return words.joined(separator: " ")
    }
}

extension AddressMessage {
    fileprivate var line: String {
        let (digits, width) =
            switch address {
            case .v4(let bits): (String(bits, radix: 16), 8)
            case .v6(let bits): (String(bits, radix: 16), 32)
            }
        let text = String(repeating: "0", count: width - digits.count) + digits
        return "\(text)/\(prefixLength) on \(link) scope \(scope.rawValue) flags \(String(flags.rawValue, radix: 16))"
    }
}
