// Watching: every change of the registry, or every question of containers, as it happens.

/// Changes of the registry, or questions of containers, each in a reply of its own; the call needs `more`. It ends with the
/// connection, or with the daemon.
package enum Monitor: ControlMethod {
    package static let definition = """
        # Every change of the registry as it happens; needs "more". The first reply is ready: what changes from then on is told.
        # A client that does not read misses changes, and is told how many. What is there already is told by the other methods.
        # queries: every question of a container instead, when it is answered; container: of this one alone; denied: those
        # alone that a policy has denied.
        method Monitor(queries: ?bool, container: ?string, denied: ?bool) -> (
          ready: ?bool,
          missed: ?int,
          change: ?Change,
          question: ?Question
        )
        """
    package static let types: [any ControlType.Type] = [Change.self, Question.self]

    package struct Parameters: Codable, Equatable, Sendable {
        /// True for questions; absent or false: changes of the registry.
        package var queries: Bool?
        /// The container whose questions are meant; absent: all.
        package var container: String?
        /// True for questions alone that a policy has denied.
        package var denied: Bool?

        package init(queries: Bool? = nil, container: String? = nil, denied: Bool? = nil) {
            self.queries = queries
            self.container = container
            self.denied = denied
        }
    }

    /// One of the four.
    package struct Reply: Codable, Equatable, Sendable {
        /// The first reply: what happens from now on will be told.
        package var ready: Bool?
        /// Number of changes or questions that were dropped, because the client did not read or they were too many.
        package var missed: Int?
        /// Change of the registry.
        package var change: Change?
        /// Question of a container.
        package var question: Question?

        package init(
            ready: Bool? = nil, missed: Int? = nil, change: Change? = nil, question: Question? = nil
        ) {
            self.ready = ready
            self.missed = missed
            self.change = change
            self.question = question
        }
    }

    /// A question of a container, and its answer.
    package struct Question: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # A question and its answer. time: of the answer, in microseconds since 1970-01-01 00:00 UTC; container: absent where it
            # has gone; transport: "udp" or "tcp"; name and type: absent where the query could not be read; decidedBy: the rule,
            # the network, the cache or the upstream, as Resolve has it; microseconds: from question to answer.
            type Question (
              time: int,
              container: ?string,
              transport: string,
              name: ?string,
              type: ?string,
              rcode: string,
              decidedBy: string,
              microseconds: int
            )
            """

        /// Microseconds since 1970-01-01 00:00 UTC, of the answer.
        package var time: Int
        /// The container's name; absent where it has gone.
        package var container: String?
        /// `udp` or `tcp`.
        package var transport: String
        /// In presentation form (RFC 1035 §5.1) and lower case; absent where the query could not be read.
        package var name: String?
        /// As `AAAA` or `TYPE65280`; absent where the query could not be read.
        package var type: String?
        /// `NOERROR`, `NXDOMAIN`, `SERVFAIL` …
        package var rcode: String
        /// The rule, the network, the cache or the upstream, as ``Resolve`` has it.
        package var decidedBy: String
        /// Time from question to answer.
        package var microseconds: Int

        package init(
            time: Int, container: String?, transport: String, name: String?, type: String?, rcode: String,
            decidedBy: String, microseconds: Int
        ) {
            self.time = time
            self.container = container
            self.transport = transport
            self.name = name
            self.type = type
            self.rcode = rcode
            self.decidedBy = decidedBy
            self.microseconds = microseconds
        }
    }

    /// A network, a container, or a container's endpoint on a network: as it is now; if it was removed, as it was.
    package struct Change: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # A change. kind: "network", "container", "endpoint" (of a container on a network) or "host"; action: "added",
            # "changed" or "removed"; formerName: what a network or container was called before. interface, subnets and internal
            # are a network's, netns and draining a container's, addresses and aliases an endpoint's: as they are now, and of
            # what was removed as they were. state and reason alone: a container's state is another. host: the other host that
            # is meant, or that the container is on; of a host state is "alive" or "lost", addresses where it is reached.
            type Change (
              kind: string,
              action: string,
              network: ?string,
              container: ?string,
              host: ?string,
              formerName: ?string,
              interface: ?string,
              subnets: ?[]string,
              internal: ?bool,
              netns: ?string,
              draining: ?bool,
              state: ?string,
              reason: ?string,
              addresses: ?[]string,
              aliases: ?[]string
            )
            """

        /// `network`, `container`, `endpoint` or `host`.
        package var kind: String
        /// `added`, `changed` or `removed`.
        package var action: String
        /// Name of a network, or of an endpoint's network.
        package var network: String?
        /// Name of a container, or of an endpoint's container.
        package var container: String?
        /// Name of another host: the one that changed, or the one that the container is on.
        package var host: String?
        /// Former name of a network or a container that has another now.
        package var formerName: String?
        /// Name of the host's link that is a network.
        package var interface: String?
        /// Blocks of addresses of a network.
        package var subnets: [String]?
        /// True where questions from a network are never forwarded.
        package var `internal`: Bool?
        /// Path of a container's namespace that was found.
        package var netns: String?
        /// True where a container is left out of aliases that others serve, too.
        package var draining: Bool?
        /// State of a container, where that is what has changed.
        package var state: String?
        /// Reason why a container is not ready.
        package var reason: String?
        /// Of an endpoint.
        package var addresses: [String]?
        /// Of an endpoint: further names.
        package var aliases: [String]?

        package init(kind: String, action: String, network: String? = nil, container: String? = nil) {
            self.kind = kind
            self.action = action
            self.network = network
            self.container = container
        }
    }
}
