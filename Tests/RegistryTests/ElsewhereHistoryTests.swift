// Random histories of containers here and elsewhere, against a model that works everything out anew at each step.

import Testing

@testable import DNSWire
@testable import Registry

/// All that has been said, without any table.
private struct PlainCluster {
    struct Member: Hashable {
        /// Nil: this host.
        var host: String?
        var key: String
    }

    struct Place {
        var addresses: [String]
        var aliases: [String]
    }

    struct Facts {
        var name: String
        var places: [String: Place]
        var isDraining = false
        var isDeclared = true
    }

    var members: [Member: Facts] = [:]
    /// True for hosts that are lost; this one is `a`.
    var hosts: [String: Bool] = [:]
    var isOwnLost = false
    var shared: Set<String> = []

    private var leavesLostOut: Bool { hosts.values.contains(true) && !(isOwnLost && hosts.values.allSatisfy { $0 }) }

    private func isLost(_ member: Member) -> Bool {
        leavesLostOut && member.host.flatMap { hosts[$0] } ?? false
    }

    private func present(on network: String) -> [(Member, Facts, Place)] {
        members.compactMap { member, facts in
            guard member.host == nil || shared.contains(network), let place = facts.places[network] else { return nil }
            return (member, facts, place)
        }
    }

    /// The addresses that a container on both networks finds; nil: there is no such name.
    func answer(_ name: String, on networks: [String]) -> Set<String>? {
        for network in networks {
            let all = present(on: network).filter { $0.1.name == name || $0.2.aliases.contains(name) }
            guard !all.isEmpty else { continue }
            let alive = all.filter { !isLost($0.0) }
            let candidates = alive.isEmpty ? all : alive
            let serving = candidates.filter { $0.1.name == name || !$0.1.isDraining }
            return Set((serving.isEmpty ? candidates : serving).flatMap(\.2.addresses))
        }
        return nil
    }

    /// The addresses behind a link to a container; nil: nobody is called so.
    func link(to name: String, on networks: [String]) -> Set<String>? {
        let all = networks.flatMap { present(on: $0) }.filter { $0.1.name == name }
        guard !all.isEmpty else { return nil }
        let alive = all.filter { !isLost($0.0) }
        let candidates = alive.isEmpty ? all : alive
        let serving = candidates.filter { !$0.1.isDraining }
        return Set((serving.isEmpty ? candidates : serving).flatMap(\.2.addresses))
    }

    /// The name of an address; nil: nobody has it.
    func owner(of address: String, on networks: [String]) -> String? {
        for network in networks {
            let all = present(on: network).filter { $0.2.addresses.contains(address) }
            let best = all.min { left, right in
                func rank(_ one: (Member, Facts, Place)) -> (Int, Int, String, String) {
                    (isLost(one.0) ? 1 : 0, one.1.isDeclared ? 0 : 1, one.0.host ?? "a", one.0.key)
                }
                return rank(left) < rank(right)
            }
            if let best { return "\(best.1.name).\(network).internal." }
        }
        return nil
    }
}

@Suite("A random history of hosts")
struct ElsewhereHistoryTests {
    private static let networks = ["f", "g"]
    private static let names = ["web", "db", "site", "store"]
    private static let addresses = (1...6).map { "10.0.0.\($0)" }

    @Test("leaves what working it all out anew would give, after every step", arguments: 4...7)
    func history(seed: UInt64) throws {
        var random = Random(state: seed)
        var town = try Town()
        var plain = PlainCluster()
        for network in Self.networks { try town.network(network) }
        try town.container("asker", "f", "g", cookie: 1, links: [("db", "kin")])
        try town.registry.setOwnHost("a")
        for step in 0..<200 {
            try Self.change(&town, &plain, &random)
            town.settle()
            for name in Self.names {
                let answer = try town.ask("asker", name).map { Set($0) }
                #expect(answer == plain.answer(name, on: Self.networks), "seed \(seed), step \(step): \(name)")
            }
            let kin = try town.ask("asker", "kin").map { Set($0) }
            #expect(kin == plain.link(to: "db", on: Self.networks), "seed \(seed), step \(step): the link to db")
            for address in Self.addresses {
                let reverse = IPAddress(address)?.reverseName.description ?? ""
                let owner = try town.ask("asker", reverse, .ptr)?.first
                #expect(owner == plain.owner(of: address, on: Self.networks), "seed \(seed), step \(step): \(address)")
            }
        }
        for host in ["b", "c", "d"] { town.registry.removeHost(named: host) }
        town.settle()
        #expect(town.registry.elsewhere.shares.isEmpty && town.registry.elsewhere.owners.isEmpty)
        #expect(town.registry.remoteCount == 0 && town.registry.lostHostCount == 0)
        #expect(town.registry.elsewhere.onNetwork.values.filter { !$0.isEmpty } == [])
    }

    private static func change(
        _ town: inout Town, _ plain: inout PlainCluster, _ random: inout Random
    ) throws {
        let host = random.pick(["b", "c", "d"])
        switch random.below(10) {
        case 0:
            plain.hosts[host] = random.below(2) == 0
            try town.registry.putHost(host, isLost: plain.hosts[host] ?? false, address: nil)
        case 1:
            plain.isOwnLost.toggle()
            try town.registry.putHost("a", isLost: plain.isOwnLost, address: nil)
        case 2:
            if random.below(4) == 0 {
                plain.hosts[host] = nil
                plain.members = plain.members.filter { $0.key.host != host }
                town.registry.removeHost(named: host)
            } else {
                let shared = networks.filter { _ in random.below(3) > 0 }
                plain.shared = Set(shared)
                town.registry.setShared { shared.contains($0) }
            }
        case 3:
            let key = random.pick(names)
            plain.members[.init(host: host, key: key)] = nil
            town.registry.removeRemote(host: host, key: key)
        case 4:
            let name = random.pick(names)
            let here = PlainCluster.Member(host: nil, key: name)
            if plain.members.removeValue(forKey: here) != nil {
                try town.remove(name)
            } else {
                // Declared addresses are nobody else's on this host.
                let address = "10.0.0.\(1 + (names.firstIndex(of: name) ?? 0))"
                plain.members[here] = .init(name: name, places: ["f": .init(addresses: [address], aliases: ["site"])])
                try town.container(name, "f \(address) /site")
            }
        default:
            guard plain.hosts[host] != nil else { return }
            let name = random.pick(names)
            var facts = PlainCluster.Facts(name: name, places: [:])
            facts.isDraining = random.below(3) == 0
            facts.isDeclared = random.below(2) == 0
            for network in networks where random.below(3) > 0 {
                facts.places[network] = .init(
                    addresses: [random.pick(addresses)], aliases: random.below(2) == 0 ? [random.pick(names)] : [])
            }
            plain.members[.init(host: host, key: name)] = facts
            var container = ContainerDefinition(name: name, source: .control)
            container.isDraining = facts.isDraining
            container.endpoints = facts.places.map {
                EndpointDefinition(
                    network: $0.key, addresses: $0.value.addresses.compactMap { IPAddress($0) },
                    aliases: $0.value.aliases)
            }
            try town.registry.put(
                RemoteDefinition(host: host, key: name, container: container, isDeclared: facts.isDeclared))
        }
    }
}
