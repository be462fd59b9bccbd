// Facts of the kernel about networks and containers: the registry's other input, beside declarations.

package import DNSWire

/// A link's number in the host's namespace (`ifi_index`, rtnetlink(7)): the identity of a network there.
package struct InterfaceIndex: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// From 1 on.
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package var description: String { "\(rawValue)" }

    package static func < (left: InterfaceIndex, right: InterfaceIndex) -> Bool { left.rawValue < right.rawValue }
}

/// A namespace's identity (`SO_NETNS_COOKIE`, socket(7)); the kernel never gives one out again.
package struct NamespaceCookie: Hashable, Sendable, CustomStringConvertible {
    /// As the kernel gives it.
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package var description: String { "\(rawValue)" }
}

/// A network as the kernel shows it: a bridge, or the parent of macvlan and ipvlan links.
package struct ObservedNetwork: Sendable, Equatable {
    /// The link that it is.
    package var interface: InterfaceIndex
    /// `IFLA_IFNAME` as text; octets that are no UTF-8 as `\DDD`.
    package var interfaceName: String
    /// `IFLA_IFALIAS`, which names the network where it is set.
    package var alias: String?
    /// Those of the addresses that the host has on it. What a member says of subnets does not count.
    package var subnets: [Subnet]
    /// Addresses of the host that its containers can reach, in order. None on the parent of macvlan and ipvlan links: packets of
    /// those do not reach it.
    package var hostAddresses: [IPAddress]

    package init(
        interface: InterfaceIndex, interfaceName: String, alias: String? = nil, subnets: [Subnet] = [],
        hostAddresses: [IPAddress] = []
    ) {
        self.hostAddresses = hostAddresses
        self.interface = interface
        self.interfaceName = interfaceName
        self.alias = alias
        self.subnets = subnets
    }
}

/// A namespace as the kernel shows it.
package struct ObservedContainer: Sendable, Equatable {
    /// The namespace's own.
    package var cookie: NamespaceCookie
    /// Its file's name in `/run/netns`, or the path where that is no name. Not every one is a label: such a one is shown,
    /// and does not resolve.
    package var name: String
    /// Path at which it can be entered.
    package var path: String
    /// In the order of the links' indexes in the namespace.
    package var endpoints: [ObservedEndpoint]
    /// False where its file's name is none of the container's: a runtime numbers its files.
    package var isNamed: Bool { !name.utf8.starts(with: "/".utf8) }

    package init(cookie: NamespaceCookie, name: String, path: String, endpoints: [ObservedEndpoint] = []) {
        self.cookie = cookie
        self.name = name
        self.path = path
        self.endpoints = endpoints
    }
}

/// A link of a namespace that is plugged into a network.
package struct ObservedEndpoint: Sendable, Equatable {
    /// Index of the ``ObservedNetwork``.
    package var network: InterfaceIndex
    /// The link's name in the namespace, as `eth0`.
    package var link: String
    /// Those that can be used: no link-local, tentative, failed, deprecated or temporary ones.
    package var addresses: [IPAddress]

    package init(network: InterfaceIndex, link: String, addresses: [IPAddress] = []) {
        self.network = network
        self.link = link
        self.addresses = addresses
    }
}
