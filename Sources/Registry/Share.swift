// Contribution of one container to the answer for a name.

import DNSWire

/// `_service._proto` or `_port._proto` of a port.
private struct ServiceName: Hashable {
    let name: Name
    let port: UInt16
}

/// One container behind a name.
struct Share: Hashable, Sendable {
    var container: ContainerID
    /// Port of the service whose name it is; nil: the name is the container's own, an alias or a link.
    var port: UInt16?
    /// True when other containers may stand in for this one while it is draining.
    var isAlias: Bool
}

extension Registry {
    /// The names that an endpoint has a share in; each once. Where its network has further names, each name also with those
    /// behind it: the directory knows a network by its first name alone.
    func shares(of endpoint: Endpoint, _ container: Container) -> [(RecordKey, Share)] {
        shares(of: endpoint.names, container.ports, on: endpoint.network) {
            Share(container: container.id, port: $0, isAlias: $1)
        }
    }

    /// The keys under which names of a container on a network are found, each with its share.
    func shares<OneShare: Hashable>(
        of names: [EndpointName], _ ports: [PortDefinition], on network: ScopeID,
        _ makeShare: (_ port: UInt16?, _ isAlias: Bool) -> OneShare
    ) -> [(RecordKey, OneShare)] {
        var shares: [(RecordKey, OneShare)] = []
        // Once for all names: those of a container are many, its ports are few.
        let services = Self.serviceNames(of: ports)
        let networkNames = networkStates[network]?.names.dropFirst() ?? []
        for endpointName in names {
            let name = endpointName.name
            let share = makeShare(nil, endpointName.isAlias)
            if let suffix = Self.wildcardSuffix(of: name) {
                shares.append((RecordKey(scope: network, kind: .wildcard, name: suffix), share))
                continue
            }
            shares.append((RecordKey(scope: network, kind: .exact, name: name), share))
            shares += Self.keys(of: services, under: name, in: network) { makeShare($0, endpointName.isAlias) }
            for behind in networkNames {
                guard let qualified = try? name.appending(behind) else { continue }
                shares.append((RecordKey(scope: network, kind: .exact, name: qualified), share))
            }
        }
        return shares
    }

    /// `_service._proto` and `_port._proto` of each port; each once.
    private static func serviceNames(of ports: [PortDefinition]) -> [ServiceName] {
        var names: [ServiceName] = []
        var seen: Set<ServiceName> = []
        // A handful is compared faster than it is hashed.
        let isHandful = ports.count <= 8
        for port in ports {
            let transport = [UInt8(ascii: "_")] + Array(port.transport.rawValue.utf8)
            for text in ["\(port.number)", port.service].compactMap({ $0 }) {
                guard let name = try? Name(labels: [Array("_\(text)".utf8), transport]) else { continue }
                let service = ServiceName(name: name, port: port.number)
                if isHandful ? !names.contains(service) : seen.insert(service).inserted { names.append(service) }
            }
        }
        return names
    }

    private static func keys<OneShare>(
        of services: [ServiceName], under name: Name, in scope: ScopeID, _ makeShare: (_ port: UInt16) -> OneShare
    ) -> [(RecordKey, OneShare)] {
        services.compactMap { service in
            (try? service.name.appending(name)).map {
                (RecordKey(scope: scope, kind: .exact, name: $0), makeShare(service.port))
            }
        }
    }

    /// `_service._proto.NAME` and `_port._proto.NAME` for each port of a container.
    func services(
        of container: Container, under name: Name, in scope: ScopeID, isAlias: Bool
    ) -> [(RecordKey, Share)] {
        services(at: container.ports, under: name, in: scope) {
            Share(container: container.id, port: $0, isAlias: isAlias)
        }
    }

    func services<OneShare>(
        at ports: [PortDefinition], under name: Name, in scope: ScopeID, _ makeShare: (_ port: UInt16) -> OneShare
    ) -> [(RecordKey, OneShare)] {
        Self.keys(of: Self.serviceNames(of: ports), under: name, in: scope, makeShare)
    }

    /// Removes all shares of a network's containers.
    mutating func removeShares(of network: Network) {
        for (key, share) in allShares(of: network) { remove(share, from: key) }
    }

    /// Gives a network's containers their shares.
    mutating func bringShares(of network: Network) {
        for (key, share) in allShares(of: network) {
            shares[key, default: []].append(share)
            changedRecords.insert(key)
        }
    }

    private func allShares(of network: Network) -> [(RecordKey, Share)] {
        network.members.flatMap { member -> [(RecordKey, Share)] in
            guard let container = containerStates[member], let endpoint = container.endpoint(on: network.id) else {
                return []
            }
            return shares(of: endpoint, container)
        }
    }

    /// Removes one share in a name; a name without shares is removed.
    mutating func remove(_ share: Share, from key: RecordKey) {
        changedRecords.insert(key)
        guard let position = shares[key]?.firstIndex(of: share) else { return }
        if shares[key]?.count == 1 {
            shares[key] = nil
        } else {
            shares[key]?.remove(at: position)
        }
    }
}
