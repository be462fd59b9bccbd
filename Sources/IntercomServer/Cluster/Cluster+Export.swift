// Containers here, as the bridge is told of them: the newest state of each, however slowly it reads.

import ControlAPI
import DNSWire
import LinuxNet
import Registry
import Varlink

/// Keys under which the bridge knows the containers of this host.
struct ExportKeys {
    private var keys: [ContainerID: String] = [:]
    private var owners: [String: ContainerID] = [:]
    /// Containers that the bridge has under their keys.
    private var told: Set<ContainerID> = []

    /// Forgets what was told: a bridge that attaches knows nothing.
    mutating func tellAll() { told = [] }

    /// The key of a container that is called so: its name, percent-encoded; `~2` and so on behind it where others have that.
    /// - Returns: the key, and the one that it had before where that is another and was told.
    mutating func key(of container: ContainerID, called name: Name) -> (key: String, former: String?) {
        let base = Self.encoded(name)
        if let known = keys[container], known == base || known.hasPrefix("\(base)~") { return (known, nil) }
        let former = remove(container)
        var key = base
        var number = 2
        while owners[key] != nil {
            key = "\(base)~\(number)"
            number += 1
        }
        keys[container] = key
        owners[key] = container
        return (key, former)
    }

    /// Frees the key of a container.
    /// - Returns: the key, where the bridge was told of it.
    mutating func remove(_ container: ContainerID) -> String? {
        guard let key = keys.removeValue(forKey: container) else { return nil }
        owners[key] = nil
        return told.remove(container) == nil ? nil : key
    }

    /// Notes that the bridge has been told of a container.
    mutating func hasTold(_ container: ContainerID) { told.insert(container) }

    /// The folded name without the root's dot; octets but letters, digits, `.`, `-` and `_` as `%` and two hexadecimal digits.
    private static func encoded(_ name: Name) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var octets: [UInt8] = []
        for octet in name.labelsFolded.joined(separator: [UInt8(ascii: ".")]) {
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "."), UInt8(ascii: "_"):
                octets.append(octet)
            default:
                octets += [UInt8(ascii: "%"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }
}

extension Name {
    fileprivate var labelsFolded: [[UInt8]] {
        labels.map { $0.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 } }
    }
}

extension Cluster {
    /// Entries of one reply: a millisecond's work.
    private static let batch = 256
    /// Octets of texts and addresses after which a reply has no further entry.
    private static let batchOctets = 128 * 1024

    /// Tells the bridge what has changed here, as far as it has read what it was told before.
    func export() {
        guard session != nil, let socket else { return }
        session?.pending.formUnion(publisher.registry.takeExportChanges())
        while let client = session?.client, socket.hasReadAll(client), let reply = nextReply() {
            socket.push(VarlinkReply.encode(reply, continues: true), to: client)
        }
    }

    /// The next reply; nil where there is nothing new.
    private func nextReply() -> ControlAPI.Attach.Reply? {
        var reply = ControlAPI.Attach.Reply()
        let version = publisher.registry.sharedNetworksVersion
        if session?.toldNetworks != version {
            session?.toldNetworks = version
            reply.shared = publisher.registry.sharedNetworkNames.map(\.textWithoutDot)
        }
        fillIn(&reply)
        if session?.pending.isEmpty == true, session?.hasSynced == false {
            session?.hasSynced = true
            reply.synced = true
        }
        return reply == ControlAPI.Attach.Reply() ? nil : reply
    }

    private func fillIn(_ reply: inout ControlAPI.Attach.Reply) {
        let some = (session?.pending ?? []).sorted().prefix(Self.batch)
        var put: [Entry] = []
        var gone: [String] = []
        var octets = 0
        for id in some {
            guard octets < Self.batchOctets else { break }
            session?.pending.remove(id)
            guard let entry = entry(of: id, gone: &gone) else { continue }
            put.append(entry)
            octets += entry.places.reduce(entry.name.utf8.count) { sum, place in
                sum + place.addresses.count * 16 + (place.aliases ?? []).reduce(0) { $0 + $1.utf8.count }
            }
        }
        let keys = Set(put.map(\.key))
        gone.removeAll { keys.contains($0) }
        reply.put = put.isEmpty ? nil : put
        reply.gone = gone.isEmpty ? nil : gone
    }

    /// A container as other hosts are told of it; nil: they are not.
    /// - Parameter gone: gets the key that it had and has no more.
    private func entry(of id: ContainerID, gone: inout [String]) -> Entry? {
        let registry = publisher.registry
        guard let container = registry[id], let name = container.firstName else {
            gone += [keys.remove(id)].compactMap(\.self)
            return nil
        }
        let endpoints = registry.sharedEndpoints(of: container)
        guard !endpoints.isEmpty else {
            gone += [keys.remove(id)].compactMap(\.self)
            return nil
        }
        let (key, former) = keys.key(of: id, called: name)
        gone += [former].compactMap(\.self)
        keys.hasTold(id)
        return Entry(
            host: session?.bridge.host ?? "", key: key, name: container.name, hostname: container.hostname,
            id: container.runtimeID,
            ports: container.ports.isEmpty
                ? nil
                : container.ports.map {
                    Port(port: Int($0.number), protocol: $0.transport.rawValue, service: $0.service)
                },
            draining: container.isDraining ? true : nil,
            declared: registry.hasSaidAddresses(container) ? true : nil,
            places: endpoints.map {
                ControlAPI.Place(
                    network: $0.network.withoutDotAtEnd, addresses: $0.addresses.map(\.description),
                    aliases: $0.aliases.isEmpty ? nil : $0.aliases)
            })
    }
}

extension String {
    fileprivate var withoutDotAtEnd: String { hasSuffix(".") && utf8.count > 1 ? String(dropLast()) : self }
}
