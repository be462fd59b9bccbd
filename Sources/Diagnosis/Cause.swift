// Causes: stable codes of what can keep a name from resolving, for programs to act on. intercomctl(1) has the table.

/// Reason why a name does not resolve, or why something is not well. The raw value never changes its meaning.
package enum Cause: String, Sendable, CaseIterable {
    // MARK: The container

    /// No daemon listens on the control socket; the client says so.
    case daemonDown = "daemon-down"
    /// Nothing is known of a container of this name.
    case noSuchContainer = "no-such-container"
    /// The container ended in the last ten minutes.
    case ended
    /// A declared container waits for its namespace.
    case waiting
    /// The configuration leaves out the namespace, or the bridge that a link is plugged into.
    case excluded
    /// A namespace of this name exists, and discovery is off.
    case discoveryOff = "discovery-off"
    /// A process runs in a namespace that intercom does not serve: nobody has declared or published it.
    case notAttached = "not-attached"
    /// A container is answered and has no name: nobody has told of it, it was found by a file that its runtime numbers.
    case unnamed
    /// A process runs in the host's namespace, which is served by `host enable`.
    case hostProcess = "host-process"
    /// The adapter of a runtime has not called since the daemon started.
    case adapterAway = "adapter-away"

    // MARK: Its links

    /// A link inside the container is down.
    case linkDown = "link-down"
    /// The host's end of a link is down.
    case peerDown = "peer-down"
    /// The host's end of a link is plugged into no bridge.
    case notPlugged = "not-plugged"
    /// The bridge is down: names resolve, packets do not pass.
    case networkDown = "network-down"
    /// The container is on no network.
    case noNetwork = "no-network"
    /// An operator took the container off the network.
    case disconnected

    // MARK: Its listener

    /// Another program has port 53 of the container.
    case portTaken = "port-taken"
    /// The opener does not answer.
    case openerDown = "opener-down"
    /// No listener could be made, for another reason.
    case noListener = "no-listener"
    /// Another server answers the container's questions.
    case answeredByAnother = "answered-by-another"
    /// The container's loopback interface is down.
    case loopbackDown = "loopback-down"
    /// A question from inside the container does not arrive, for another reason.
    case unheard
    /// It could not be tried whether the container is heard.
    case unproved

    // MARK: What its programs read

    /// Its resolv.conf names other servers.
    case foreignResolver = "foreign-resolv-conf"
    /// A program began before the resolv.conf of its container was there, and reads another one.
    case begunBefore = "begun-before-file"
    /// The name service switch of its programs leaves DNS out, so that libc asks nobody.
    case nameServiceSwitch = "name-service-switch"
    /// A hosts file has another address for the name, which programs take without asking.
    case hostsFile = "hosts-file"
    /// A search domain is tried first, and has the name.
    case searchDomain = "search-domain"
    /// No container has the name, and a search domain gives an answer to it.
    case answeredBySearch = "answered-by-search"

    // MARK: The name

    /// Nobody is called so; a name that the container sees differs by a few letters.
    case mistyped
    /// Nobody is called so; the name has a character that is not seen, or is not ASCII.
    case oddCharacter = "odd-character"
    /// Nobody is called so any more: the container was renamed.
    case renamed
    /// The name is on networks that the container is not on.
    case otherNetwork = "other-network"
    /// Several containers on the network are called so.
    case duplicateName = "duplicate-name"
    /// A container that serves the name is left out of the answer.
    case drained
    /// Nobody is called so, and the domain is never forwarded.
    case noSuchName = "no-such-name"
    /// Nobody has the address on the container's networks.
    case noSuchAddress = "no-such-address"
    /// Nobody is called so, and a name of a single label is not forwarded.
    case singleLabel = "single-label"
    /// A name under `local` is one of multicast DNS, and is not forwarded.
    case multicast
    /// The container that has the name has no address.
    case noAddress = "no-address"
    /// The name exists, without a record of this type.
    case otherType = "other-type"

    // MARK: Outside

    /// The policy of the container denies the question.
    case deniedByPolicy = "denied-by-policy"
    /// No network of the container may forward.
    case internalNetwork = "internal-network"
    /// There is no upstream to ask.
    case noUpstream = "no-upstream"
    /// An upstream does not reply.
    case upstreamSilent = "upstream-silent"
    /// Nobody listens at an upstream's address.
    case upstreamRefused = "upstream-refused"
    /// No question can be sent to an upstream: there is no route, or no socket.
    case upstreamUnreachable = "upstream-unreachable"
    /// An upstream replies, and to other questions than it is asked: the id or the name is wrong.
    case upstreamLying = "upstream-lying"
    /// An upstream replies with an error.
    case upstreamFailing = "upstream-failing"
    /// An upstream failed repeatedly: others are asked before it.
    case upstreamResting = "upstream-resting"
    /// An upstream asks us in turn, and is not asked.
    case upstreamLoop = "upstream-loop"
    /// The upstreams say that the name does not exist, or why they have no record of it.
    case unknownOutside = "unknown-outside"
    /// An answer is too long for UDP, and the upstream does not give it over TCP.
    case answerCutOff = "answer-cut-off"

    /// A record of this name is not answered, as a container is called so.
    case recordShadowed = "record-shadowed"

    // MARK: The service

    /// Nothing listens on the port.
    case serviceNotRunning = "service-not-running"
    /// The program listens on the loopback interface alone.
    case serviceOnLoopback = "service-on-loopback"
    /// The program listens at another address than the name has.
    case serviceElsewhere = "service-on-other-address"
    /// The program listens, and no connection comes through.
    case serviceUnreachable = "service-unreachable"
    /// The program listens, and its container has no route to who asks.
    case noWayBack = "no-way-back"
    /// The address of a service outside lies in a subnet of the asker's own network, where nobody has it.
    case subnetOverlaps = "subnet-overlaps"
    /// Two links on a bridge have one hardware address: packets go to whichever spoke last.
    case duplicateMAC = "duplicate-mac"
    /// Both containers are plugged into isolated ports of a bridge.
    case portsIsolated = "ports-isolated"
    /// A container sends longer packets than another link on the way takes.
    case mtuDiffers = "mtu-differs"
    /// The service is reached by one family of addresses, and gives no reply by the other: programs wait.
    case oneFamilySilent = "one-family-silent"
    /// The service is reached by one family of addresses, and refused by the other, or there is no way: programs fall back.
    case oneFamilyRefused = "one-family-refused"

    // MARK: The machine

    /// Several containers on a network have one address.
    case duplicateAddress = "duplicate-address"
    /// Several networks have one name.
    case duplicateNetwork = "duplicate-network"
    /// A name that the DNS cannot have, or that has another meaning.
    case badName = "bad-name"
    /// A container is declared on a network that is not there.
    case networkMissing = "network-missing"
    /// Containers have a policy that nobody has declared: their questions are denied.
    case policyMissing = "policy-missing"
    /// The gate of a container is not in force: no address is told to it.
    case gateFailed = "gate-failed"
    /// A container was told more addresses than its gate has room for.
    case gateFull = "gate-full"
    /// Something is left out, past a limit.
    case limit
    /// A limit of the kernel or of the service manager is nearly reached.
    case limitNear = "limit-near"
    /// Something in the configuration is not in force.
    case notInForce = "not-in-force"
    /// The configuration file has a mistake.
    case badConfiguration = "bad-configuration"
    /// Something else that `status` warns of.
    case warning
}

extension Cause {
    /// True for what need not be mended: the name resolves all the same, or as somebody wants it.
    package var isRemark: Bool {
        switch self {
        case .answeredBySearch, .drained, .mtuDiffers, .otherType, .recordShadowed, .upstreamResting, .oneFamilyRefused:
            true
        default: false
        }
    }
}
