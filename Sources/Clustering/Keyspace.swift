// Keys of intercom in etcd: hosts and their containers, and networks.

package import EtcdWire

/// A key below the prefix of this version.
package enum ClusterKey: Hashable, Sendable {
    /// A host that is alive.
    case host(String)
    /// A container of a host.
    case entry(ContainerKey)
    /// A network, as an administrator describes it.
    case network(String)
}

/// A container among those of all hosts.
package struct ContainerKey: Hashable, Sendable {
    /// Its host.
    package var host: String
    /// Unique on its host, as the host's daemon says it.
    package var key: String

    /// A container's key.
    package init(host: String, key: String) {
        self.host = host
        self.key = key
    }
}

/// Writes and reads keys: `/intercom/v1/h/HOST`, `…/e/HOST/KEY`, `…/n/NETWORK`. Names stand in them
/// as daemons write them: `a`…`z`, digits, `.`, `-`, `_`, `~`, and `%` with two hexadecimal digits; at most 255 octets.
package struct Keyspace: Hashable, Sendable {
    private static let longestName = 255

    private let prefix: [UInt8]

    /// - Parameter prefix: what all keys of this cluster begin with, as `/intercom`.
    package init(prefix: String) { self.prefix = Array("\(prefix)/v1/".utf8) }

    /// Range of all keys of this version.
    package var all: KeyRange { KeyRange(prefix: prefix) }

    /// Range of the keys of all containers.
    package var allEntries: KeyRange { KeyRange(prefix: prefix + Array("e/".utf8)) }

    /// Range of all other keys: hosts and networks, which stand behind them.
    package var allButEntries: KeyRange { KeyRange(from: allEntries.end, to: all.end) }

    /// Keys of a host's containers.
    package func entries(of host: String) -> KeyRange {
        KeyRange(prefix: prefix + Array("e/\(host)/".utf8))
    }

    /// A key as etcd has it.
    package func octets(_ key: ClusterKey) -> [UInt8] {
        switch key {
        case .host(let host): prefix + Array("h/\(host)".utf8)
        case .entry(let entry):
            prefix + Array("e/\(entry.host)/\(entry.key)".utf8)
        case .network(let network): prefix + Array("n/\(network)".utf8)
        }
    }

    /// The key that etcd has as these octets; nil where they are no key that ``octets(_:)`` writes.
    package func key(_ octets: [UInt8]) -> ClusterKey? {
        guard octets.starts(with: prefix) else { return nil }
        let parts = octets.dropFirst(prefix.count).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard let kind = parts.first, parts.dropFirst().allSatisfy(Self.isName) else { return nil }
        let names = parts.dropFirst().map { String(decoding: $0, as: UTF8.self) }
        return switch (String(decoding: kind, as: UTF8.self), names.count) {
        case ("h", 1): .host(names[0])
        case ("e", 2): .entry(ContainerKey(host: names[0], key: names[1]))
        case ("n", 1): .network(names[0])
        default: nil
        }
    }

    /// A network's name as its key has it: in lower case, other octets than those of names as `%` with two digits.
    package static func encoded(_ network: String) -> String {
        var octets: [UInt8] = []
        for octet in network.lowercased().utf8 {
            if isAllowed(octet), octet != UInt8(ascii: "%") {
                octets.append(octet)
            } else {
                octets += [UInt8(ascii: "%"), digit(octet >> 4), digit(octet & 15)]
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    /// True for octets that can be the name of a host, or a container's key.
    package static func isName(_ octets: some Collection<UInt8>) -> Bool {
        (1...longestName).contains(octets.count) && octets.allSatisfy(isAllowed)
    }

    /// Letters in upper case are digits behind `%` alone.
    private static func isAllowed(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: "%"):
            true
        default: false
        }
    }
}
