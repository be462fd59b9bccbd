// The daemon's configuration: every key of intercom.toml as a typed value with its default.

package import Attachment
package import DNSWire
package import Registry

/// Contents of `intercom.toml`. `Configuration()` is what an empty file says: everything has a default.
package struct Configuration: Sendable, Equatable {
    /// Our name and the manner of our answers.
    package var server = Server()
    /// The socket of `intercomctl`.
    package var control = Control()
    /// Discovery of what is not named.
    package var discover = Discover()
    /// Servers for questions that are not ours.
    package var forward = Forward()
    /// Cache of upstreams' answers.
    package var cache = Cache()
    /// Containers of other hosts.
    package var cluster = Cluster()
    /// Extent of what is counted.
    package var metrics = Metrics()
    /// Log of questions.
    package var log = Log()
    /// Domains with upstreams of their own, whatever the network; no domain twice.
    package var routes: [RouteDefinition] = []
    /// Networks that exist from the start, in the file's order; no name twice.
    package var networks: [NetworkDefinition] = []
    /// Containers that exist from the start, in the file's order; no name twice.
    package var containers: [Container] = []
    /// Records of the operator, in the file's order; none twice.
    package var records: [RecordDefinition] = []
    /// Files of records in the form of hosts(5), for all containers and by network (keys `hosts`).
    package var hosts: [HostsPlace] = []
    /// Policies, in the file's order; no name twice.
    package var policies: [PolicyDefinition] = []

    package init() {}
}

extension Configuration {
    /// `[server]`: who we are and how we answer.
    package struct Server: Sendable, Equatable {
        /// Threads that answer queries, 0...64; 0: one per core, at most 4.
        package var workers = 0
        /// The domain that is ours: `name.network.domain`. Never the root.
        package var domain = internalDomain
        /// Seconds that our answers may be kept, 0...2147483647 (RFC 2181 §8).
        package var ttl: UInt32 = 5
        /// Names that the host has on each network (key `host-names`): those of Docker and podman, and our own.
        package var hostNames = ["host.internal", "host.docker.internal", "host.containers.internal"].compactMap {
            try? Name($0)
        }
        /// Way of taking port 53 in a namespace.
        package var listen = ListenMode.auto
        /// The answer to CHAOS TXT `version.bind` and `version.server`, at most 255 octets; empty: refused.
        package var version = ""
        /// The answer to CHAOS TXT `id.server` and `hostname.bind`, at most 255 octets; empty: refused (RFC 4892).
        package var identity = ""
        /// Directories below which `--resolv-conf` may name a file, as absolute paths.
        package var resolverDirectories = ["/run/intercom"]
        /// Policy of containers that have none of their own, nor of their networks; nil: they may ask for everything.
        package var policy: String?
    }

    /// `[control]`: the socket of `intercomctl`.
    package struct Control: Sendable, Equatable {
        /// An absolute path of at most 107 octets (`sun_path`, unix(7)).
        package var socket = "/run/intercom/control.sock"
        /// The group that may use the socket beside root; empty: root alone.
        package var group = "intercom"
    }

    /// `[discover]`: what is found without being named.
    package struct Discover: Sendable, Equatable {
        /// True when anything is looked for at all (key `enabled`).
        package var isEnabled = true
        /// Patterns of the host's interfaces that are taken for networks.
        package var interfaces = ["*"]
        /// Patterns of namespaces' absolute paths.
        package var namespaces = ["/run/netns/*"]
        /// Patterns of absolute paths of namespaces whose files have no names for people.
        package var unnamed = ["/run/docker/netns/*"]
        /// Patterns of interfaces and namespaces that are left alone.
        package var exclude: [String] = []
        /// Octets of what the kernel tells that may wait, its bookkeeping included (key `receive-buffer`); past that
        /// everything is read anew.
        package var receiveBuffer = 4 << 20
        /// True when `/etc/netns/NAME/resolv.conf` is written where there is none (key `resolv-conf`).
        package var writesResolverConfiguration = true
    }

