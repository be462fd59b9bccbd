// Records of networks: what an administrator wrote of them in etcd, by which containers of other hosts are believed or not.

import DNSWire
import Registry

/// Limits of one network that an administrator has set for all hosts.
struct NetworkRule: Hashable, Sendable {
    /// The value as it is in etcd.
    let octets: [UInt8]
    /// Blocks that addresses have to be in; empty: any address will do.
    private let subnets: [Subnet]
    /// Patterns of hosts that may have containers on it; empty: any may.
    private let hosts: [String]

    /// Reads a value; nil where it is malformed: a limit that cannot be read is no limit that could be held.
    init?(_ octets: [UInt8]) {
        guard octets.count <= Self.longestValue, let value = NetworkValue(octets) else { return nil }
        self.octets = octets
        subnets = (value.subnets ?? []).compactMap { Subnet($0) }
        hosts = value.hosts ?? []
        guard subnets.count == value.subnets?.count ?? 0 else { return nil }
    }

    private static let longestValue = 16 << 10

    /// Why a host may not have this there; nil: it may.
    func refusal(of place: EntryValue.Place, on host: String) -> String? {
        guard hosts.isEmpty || hosts.contains(where: { Self.matches(host, $0) }) else {
            return "is on network \(place.network), which has no host \(host)"
        }
        guard !subnets.isEmpty else { return nil }
        let outside = place.addresses.first { text in
            guard let address = IPAddress(text) else { return true }
            return !subnets.contains { $0.contains(address) }
        }
        return outside.map { "has address \($0), which is outside the subnets of network \(place.network)" }
    }

    /// True for a name that a pattern stands for: `*` stands for any octets, also for none.
    static func matches(_ name: String, _ pattern: String) -> Bool {
        let parts = pattern.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
        guard let first = parts.first, let last = parts.last, parts.count > 1 else { return name == pattern }
        var rest = name.utf8[...]
        guard rest.starts(with: first) else { return false }
        rest = rest.dropFirst(first.count)
        for part in parts.dropFirst().dropLast() {
            while !rest.starts(with: part) {
                guard !rest.isEmpty else { return false }
                rest = rest.dropFirst()
            }
            rest = rest.dropFirst(part.count)
        }
        return rest.count >= last.count && rest.suffix(last.count).elementsEqual(last)
    }
}

/// Rules of all networks that an administrator has described.
struct NetworkRules: Sendable {
    private static let limit = 1024

    private var rules: [String: NetworkRule] = [:]
    /// Networks that the listing has had so far.
    private var listed: Set<String> = []

    /// Calls `body` with each network's key and its value, in no order.
    func forEach(_ body: (String, [UInt8]) -> Void) {
        for (network, rule) in rules { body(network, rule.octets) }
    }

    /// Takes in a record. One that is malformed changes nothing: the rule that there was stays in force.
    /// - Returns: true where the rules are other than before, and why a record was left out.
    mutating func put(_ network: String, _ octets: [UInt8]) -> (isNew: Bool, refusal: String?) {
        listed.insert(network)
        guard let rule = NetworkRule(octets) else { return (false, "is malformed, or of another version") }
        guard rules[network] != nil || rules.count < Self.limit else {
            return (false, "is one too many: \(rules.count) networks are described")
        }
        defer { rules[network] = rule }
        return (rules[network] != rule, nil)
    }

    /// Removes a record.
    /// - Returns: true where there was one.
    mutating func remove(_ network: String) -> Bool { rules.removeValue(forKey: network) != nil }

    /// Begins a listing.
    mutating func beginListing() { listed = [] }

    /// Ends a listing: rules that it did not have go.
    /// - Returns: true where some went.
    mutating func endListing() -> Bool {
        let before = rules.count
        rules = rules.filter { listed.contains($0.key) }
        listed = []
        return rules.count != before
    }

    /// Removes from a container of another host the networks on which it cannot be.
    /// - Returns: why one was removed; nil: none was.
    func restrict(_ entry: inout EntryValue, of host: String) -> String? {
        guard !rules.isEmpty else { return nil }
        var reason: String?
        entry.places.removeAll { place in
            let refusal = rules[Keyspace.encoded(place.network)]?.refusal(of: place, on: host)
            reason = refusal ?? reason
            return refusal != nil
        }
        return reason
    }
}
