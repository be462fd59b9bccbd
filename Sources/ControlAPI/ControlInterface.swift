// The interface as Varlink describes it: what introspection shows, and what any Varlink client can call.

/// `intercom.Control`.
package enum ControlInterface {
    /// The interface's name on the wire.
    package static let name = "intercom.Control"

    /// The description in Varlink's interface definition language.
    package static let description = """
        # Names and networks of containers, as the daemon answers them at 127.0.0.11.
        # A change is in force when its call returns. Every error has a message for people.
        interface intercom.Control

        # A container on a network.
        type Member (container: string, addresses: []string, aliases: []string)

        # Something that is known, and where it comes from. fact: "name", "netns", "pid", "hostname", "id", "network",
        # "address", "alias", "link", "port", "interface", "subnet", "internal", "upstream", "route" or "ttl"; source:
        # "configuration" or "control" declared it, the "kernel" shows it, at this link; inForce: false where something
        # else has more weight, or what it is about is not there.
        type Fact (fact: string, value: string, network: ?string, source: string, link: ?string, inForce: bool)

        # A domain that is asked elsewhere: of DNS servers, ADDRESS[:PORT]. The longest that a name is under counts.
        type Route (domain: string, upstreams: []string)

        # A network: the segment that containers share. forwardFrom: from where its upstreams and routes are asked, "host"
        # or "namespace" (that of the container); ttl: seconds; source: "configuration", "control" or "kernel".
        type Network (
          name: string,
          interface: ?string,
          subnets: []string,
          internal: bool,
          upstreams: []string,
          routes: []Route,
          forwardFrom: string,
          ttl: int,
          source: string,
          containers: []Member,
          facts: []Fact
        )

        # A network that a new container is on, with its addresses and further names there.
        type Attachment (name: string, addresses: ?[]string, aliases: ?[]string)

        # A private name of another container.
        type Link (container: string, name: string)

        # A port that SRV answers tell of; protocol: "tcp" (if absent) or "udp".
        type Port (port: int, protocol: ?string, service: ?string)

        # A container on one network, with all names that it answers to there.
        type Endpoint (network: string, addresses: []string, aliases: []string, names: []string)

        # A container; listener: where it is answered, absent without a namespace here; listen: how port 53 is taken there,
        # "direct" or "redirect"; draining: whether it is left out of aliases that others serve, too.
        type Container (
          name: string,
          id: ?string,
          hostname: ?string,
          netns: ?string,
          pid: ?int,
          networks: []Endpoint,
          links: []Link,
          ports: []Port,
          resolvConf: ?string,
          listener: ?string,
          listen: string,
          draining: bool,
          source: string,
          facts: []Fact
        )

        # A resource record in presentation form; ttl: seconds.
        type Record (name: string, ttl: int, type: string, data: string)

        # An Extended DNS Error (RFC 8914).
        type ExtendedError (code: int, meaning: string, text: ?string)

        # The answer that a container would get; source: who decided it.
        type Answer (
          name: string,
          type: string,
          rcode: string,
          flags: []string,
          answers: []Record,
          authority: []Record,
          extendedErrors: []ExtendedError,
          source: string
        )

        # DNS servers, ADDRESS:PORT, that the same questions go to: those of containers on a network (absent: all), about
        # names under a domain (absent: all that are under no other); from: "host" or "namespace".
        type UpstreamGroup (network: ?string, domain: ?string, from: string, servers: []string)

        # A server that has been asked, from the namespace of a container or of the host: its smoothed round-trip time in
        # microseconds, the questions that got no reply in time since its last one, whether others are asked before it, and
        # whether it is not asked at all, as it asks us in turn.
        type Server (server: string, container: ?string, roundTrip: ?int, failures: int, resting: bool, looping: bool)

        # Kept answers of upstreams now: how many, the memory that they take and may take; and since the daemon started:
        # questions answered from memory (stale: past their life, RFC 8767), questions that upstreams were asked, questions
        # that waited for what was asked already, answers renewed in time, answers that made room for others.
        type Cache (
          entries: int,
          octets: int,
          limit: int,
          hits: int,
          stale: int,
          misses: int,
          coalesced: int,
          prefetches: int,
          evictions: int
        )

        # What one worker does and has done since it started.
        type Worker (
          worker: int,
          listeners: int,
          queries: int,
          local: int,
          cached: int,
          forwarded: int,
          negative: int,
          failed: int,
          dropped: int,
          tcpConnections: int,
          inFlight: int
        )

        # A change of the registry. kind: "network", "container" or "endpoint" (of a container on a network); action: "added",
        # "changed" or "removed"; formerName: what a network or container was called before. interface, subnets and internal
        # are a network's, netns and draining a container's, addresses and aliases an endpoint's: as they are now, and of
        # what was removed as they were.
        type Change (
          kind: string,
          action: string,
          network: ?string,
          container: ?string,
          formerName: ?string,
          interface: ?string,
          subnets: ?[]string,
          internal: ?bool,
          netns: ?string,
          draining: ?bool,
          addresses: ?[]string,
          aliases: ?[]string
        )

        # Declares a network.
        method CreateNetwork(
          name: string,
          interface: ?string,
          subnets: ?[]string,
          internal: ?bool,
          upstreams: ?[]string,
          ttl: ?int,
          routes: ?[]Route,
          forwardFrom: ?string
        ) -> ()

        # Takes back a network's declaration, if no container was declared to be on it. What the kernel shows of it stays.
        method RemoveNetwork(name: string) -> ()

        # All networks, by name.
        method ListNetworks() -> (networks: []Network)

        # One network.
        method InspectNetwork(name: string) -> (network: Network)

        # Puts a container on a network, while it runs; one whose link is plugged into it gains addresses and aliases.
        method Connect(network: string, container: string, addresses: ?[]string, aliases: ?[]string) -> ()

        # Takes a container off a network, while it runs. A link that is plugged into it counts no more until Connect.
        method Disconnect(network: string, container: string) -> ()

        # Adds a container: by the path of its namespace, by a process in it, or by addresses alone. It is on the networks
        # that are named; if none are (networks is absent), on those that its links are plugged into.
        method AddContainer(
          name: string,
          netns: ?string,
          pid: ?int,
          networks: ?[]Attachment,
          hostname: ?string,
          id: ?string,
          links: ?[]Link,
          ports: ?[]Port,
          resolvConf: ?string,
          listen: ?string
        ) -> ()

        # Takes back a container's declaration: unless the kernel shows it, its listener closes and its names go.
        method RemoveContainer(name: string) -> ()

        # Leaves a container out of aliases that others serve, too. Its own names stay.
        method DrainContainer(name: string) -> ()

        # Takes that back.
        method ReadyContainer(name: string) -> ()

        # All containers, by name.
        method ListContainers() -> (containers: []Container)

        # One container.
        method InspectContainer(name: string) -> (container: Container)

        # The answer that a container would get, and who gave it; type: "A" if absent.
        method Resolve(name: string, type: ?string, container: string) -> (answer: Answer)

        # How the daemon is doing; uptime: seconds; warnings: what somebody should look at, a sentence each.
        method Status() -> (
          version: string,
          pid: int,
          uptime: int,
          configuration: ?string,
          networks: int,
          containers: int,
          upstreams: []string,
          groups: []UpstreamGroup,
          servers: []Server,
          cache: Cache,
          workers: []Worker,
          awaited: []string,
          warnings: []string
        )

        # Forgets kept answers: all, or those about a name, or (suffix) about a name and all names under it.
        method FlushCache(name: ?string, suffix: ?bool) -> (flushed: int)

        # Every change of the registry as it happens; needs "more". The first reply is ready: what changes from then on is told.
        # Who does not read misses changes, and is told how many. What is there already is told by the other methods.
        method Monitor() -> (ready: ?bool, missed: ?int, change: ?Change)

        # Reads the configuration again and applies what is different.
        method Reload() -> ()

        error NoSuchNetwork (message: string, network: string)
        error NoSuchContainer (message: string, container: string)
        error NetworkExists (message: string, network: string)
        error ContainerExists (message: string, container: string)
        # Several networks, or containers, have this name: choices are what each is found by alone.
        error AmbiguousName (message: string, name: string, choices: []string)
        error InterfaceInUse (message: string, interface: string, network: string)
        # Nobody declared it: the kernel shows it, as this interface or at this path.
        error NotDeclared (message: string, name: string, origin: string)
        error NetworkInUse (message: string, network: string, containers: []string)
        error AlreadyConnected (message: string, container: string, network: string)
        error NotConnected (message: string, container: string, network: string)
        error InvalidName (message: string, name: string, reason: string)
        error InvalidAddress (message: string, address: string, reason: string)
        error AddressInUse (message: string, address: string, network: string, container: string)
        error InvalidValue (message: string, parameter: string, value: string, reason: string)
        error NotANetworkNamespace (message: string, path: string, reason: string)
        error NoSuchProcess (message: string, pid: int)
        error HostNamespace (message: string, namespace: string)
        error NamespaceInUse (message: string, namespace: string, container: string)
        error PortInUse (message: string, namespace: string, address: string)
        error NoNftables (message: string, namespace: string, reason: string)
        error NotPermitted (message: string, user: string)
        error InvalidConfiguration (message: string, errors: []string)
        error OperationFailed (message: string, reason: string)

        """
}
