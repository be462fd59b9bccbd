// Keys of intercom in etcd: hosts and their containers.

package import EtcdWire

/// A key below the prefix of this version.
package enum ClusterKey: Hashable, Sendable {
    /// A host that is alive.
    case host(String)
    /// A container of a host.
    case entry(ContainerKey)
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

/// Writes and reads keys: `/intercom/v1/h/HOST`, `…/e/HOST/KEY`. Names stand in them
/// as daemons write them: `a`…`z`, digits, `.`, `-`, `_`, `~`, and `%` with two hexadecimal digits; at most 255 octets.
package struct Keyspace: Hashable, Sendable {
    private static let longestName = 255

    private let prefix: [UInt8]

    /// - Parameter prefix: what all keys of this cluster begin with, as `/intercom`.
    package init(prefix: String) { self.prefix = Array("\(prefix)/v1/".utf8) }

    /// Range of all keys of this version.
    package var all: KeyRange { KeyRange(prefix: prefix) }

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
        }
    }

    /// The key that etcd has as these octets; nil where they are no key that ``octets(_:)`` writes.
    package func key(_ octets: [UInt8]) -> ClusterKey? {
        guard octets.starts(with: prefix) else { return nil }
        let parts = octets.dropFirst(prefix.count).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard let kind = parts.first, parts.dropFirst().allSatisfy(Self.isName) else { return nil }
        let names = parts.dropFirst().map { String(decoding: $0, as: UTF8.self) }
        return switch (kind.elementsEqual("h".utf8), kind.elementsEqual("e".utf8), names.count) {
        case (true, _, 1): .host(names[0])
        case (_, true, 2): .entry(ContainerKey(host: names[0], key: names[1]))
        default: nil
        }
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
