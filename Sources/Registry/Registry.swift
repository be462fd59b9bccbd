// All networks and containers that are known. A plain value, changed by the control plane alone.

package import DNSWire

/// Networks, endpoints, names and links; and what of them the directories do not know yet.
///
/// Networks and containers are known by what is declared, what sources publish, and what is observed from the kernel; what is
/// in force follows from all of it, whichever came first. Names are compared without regard to case (RFC 4343). A change costs time in
/// proportion to the change; one that is refused leaves everything as it was.
package struct Registry: Sendable {
    var networkStates: [ScopeID: Network] = [:]
    var containerStates: [ContainerID: Container] = [:]

    // MARK: Where to find them

    /// Networks by what they can be called; see ``Network/callNames``.
    var networksCalled: [Name: [ScopeID]] = [:]
    /// Interfaces that the kernel shows, and the network of each.
    var observedNetworks: [InterfaceIndex: ObservedNetwork] = [:]
    var networkOfInterface: [InterfaceIndex: ScopeID] = [:]
    /// Interfaces by their names and by what their networks are called, without a declaration.
    var interfacesCalled: [InterfaceClaim: Set<InterfaceIndex>] = [:]
    /// Claims of declared networks to interfaces.
    var claims: [InterfaceClaim: ScopeID] = [:]
    var containersCalled: [Name: [ContainerID]] = [:]
    var containerOfCookie: [NamespaceCookie: ContainerID] = [:]
    /// The containers whose endpoints name a network so, whether it is there or not.
    var referrers: [NetworkReference: Set<ContainerID>] = [:]

    /// The containers that sources tell of, and their networks.
    var containerOfPublication: [PublicationKey: ContainerID] = [:]
    var networkOfPublication: [NetworkPublication: ScopeID] = [:]
    /// Upstream groups of containers that have their own servers: those with the same servers share one.
    var ownGroups: [[ServerAddress]: OwnGroup] = [:]
    /// True when one of these has come or gone.
    var haveOwnGroupsChanged = false

    /// Containers of other hosts.
    var elsewhere = Elsewhere()
    /// Networks here that are shared, by the numbers of their names for all hosts.
    var sharedNetworks: [Int: [ScopeID]] = [:]
    /// Number that is another whenever a shared network has come, gone or changed.
    package internal(set) var sharedNetworksVersion = 0
    /// True when other hosts have told everything once.
    package var isClusterKnown = false {
        didSet { if isClusterKnown != oldValue { touchSharedScopes() } }
    }
    /// True when names on shared networks are denied although other hosts have not told everything yet.
    package var deniesUnready = false {
        didSet { if deniesUnready != oldValue { touchSharedScopes() } }
    }
    /// True for names of networks that are shared with other hosts, where their declarations do not say.
    var isNetworkShared: @Sendable (String) -> Bool = { _ in false }

    // MARK: What names mean

    /// Containers behind each name.
    var shares: [RecordKey: [Share]] = [:]
    /// The container whose links a scope is.
    var containerOfScope: [ScopeID: ContainerID] = [:]
    /// The names that are in a scope of links now.
    var linkNames: [ScopeID: Set<RecordKey>] = [:]
    /// The names among these that have addresses of their own.
    var extraHosts: [RecordKey: [ExtraHostDefinition]] = [:]
    /// Containers that have a link to one of this name, which may not be there itself.
    var linkedBy: [Name: Set<ContainerID>] = [:]

    /// Records of the operator.
    package internal(set) var records = OperatorRecords()

    /// Policies by their names, and whom each holds for.
    var policies = Policies()

    /// Networks, containers and names that an operator should look at.
    var concerns = Concerns()

    /// Views of unknown sources, by the networks whose gateways listen.
    var strangers: [ScopeID: ViewID] = [:]
    /// Networks whose gateways listen no more, and the views that they had.
    var formerStrangers: [ScopeID: ViewID] = [:]
    /// True when ``gateways`` may be others.
    var haveGatewaysChanged = false

    var scopeNumbers = NumberPool()
    /// Former names of removed networks that containers may still refer to.
    var goneNetworks: [ScopeID: String] = [:]
    var containerNumbers = NumberPool()
    /// Links and addresses of all containers that are left out, for ``Limits``.
    package internal(set) var observedLeftOut = 0
    /// The group that was made last.
    var lastGroup = UpstreamGroupID.default
    /// The routes of all networks, and their groups.
    var routes: [RouteDefinition] = []
    var routeGroups: [Name: UpstreamGroupID] = [:]
    /// Domains that the host's own upstreams know.
    var hostDomains: [Name] = []
    /// True where these hold for containers, too.
    var containersFollowHost = true
    /// The interfaces over which the host's default routes lead out.
    var defaultRoutes: Set<InterfaceIndex> = []

    /// The domain behind all names.
    package private(set) var domain: Name
    /// Seconds that answers may be kept where the network does not say.
    package private(set) var ttl: UInt32

    // MARK: What watchers do not know yet

    /// True while changes are recorded for ``takeEvents()``.
    package var isWatched = false {
        didSet { if !isWatched { events.removeAll() } }
    }
    var events: [Event] = []
    /// Containers that were renamed, for ``takeRenames()``.
    var renames: [Rename] = []

    /// True while changes of containers here are recorded for ``takeExportChanges()``.
    package var isExported = false {
        didSet { changedExports = isExported ? Set(containerStates.keys) : [] }
    }
    /// Containers that may be otherwise for other hosts now.
    var changedExports: Set<ContainerID> = []

    // MARK: What the directories do not know yet

    var changedScopes: Set<ScopeID> = []
    var changedRecords = ChangedKeys()
    var changedViews: Set<ContainerID> = []
    /// Containers whose search domains may have changed: the control plane writes their files anew.
    var changedSearches: Set<ContainerID> = []
    var changedPolicies: Set<PolicyID> = []
    /// For ``takeLockChanges()``.
    var changedLocks: Set<ContainerID> = []
    /// For ``takeGateChanges()``.
    var changedGates: Set<ContainerID> = []
    var changedPolicyRules: Set<PolicyRulesKey> = []
    var routesChanged = false
    var hostDomainsChanged = false

    package init(domain: Name, ttl: UInt32) {
        self.domain = domain
        self.ttl = ttl
    }

    /// Sets what holds where a network does not say; all records are compiled again if that is a change.
    package mutating func setDefaults(domain: Name, ttl: UInt32) {
        guard domain.wire != self.domain.wire || ttl != self.ttl else { return }
        self.domain = domain
        self.ttl = ttl
        changedRecords.formUnion(shares.keys)
        touchElsewhere()
        touchAllRecords()
        for network in networkStates.values {
            touchPointers(of: network)
            changedRecords.insert(.host(on: network.id))
            checkConcerns(of: network)
        }
    }
}
