// Facts: each thing that is known of a network or a container, with its source.

/// Fact that was declared, or that the kernel shows.
package struct Fact: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # Something that is known, and where it comes from. fact: "name", "netns", "pid", "hostname", "id", "network",
        # "address", "alias", "link", "host", "port", "interface", "subnet", "internal", "upstream", "route", "search" or
        # "ttl"; source: "configuration" or "control" declared it, the "kernel" shows it, at this link; inForce: false where something
        # else has more weight, or what it is about is not there.
        type Fact (fact: string, value: string, network: ?string, source: string, link: ?string, inForce: bool)
        """

    /// `name`, `netns`, `pid`, `hostname`, `id`, `network`, `address`, `alias`, `link`, `host`, `port`, `interface`,
    /// `subnet`, `internal`, `upstream`, `route`, `search` or `ttl`.
    package var fact: String
    /// Value as people write it.
    package var value: String
    /// The network that an address or an alias is of.
    package var network: String?
    /// `configuration` or `control`: who declared it; `kernel`: it was found.
    package var source: String
    /// The link at which it was found: in the container's namespace, or an interface of the host.
    package var link: String?
    /// False: something else has more weight, or what it is about is not there.
    package var inForce: Bool

    package init(
        fact: String, value: String, network: String? = nil, source: String, link: String? = nil, inForce: Bool = true
    ) {
        self.fact = fact
        self.value = value
        self.network = network
        self.source = source
        self.link = link
        self.inForce = inForce
    }
}
