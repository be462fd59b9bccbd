// The daemon itself in the control interface: how it is doing, and reading its configuration again.

/// State of the daemon.
package enum Status: ControlMethod {
    package static let definition = """
        # State of the daemon; uptime: seconds; leftOut: links and addresses in containers' namespaces past the limits of
        # one container; awaited: declared containers that have no namespace yet; warnings: a sentence for each thing that
        # somebody should look at; states: how many containers are in each state; formerServers: absent where no container is
        # intercepted; latency: times of answers; host: absent where the host itself does not ask us; domain: the
        # one that names of containers end in; guests: absent where no gateway's listener has heard anything.
        method Status() -> (
          version: string,
          pid: int,
          uptime: int,
          configuration: ?string,
          networks: int,
          containers: int,
          leftOut: int,
          upstreams: []string,
          groups: []UpstreamGroup,
          servers: []Server,
          cache: Cache,
          workers: []Worker,
          awaited: []string,
          warnings: []string,
          states: ?[]StateCount,
          formerServers: ?FormerServers,
          latency: ?[]Latency,
          host: ?HostService,
          domain: ?string,
          guests: ?Guests
        )
        """
    package static let types: [any ControlType.Type] = [
        UpstreamGroup.self, Server.self, Cache.self, Worker.self, StateCount.self, FormerServers.self,
        Latency.self, HostService.self, Guests.self,
    ]

    package typealias Parameters = Nothing

    package struct Reply: Codable, Equatable, Sendable {
        /// The daemon's version, as `0.1.0`.
        package var version: String
        /// Its process.
        package var pid: Int
        /// Seconds since it started.
        package var uptime: Int
        /// The configuration file; absent: defaults alone.
        package var configuration: String?
        /// Number of networks.
        package var networks: Int
        /// Number of containers.
        package var containers: Int
        /// Links and addresses in containers' namespaces that are left out, as they are past the limits of one container.
        package var leftOut: Int
        /// DNS servers that questions of containers go to where their network has none of its own.
        package var upstreams: [String]
        /// Groups of upstreams, that of all names first.
        package var groups: [UpstreamGroup]
        /// The servers that have been asked, and how they do.
        package var servers: [Server]
        /// The caches of all workers, added up.
        package var cache: Cache
        /// Each worker, by its number.
        package var workers: [Worker]
        /// Containers of the configuration whose namespace is not there yet.
        package var awaited: [String]
        /// Sentences for the operator: names, clashes, namespaces that are not served.
        package var warnings: [String]
        /// Number of containers in each state, the most frequent first.
        package var states: [StateCount]?
        /// Former servers of intercepted containers; absent where there are none.
        package var formerServers: FormerServers?
        /// Times of answers, by who gave them; those that nobody has asked for are left out.
        package var latency: [Latency]?
        /// Service of the host itself; absent where nothing on it leads to us.
        package var host: HostService?
        /// Domain that names of containers end in.
        package var domain: String?
        /// Messages that have come to gateways; absent where there were none.
        package var guests: Guests?

        package init(
            version: String, pid: Int, uptime: Int, configuration: String?, networks: Int, containers: Int,
            leftOut: Int, upstreams: [String], groups: [UpstreamGroup], servers: [Server], cache: Cache,
            workers: [Worker],
            awaited: [String], warnings: [String], states: [StateCount]? = nil, formerServers: FormerServers? = nil,
            latency: [Latency]? = nil, host: HostService? = nil, domain: String? = nil,
            guests: Guests? = nil
        ) {
            self.version = version
            self.pid = pid
            self.uptime = uptime
            self.configuration = configuration
            self.networks = networks
            self.containers = containers
            self.leftOut = leftOut
            self.upstreams = upstreams
            self.groups = groups
            self.servers = servers
            self.cache = cache
            self.workers = workers
            self.awaited = awaited
            self.warnings = warnings
            self.states = states
            self.formerServers = formerServers
            self.latency = latency
            self.host = host
            self.domain = domain
            self.guests = guests
        }
    }

    /// Messages that have come to the listeners of gateways.
    package struct Guests: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # Messages at the host's addresses on networks with gateway-listener: of containers on the network, of strangers there, of
            # sources elsewhere, which get no answer, and those past the pace of their source.
            type Guests (containers: int, strangers: int, elsewhere: int, paced: int)
            """

        /// From addresses of containers.
        package var containers: Int
        /// From other addresses on the network.
        package var strangers: Int
        /// From addresses that are not on the network.
        package var elsewhere: Int
        /// Past the pace of their source.
        package var paced: Int

        package init(containers: Int, strangers: Int, elsewhere: Int, paced: Int) {
            self.containers = containers
            self.strangers = strangers
            self.elsewhere = elsewhere
            self.paced = paced
        }
    }

    /// Way on which questions of the host itself come.
    package enum HostWay: String, Codable, Equatable, Sendable {
        /// By DNS, to 127.0.0.11.
        case listener
        /// By Varlink, from systemd-resolved.
        case hook
    }

    /// Service of the host itself.
    package struct HostService: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # Service of the host itself. domain: the one that names of containers end in there; reason: absent where it is
            # served, else why not; way: "listener" (DNS at 127.0.0.11) or "hook" (systemd-resolved asks by Varlink).
            type HostService (domain: string, reason: ?string, way: ?string)
            """

        /// Domain that names of containers end in there.
        package var domain: String
        /// Why it is not served; absent where it is.
        package var reason: String?
        /// Way on which questions come.
        package var way: HostWay?

        package init(domain: String, reason: String?, way: HostWay? = nil) {
            self.domain = domain
            self.reason = reason
            self.way = way
        }
    }

    /// Former servers of all intercepted containers.
    package struct FormerServers: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # Servers that intercepted containers had before: of how many containers; those of how many have answered, have not
            # been asked, or fail; the last error, and the seconds since then.
            type FormerServers (
              containers: int,
              answering: int,
              untried: int,
              failing: int,
              lastError: ?string,
              seconds: ?int
            )
            """

        /// Number of intercepted containers.
        package var containers: Int
        /// Number of containers of which one former server has answered, and not failed since.
        package var answering: Int
        /// Number of containers whose former servers have not been asked, or not all of them.
        package var untried: Int
        /// Number of containers of which no former server answers.
        package var failing: Int
        /// Container and reason of the last failure among these.
        package var lastError: String?
        /// Seconds since that failure.
        package var seconds: Int?

        package init(
            containers: Int, answering: Int, untried: Int, failing: Int, lastError: String? = nil, seconds: Int? = nil
        ) {
            self.containers = containers
            self.answering = answering
            self.untried = untried
            self.failing = failing
            self.lastError = lastError
            self.seconds = seconds
        }
    }

    /// Number of containers that are in one state.
    package struct StateCount: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # Containers in one state, as "ready" or "unheard".
            type StateCount (state: string, containers: int)
            """

        /// As ``Container/state``.
        package var state: String
        /// 1 or more.
        package var containers: Int

        package init(state: String, containers: Int) {
            self.state = state
            self.containers = containers
        }
    }

    /// Servers that the same questions go to.
    package struct UpstreamGroup: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # DNS servers, ADDRESS:PORT, that the same questions go to: those of containers on a network (absent: all), about
            # names under a domain (absent: all that are under no other); from: "host" or "namespace".
            type UpstreamGroup (network: ?string, domain: ?string, from: string, servers: []string)
            """

        /// The network whose containers ask; absent: all.
        package var network: String?
        /// The domain of the route; absent: all names that are under no route.
        package var domain: String?
        /// `host` or `namespace`.
        package var from: String
        /// Servers as they are asked now, without those that ask us in turn.
        package var servers: [String]

        package init(network: String?, domain: String?, from: String, servers: [String]) {
            self.network = network
            self.domain = domain
            self.from = from
            self.servers = servers
        }
    }

    /// A DNS server as it is reached from one namespace.
    package struct Server: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # A server that has been asked, from the namespace of a container or of the host: its smoothed round-trip time in
            # microseconds, the questions that got no reply in time since its last one, whether others are asked before it, and
            # whether it is not asked at all, as it asks us in turn.
            type Server (server: string, container: ?string, roundTrip: ?int, failures: int, resting: bool, looping: bool)
            """

        /// ADDRESS:PORT.
        package var server: String
        /// The container from whose namespace it is asked; absent: the host's.
        package var container: String?
        /// The smoothed round-trip time in microseconds (RFC 6298); absent: it has not answered yet.
        package var roundTrip: Int?
        /// Questions without a reply in time since the last reply.
        package var failures: Int
        /// It failed repeatedly: others are asked before it.
        package var resting: Bool
        /// It asks us in turn, and is not asked.
        package var looping: Bool

        package init(
            server: String, container: String?, roundTrip: Int?, failures: Int, resting: Bool, looping: Bool
        ) {
            self.server = server
            self.container = container
            self.roundTrip = roundTrip
            self.failures = failures
            self.resting = resting
            self.looping = looping
        }
    }

    /// Counters of one worker since it started.
    package struct Worker: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # Counters of one worker since it started.
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
            """

        /// Its number, from 0 on.
        package var worker: Int
        /// Namespaces that it serves.
        package var listeners: Int
        /// Messages that were read.
        package var queries: Int
        /// Answered from the registry or by a rule, with records or without.
        package var local: Int
        /// Answered with what an upstream had said before.
        package var cached: Int
        /// Sent to an upstream.
        package var forwarded: Int
        /// Answered with NXDOMAIN by a rule of ours.
        package var negative: Int
        /// Answered with an error.
        package var failed: Int
        /// Not queries at all, or answers that could not be sent.
        package var dropped: Int
        /// Connections of clients that are open now.
        package var tcpConnections: Int
        /// Questions that wait for an upstream now.
        package var inFlight: Int

        package init(
            worker: Int, listeners: Int, queries: Int, local: Int, cached: Int, forwarded: Int, negative: Int,
            failed: Int,
            dropped: Int, tcpConnections: Int, inFlight: Int
        ) {
            self.worker = worker
            self.listeners = listeners
            self.queries = queries
            self.local = local
            self.cached = cached
            self.forwarded = forwarded
            self.negative = negative
            self.failed = failed
            self.dropped = dropped
            self.tcpConnections = tcpConnections
            self.inFlight = inFlight
        }
    }
}

/// Reads the configuration again and applies what is different; the same as SIGHUP.
package enum Reload: ControlMethod {
    package static let definition = """
        # Reads the configuration again and applies what is different. notInForce has a sentence for everything in it that is
        # not in force: settings that a restart takes, networks and containers that cannot be had.
        method Reload() -> (notInForce: []string)
        """

    package typealias Parameters = Nothing

    package struct Reply: Codable, Equatable, Sendable {
        /// A sentence for everything in the configuration that is not in force.
        package var notInForce: [String]

        package init(notInForce: [String]) {
            self.notInForce = notInForce
        }
    }
}
