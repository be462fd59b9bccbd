// The networks and containers that a configuration names.

package import DNSWire
package import Registry

extension Configuration {
    /// `[[network]]`: a segment that containers share.
    package struct Network: Sendable, Equatable {
        /// A DNS name; it may have several labels.
        package var name: String
        /// The host's interface that is this network: a bridge, or the parent of macvlan or ipvlan links.
        package var interface: String?
        /// Empty: any address is of this network.
        package var subnets: [Subnet] = []
        /// Whether questions from here are never forwarded.
        package var isInternal = false
        /// Asked in this order; empty: those of `[forward]`.
        package var upstreams: [ServerAddress] = []
        /// Domains that its containers ask elsewhere; none twice, and not the root beside `upstreams`.
        package var routes: [Route] = []
        /// The namespace that upstreams are reached from; nil: as `[forward]` says.
        package var from: ForwardFrom?
        /// Seconds, 0...2147483647; nil: as `[server]` says.
        package var ttl: UInt32?

        package init(name: String) {
            self.name = name
        }
    }

    /// `[[container]]`: a namespace and its identity, or a machine elsewhere that has addresses only.
    package struct Container: Sendable, Equatable {
        /// One label of at most 63 octets.
        package var name: String
        /// Where its listener goes; nil: it has none.
        package var namespace: Namespace?
        /// A further name of its own; it may have several labels.
        package var hostname: String?
        /// What a container runtime calls it; its first 12 characters are a name too.
        package var id: String?
        /// Its networks in the order in which they answer; none twice.
        package var endpoints: [Endpoint] = []
        /// Private names of others.
        package var links: [Link] = []
        /// What its SRV answers tell of.
        package var ports: [Port] = []
        /// How port 53 is taken in its namespace; nil: as `[server]` says.
        package var listen: ListenMode?
        /// The absolute path of a resolv.conf that is written for it (key `resolv-conf`).
        package var resolverConfigurationPath: String?

        package init(name: String) {
            self.name = name
        }
    }
}

extension Configuration.Container {
    /// How a namespace is reached.
    package enum Namespace: Sendable, Hashable {
        /// The absolute path of a namespace file, as `/run/netns/web`.
        case path(String)
        /// A process in it, 1...4194304 (`PID_MAX_LIMIT`, proc_sys_kernel(5)).
        case pid(Int32)
    }

    /// One attachment to one network.
    package struct Endpoint: Sendable, Equatable {
        /// The name of a network of the same file.
        package var network: String
        /// Each in a subnet of the network, where it has any; none used twice on the network.
        package var addresses: [IPAddress] = []
        /// Further names; they may have several labels and begin with `*.`.
        package var aliases: [String] = []

        package init(network: String) {
            self.network = network
        }
    }

    /// A private name of another container, `CONTAINER:NAME` in the file.
    package struct Link: Sendable, Equatable {
        /// It may come later than the link.
        package var container: String
        /// What it is called here; it may have several labels.
        package var name: String

        package init(container: String, name: String) {
            self.container = container
            self.name = name
        }
    }

    /// A port that SRV answers tell of, `PORT[/tcp|/udp][=SERVICE]` in the file.
    package struct Port: Sendable, Equatable {
        /// The transport of a port.
        package enum Transport: String, Sendable, CaseIterable {
            /// As in `_tcp` and `_udp` of a service's name (RFC 2782).
            case tcp, udp
        }

        /// 1...65535.
        package var number: UInt16
        /// What the service is spoken over.
        package var transport: Transport
        /// The service's name without its underscore, as `http`.
        package var service: String?

        package init(number: UInt16, transport: Transport = .tcp, service: String? = nil) {
            self.number = number
            self.transport = transport
            self.service = service
        }
    }
}
