// Servers that a container's programs ask, and what follows for the proof that its listener is heard.

import Attachment
import DNSWire
import Registry

/// Servers that a container's programs ask, and those of them whose questions come to its listener.
struct ResolverAddresses: Sendable, Equatable {
    /// Servers of a resolv.conf that a libc asks (MAXNS, <resolv.h>; musl has the same number).
    static let libcLimit = 3

    /// Servers that its resolv.conf names, or that were declared; in their order, at most
    /// ``Registry/Limits/interceptedAddresses``.
    private(set) var servers: [ServerAddress] = []
    /// Number of servers that its resolv.conf names beyond these.
    private(set) var leftOut = 0
    /// Addresses that rules lead to its listener, 127.0.0.11 first; empty: there are no rules.
    var intercepted: [IPAddress] = []
    /// Reason why its resolv.conf is not known; nil: it is, or nobody has looked.
    var unknown: String?
    /// True where its process reads the host's resolv.conf: it has no root directory of its own.
    private(set) var areHosts = false
    /// True when reading its resolv.conf took too long: the thread of the opener that reads it may still wait.
    var hangs = false

    /// Takes the servers of a resolv.conf.
    /// - Parameters:
    ///   - configuration: contents of the file.
    ///   - isHosts: true where it is the host's file.
    mutating func take(_ configuration: ResolverConfiguration, isHosts: Bool = false) {
        var all: [ServerAddress] = []
        for server in configuration.nameservers where !all.contains(where: { $0.address == server.address }) {
            all.append(server)
        }
        servers = Array(all.prefix(Registry.Limits.interceptedAddresses))
        leftOut = all.count - servers.count
        areHosts = isHosts
        unknown = nil
    }

    /// Takes servers that were declared.
    mutating func take(_ addresses: [IPAddress]) {
        servers = addresses.map { ServerAddress(address: $0) }
        leftOut = 0
        areHosts = false
        unknown = nil
    }

    // MARK: - The proof

    /// Questions that prove that the listener is heard, or the verdict where nobody needs to ask.
    enum Proof: Equatable {
        /// Servers to ask, in this order, with the path of questions to each.
        case ask([(server: ServerAddress, path: Unheard.Path)])
        /// Its programs ask none whose questions come here.
        case notAsked(OtherServers)

        static func == (left: Self, right: Self) -> Bool {
            switch (left, right) {
            case (.ask(let left), .ask(let right)): left.elementsEqual(right, by: ==)
            case (.notAsked(let left), .notAsked(let right)): left == right
            default: false
            }
        }
    }

    /// The proof: each server that a libc asks is asked, and each whose questions are led to the listener. Where no file names a
    /// server, its programs are taken to ask at 127.0.0.11.
    var proof: Proof {
        let led = intercepted.isEmpty ? [.v4(.intercom)] : intercepted
        let named = servers.prefix(Self.libcLimit)
        guard named.isEmpty || named.contains(where: { led.contains($0.address) }) else {
            return .notAsked(
                OtherServers(
                    named.map(\.host).joined(separator: ", "), areHosts: areHosts,
                    mayBeLed: named.contains { path(of: $0, led) == .mayBeLed }))
        }
        let others = led.filter { address in !named.contains { $0.address == address } }
        return .ask((named + others.map { ServerAddress(address: $0) }).map { ($0, path(of: $0, led)) })
    }

    /// Rules were set for all servers but those of the container's own.
    private func path(of server: ServerAddress, _ led: [IPAddress]) -> Unheard.Path {
        if led.contains(server.address) { return .led }
        return server.address.isOwnServer || !intercepted.isEmpty ? .own : .mayBeLed
    }
}

extension ServerAddress {
    /// The address alone, as a resolv.conf names it: `fe80::1%eth0`.
    var host: String { "\(address)\(scope.map { "%\($0)" } ?? "")" }
}