    /// `[forward]`: where questions go that are not ours.
    package struct Forward: Sendable, Equatable {
        /// Asked in this order; empty: those of the host's resolv.conf. A `[[route]]` of the root takes their place.
        package var upstreams: [ServerAddress] = []
        /// The namespace that upstreams are reached from.
        package var from = ForwardFrom.host
        /// True when a name of one label that nobody here has goes upstream (key `single-labels`).
        package var forwardsSingleLabels = false
        /// True when names under `local`, which belong to multicast DNS, go upstream (key `local`; RFC 6762 §22.1).
        package var forwardsLocal = false
        /// True when names go out in a spelling of chance, which replies must repeat (key `case-randomization`;
        /// draft-vixie-dnsext-dns0x20).
        package var randomizesCase = false
    }

    /// `[cache]`: answers of upstreams that are kept.
    package struct Cache: Sendable, Equatable {
        /// Octets, for all workers together; 0: no cache.
        package var size = 16 << 20
        /// Seconds; not above `maximumTTL`.
        package var minimumTTL: UInt32 = 0
        /// Seconds.
        package var maximumTTL: UInt32 = 86_400
        /// Seconds that "no such name" and "no such data" are kept at most (RFC 2308 §5).
        package var maximumNegativeTTL: UInt32 = 300
        /// True when an expired answer serves while no upstream answers (RFC 8767).
        package var servesStale = true
        /// True when an answer that is asked for often is renewed before it expires.
        package var prefetches = true
    }

    /// `[cluster]`: containers of other hosts.
    package struct Cluster: Sendable, Equatable {
        /// Patterns of networks whose names all hosts share; a `[[network]]` with `shared` says so itself.
        package var networks: [String] = []
        /// Socket to which a bridge attaches: an absolute path of at most 107 octets (`sun_path`, unix(7)).
        package var socket = "/run/intercom/cluster.sock"
        /// The group that may use the socket beside root; empty: root alone.
        package var group = "intercom-cluster"
        /// Answer to names on shared networks that nobody here has, until other hosts have told everything once.
        package var unsynced = Unsynced.servfail
        /// True when the bridge is told of the containers here (key `export`).
        package var exports = true
        /// Seconds after which containers of other hosts are forgotten while no bridge is attached, 0...31536000; 0: never
        /// (key `forget-after`).
        package var forgetAfter = 0
        /// The most containers of other hosts that are held, 1...1000000 (key `max-entries`).
        package var maximumEntries = 200_000
    }

    /// Answers to names that may be on another host, which has not told yet.
    package enum Unsynced: String, Sendable, CaseIterable {
        /// SERVFAIL with EDE 14 (RFC 8914 §4.15): clients ask again.
        case servfail
        /// NXDOMAIN.
        case nxdomain
    }

    /// `[metrics]`: what `intercomctl metrics` prints.
    package struct Metrics: Sendable, Equatable {
        /// True when each container has a time series of its own (key `per-container`).
        package var perContainer = false
    }

    /// `[log]`: what is logged of containers' questions.
    package struct Log: Sendable, Equatable {
        /// The way of all networks that have none of their own.
        package var queries = QueryLogWay.off
        /// Path of the socket of a dnstap reader.
        package var dnstap = "/run/intercom/dnstap.sock"
        /// Ways of networks by their names (key `log-queries` of `[[network]]`).
        package var networks: [String: QueryLogWay] = [:]
    }

    /// `[[container]]`: what it is called and where it is attached, and its namespace.
    package struct Container: Sendable, Equatable {
        /// Its networks are of the same file; none twice.
        package var definition: ContainerDefinition
        /// Way into the namespace that its listener goes to; nil: it has none, as a machine elsewhere that has addresses only.
        package var namespace: NamespaceSource?
        /// The absolute path of a resolv.conf that is written for it (key `resolv-conf`).
        package var resolverConfigurationPath: String?

        /// Name that people call it by.
        package var name: String { definition.name }

        package init(name: String) {
            definition = ContainerDefinition(name: name, source: .configuration)
        }
    }
}

/// Way in which questions are logged.
package enum QueryLogWay: String, CaseIterable, Sendable {
    /// They are not logged.
    case off
    /// A message of the daemon's log for each, with fields in the journal.
    case journal
    /// A dnstap message for each (https://dnstap.info).
    case dnstap
}

/// The domain by default. Its text is a name, so the root is never taken.
private let internalDomain: Name = (try? Name("internal")) ?? .root
