// What the registry tells the directories: small compiled changes, in any order within one batch.

package import DNSWire

/// One change of what is answered.
package enum DirectoryChange: Sendable {
    /// What is known of a scope beside its names; nil: it is gone; its names were removed each for itself.
    case scope(ScopeID, Scope?)
    /// The records of one name in one scope; nil: the name is gone.
    case records(RecordKey, RecordSet?)
    /// What a container sees; nil: nothing.
    case view(ViewID, View?)
    /// The routes that hold for every view.
    case routes([RoutingDomain])
}

/// A name in a scope.
package struct RecordKey: Hashable, Sendable {
    /// How a name is found.
    package enum Kind: UInt32, Sendable {
        /// As it is, also with its network and the domain behind it.
        case exact
        /// As the end of a longer name; the key's name is without its `*`.
        case wildcard
        /// As a whole question alone (`in-addr.arpa`, `ip6.arpa`).
        case reverse
    }

    /// Where it is a name.
    package var scope: ScopeID
    /// How it is found.
    package var kind: Kind
    /// The name without the scope's own behind it; of a reverse name all of it.
    package var name: Name

    package init(scope: ScopeID, kind: Kind, name: Name) {
        self.scope = scope
        self.kind = kind
        self.name = name
    }
}

/// A network, or the links of one container.
package struct Scope: Sendable, Equatable {
    /// The network's name; nil for links: they are found by their own names alone.
    package var name: Name?
    /// What people call it.
    package var text: String
    /// Addresses in them are ours, whether somebody has them or not.
    package var subnets: [Subnet]
    /// Of a network that may forward.
    package var routes: [RoutingDomain]

    package init(name: Name?, text: String, subnets: [Subnet], routes: [RoutingDomain] = []) {
        self.name = name
        self.text = text
        self.subnets = subnets
        self.routes = routes
    }
}

/// A domain and where its names are asked.
package struct RoutingDomain: Sendable, Equatable {
    /// It and all names under it.
    package var domain: Name
    /// Who is asked.
    package var upstreams: UpstreamGroupID

    package init(domain: Name, upstreams: UpstreamGroupID) {
        self.domain = domain
        self.upstreams = upstreams
    }
}

/// What one container sees.
package struct View: Sendable, Equatable {
    /// Its private names; nil: it has none.
    package var links: ScopeID?
    /// In the order in which they answer.
    package var networks: [ScopeID]
    /// Where questions go that are not ours and under no route; nil: it may ask nobody.
    package var upstreams: UpstreamGroupID?

    package init(links: ScopeID?, networks: [ScopeID], upstreams: UpstreamGroupID?) {
        self.links = links
        self.networks = networks
        self.upstreams = upstreams
    }
}

/// The records of a name as they go into answers: owner a pointer to the question (C00C), TTL set.
package struct RecordSet: Sendable, Equatable {
    /// 16 octets each.
    package static let aStride = 16
    /// 28 octets each.
    package static let aaaaStride = 28

    /// A records.
    package private(set) var a: [UInt8] = []
    /// AAAA records.
    package private(set) var aaaa: [UInt8] = []
    /// SRV or PTR records, one behind the other.
    package private(set) var other: [UInt8] = []
    /// The type of the other records; nil: there are none.
    package private(set) var otherType: RecordType?
    /// How many others there are.
    package private(set) var otherCount = 0

    package init() {}

    /// The most records of one type: an answer counts them in 16 bits, and has room for fewer.
    package static let maximumCount = 4096

    mutating func append(_ address: IPAddress, ttl: UInt32) {
        switch address {
        case .v4(let address):
            guard a.count < Self.maximumCount * Self.aStride else { return }
            Self.append(.a, ttl, address.octets, to: &a)
        case .v6(let address):
            guard aaaa.count < Self.maximumCount * Self.aaaaStride else { return }
            Self.append(.aaaa, ttl, address.octets, to: &aaaa)
        }
    }

    /// RFC 2782; priority and weight are 0: all are equally good.
    mutating func append(serviceAt target: Name, port: UInt16, ttl: UInt32) {
        let octets = [0, 0, 0, 0, UInt8(port >> 8), UInt8(truncatingIfNeeded: port)] + target.wire
        append(other: .srv, ttl, octets)
    }

    mutating func append(pointerTo target: Name, ttl: UInt32) {
        append(other: .ptr, ttl, target.wire)
    }

    private mutating func append(other type: RecordType, _ ttl: UInt32, _ data: [UInt8]) {
        guard otherCount < Self.maximumCount else { return }
        otherType = type
        otherCount += 1
        Self.append(type, ttl, data, to: &other)
    }

    private static func append(_ type: RecordType, _ ttl: UInt32, _ data: [UInt8], to records: inout [UInt8]) {
        records += [0xC0, 0x0C]
        for word in [type.rawValue, RecordClass.in.rawValue, UInt16(ttl >> 16), UInt16(truncatingIfNeeded: ttl)] {
            records += [UInt8(word >> 8), UInt8(truncatingIfNeeded: word)]
        }
        records += [UInt8(truncatingIfNeeded: data.count >> 8), UInt8(truncatingIfNeeded: data.count)]
        records += data
    }
}
