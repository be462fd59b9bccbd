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
    /// Domains that are asked of the host's upstreams although a rule would deny their names.
    case hostDomains([Name])
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
        /// Not at all: a name without records that has names beneath it (RFC 8020 §2). Directories keep these themselves.
        case empty
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
    /// Blocks whose reverse names are ours, whether somebody has the address or not.
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
    /// True where ``upstreams`` may be the host's: the host's own domains are asked there, too.
    package var followsHost: Bool

    package init(links: ScopeID?, networks: [ScopeID], upstreams: UpstreamGroupID?, followsHost: Bool = false) {
        self.links = links
        self.networks = networks
        self.upstreams = upstreams
        self.followsHost = followsHost
    }
}
