// Kernel messages and their consequences, as lines of text.

import DNSWire
import Registry

@testable import IntercomServer
@testable import LinuxNet

/// Messages of rtnetlink as a line each: who says it, and what.
///
///     host link 2 br0 bridge up
///     host link 3 v0 veth up master=2 other=2@7     (the other end is link 2 of the namespace 7)
///     7 address 10.0.0.2/24 on 2
///     7 address fd00::2/64 on 2 tentative
///     7 no link 2
enum KernelScript {
    struct Mistake: Error {
        var line: String
    }

    static func message(_ line: String) throws -> (RouteMessage, Place) {
        var words = line.split(separator: " ").map(String.init)
        guard words.count > 2 else { throw Mistake(line: line) }
        let place = words.removeFirst()
        let isGone = words[0] == "no"
        if isGone { words.removeFirst() }
        let message: RouteMessage
        switch words.removeFirst() {
        case "link": message = isGone ? .linkDeleted(try link(words)) : .link(try link(words))
        case "address": message = isGone ? .addressDeleted(try address(words)) : .address(try address(words))
        default: throw Mistake(line: line)
        }
        if place == "host" { return (message, .host) }
        guard let id = Int32(place) else { throw Mistake(line: line) }
        return (message, .namespace(NamespaceID(rawValue: id)))
    }

    private static func link(_ words: [String]) throws -> LinkMessage {
        guard let index = words.first.flatMap({ UInt32($0) }) else { throw Mistake(line: words.joined(separator: " ")) }
        var link = LinkMessage(
            index: index, flags: [], name: words.count > 1 ? words[1] : "")
        for word in words.dropFirst(2) {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            switch (parts[0], parts.count) {
            case ("up", 1): link.flags.insert(.up)
            case ("master", 2): link.master = UInt32(parts[1])
            case ("alias", 2): link.alias = parts[1]
            case ("other", 2):
                let ends = parts[1].split(separator: "@")
                link.link = UInt32(ends[0])
                link.linkNamespace = ends.count > 1 ? Int32(ends[1]).map { NamespaceID(rawValue: $0) } : nil
            default: link.kind = LinkKind(rawValue: word)
            }
        }
        return link
    }

    private static func address(_ words: [String]) throws -> AddressMessage {
        let parts = words[0].split(separator: "/").map(String.init)
        guard words.count >= 3, parts.count == 2, let address = IPAddress(parts[0]), let length = UInt8(parts[1]),
            let link = UInt32(words[2])
        else { throw Mistake(line: words.joined(separator: " ")) }
        var flags: AddressFlags = []
        var scope = AddressScope.universe
        for word in words.dropFirst(3) {
            switch word {
            case "tentative": flags.insert(.tentative)
            case "dadfailed": flags.insert(.duplicate)
            case "deprecated": flags.insert(.deprecated)
            case "temporary", "secondary": flags.insert(.temporary)
            case "host": scope = .host
            case "link": scope = .link
            default: throw Mistake(line: word)
            }
        }
        let bits: LinkAddress =
            switch address {
            case .v4(let address): .v4(address.bits)
            case .v6(let address): .v6(address.bits)
            }
        return AddressMessage(link: link, address: bits, prefixLength: length, flags: flags, scope: scope)
    }
}

extension KernelTopology {
    /// Takes in what a line says; `add 7 web` and `remove 7` are for who listens. In each namespace the host is number 0.
    mutating func take(_ line: String) throws {
        let words = line.split(separator: " ").map(String.init)
        switch words[0] {
        case "add": add(WatchedNamespace(words[2], Int32(words[1]) ?? -1))
        case "remove": remove(NamespaceID(rawValue: Int32(words[1]) ?? -1))
        case "begin":
            beginDump(of: words[1] == "host" ? .host : .namespace(NamespaceID(rawValue: Int32(words[1]) ?? -1)))
        case "end": endDump(of: words[1] == "host" ? .host : .namespace(NamespaceID(rawValue: Int32(words[1]) ?? -1)))
        default:
            let (message, place) = try KernelScript.message(line)
            take(message, from: place)
        }
    }
}

extension WatchedNamespace {
    init(_ name: String, _ id: Int32) {
        self.init(
            id: NamespaceID(rawValue: id), hostID: NamespaceID(rawValue: 0),
            cookie: NamespaceCookie(rawValue: UInt64(id) + 1000), name: name, path: "/run/netns/\(name)")
    }
}

extension KernelChange {
    /// `network 2 br0 10.0.0.0/24`, `web: eth0 on 2 10.0.0.2`, `no network 2`, `no 1007`.
    var line: String {
        switch self {
        case .network(let network):
            return
                (["network \(network.interface) \(network.interfaceName)", network.alias.map { "(\($0))" }]
                .compactMap { $0 } + network.subnets.map(\.description)).joined(separator: " ")
        case .networkGone(let interface): return "no network \(interface)"
        case .container(let container), .readdressed(let container):
            let endpoints = container.endpoints.map { endpoint in
                (["\(endpoint.link) on \(endpoint.network)"] + endpoint.addresses.map(\.description))
                    .joined(separator: " ")
            }
            return "\(container.name): \(endpoints.joined(separator: ", "))"
        case .containerGone(let cookie): return "no \(cookie)"
        }
    }
}
