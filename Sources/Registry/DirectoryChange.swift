// Changes of the registry, compiled for directories: small, and in any order within one batch.

package import DNSWire

/// One change of what is answered.
package enum DirectoryChange: Sendable {
    /// Properties of a scope, beside its names; nil: the scope was removed, and each of its names before it.
    case scope(ScopeID, Scope?)
    /// The records of one name in one scope; nil: the name is gone.
    case records(RecordKey, RecordSet?)
    /// View of a container; nil: it was removed.
    case view(ViewID, View?)
    /// The view of who has an address on a network whose gateway listens; nil: nobody that is known.
    case source(ScopeID, IPAddress, ViewID?)
    /// A policy, without its rules; nil: it was removed, and each of its rules with it.
    case policy(PolicyID, CompiledPolicy?)
    /// The rules of a policy about one name; nil: there are none.
    case policyRules(PolicyID, Name, PolicyRules?)
    /// The routes that hold for every view.
    case routes([RoutingDomain])
    /// Domains that are asked of the host's upstreams although a rule would deny their names: for the host itself, and for
    /// containers where they ask the same upstreams.
    case hostDomains([Name], forContainers: Bool)
}

/// A name in a scope.
package struct RecordKey: Hashable, Sendable {
    /// Way in which a name is found.
    package enum Kind: UInt8, Sendable {
        /// As it is, also with its network and the domain behind it.
        case exact
        /// As the end of a longer name; the key's name is without its `*`.
        case wildcard
        /// As a whole question alone (`in-addr.arpa`, `ip6.arpa`).
        case reverse
        /// Not at all: a name without records that has names beneath it (RFC 8020 §2). Directories keep these themselves.
        case empty
        /// A record of the operator: found as ``exact`` is, behind all names of containers.
        case record
        /// Records of the operator for all names that end so; the key's name is without its `*`.
        case recordWildcard
    }

    /// Scope of the name.
    package var scope: ScopeID
    /// Way in which it is found.
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
    /// Name for people.
    package var text: String
    /// Blocks whose reverse names are ours, whether somebody has the address or not.
    package var subnets: [Subnet]
    /// Of a network that may forward.
    package var routes: [RoutingDomain]
    /// True while nobody can say that a name is not on this network: other hosts have not told everything yet.
    package var isUnready = false

    package init(
        name: Name?, text: String, subnets: [Subnet], routes: [RoutingDomain] = [], isUnready: Bool = false
    ) {
        self.name = name
        self.text = text
        self.subnets = subnets
        self.routes = routes
        self.isUnready = isUnready
    }
}

/// A domain and where its names are asked.
package struct RoutingDomain: Sendable, Equatable {
    /// It and all names under it.
    package var domain: Name
    /// Group of upstreams for this domain.
    package var upstreams: UpstreamGroupID

    package init(domain: Name, upstreams: UpstreamGroupID) {
        self.domain = domain
        self.upstreams = upstreams
    }
}

/// View of one container.
package struct View: Sendable, Equatable {
    /// Its private names; nil: it has none.
    package var links: ScopeID?
    /// In the order in which they answer.
    package var networks: [ScopeID]
    /// Group of upstreams for questions under no route; nil: the container may use no upstream.
    package var upstreams: UpstreamGroupID?
    /// True where ``upstreams`` may be the host's: the host's own domains are asked there, too.
    package var followsHost: Bool
    /// True where it has former servers: these may know neighbours that we do not (``UpstreamGroupID/neighbours``).
    package var hasFormerServers: Bool
    /// The policy that its questions are judged by; nil: it may ask for everything.
    package var policy: PolicyID?
    /// True for sources that no container has: the operator's records for all are not theirs.
    package var isStranger: Bool

    package init(
        links: ScopeID?, networks: [ScopeID], upstreams: UpstreamGroupID?, followsHost: Bool = false,
        hasFormerServers: Bool = false, policy: PolicyID? = nil, isStranger: Bool = false
    ) {
        self.isStranger = isStranger
        self.policy = policy
        self.links = links
        self.networks = networks
        self.upstreams = upstreams
        self.followsHost = followsHost
        self.hasFormerServers = hasFormerServers
    }
}

/// Keys of names that have changed, each once, in the order in which they came.
///
/// What came together lies together in memory: ten thousand containers are compiled, and taken in by each worker, in half of the
/// time that the order of their hashes takes.
struct ChangedKeys: Sequence, Sendable {
    private var order: [RecordKey] = []
    private var known: Set<RecordKey> = []

    var count: Int { order.count }

    mutating func insert(_ key: RecordKey) {
        if known.insert(key).inserted { order.append(key) }
    }

    mutating func formUnion(_ keys: some Sequence<RecordKey>) {
        for key in keys { insert(key) }
    }

    mutating func removeAll() {
        guard !order.isEmpty else { return }
        order.removeAll()
        known.removeAll()
    }

    func makeIterator() -> IndexingIterator<[RecordKey]> { order.makeIterator() }
}
