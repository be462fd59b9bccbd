// From text to what is declared: addresses, subnets, servers, domains, links and ports, each read in one place for the
// configuration, the control socket and the command line.

package import DNSWire

extension IPAddress {
    /// Reads an address that a container can have.
    package init(ofContainer text: String) throws(RegistryError) {
        guard let address = IPAddress(text) else {
            throw .invalidAddress(text, reason: "expected an IPv4 or IPv6 address, as 10.0.0.1 or fd00::1")
        }
        try Registry.check(address)
        self = address
    }
}

extension IPAddress {
    /// Reads the address of a server that a container asks, whose questions are to be led to its listener.
    package init(ofResolver text: String) throws(RegistryError) {
        guard let address = IPAddress(text) else {
            throw .invalidAddress(text, reason: "expected a server's address, as 10.0.0.1 or fd00::1")
        }
        guard address.isOneHost else { throw .invalidAddress(text, reason: "no server can have it") }
        guard !address.isOwnServer else {
            throw .invalidAddress(
                text,
                reason: "a server inside the container answers there; only 127.0.0.11 can be intercepted of loopback")
        }
        self = address
    }

    /// True for a loopback address (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3) other than 127.0.0.11: who serves DNS there is a
    /// program of the container's own, which is never kept from its questions.
    package var isOwnServer: Bool {
        switch self {
        case .v4(let address): address.bits >> 24 == 127 && address.bits != 0x7F00_000B
        case .v6(let address): address.bits == 1 || address.bits >> 32 == 0xFFFF
        }
    }
}

extension IPAddress {
    /// Reads the address of a name that one container alone knows: any, as of /etc/hosts; 0.0.0.0 keeps a program from a host.
    package init(ofExtraHost text: String) throws(RegistryError) {
        guard let address = IPAddress(text) else {
            throw .invalidAddress(text, reason: "expected an IPv4 or IPv6 address, or host-gateway")
        }
        self = address
    }
}

extension Subnet {
    /// Reads a subnet by its first address: another address within it is a mistake for another subnet, or for an address.
    package init(declared text: String) throws(RegistryError) {
        guard let subnet = Subnet(text) else {
            switch IPAddress(text) {
            case .v4?: throw .invalidSubnet(text, reason: "expected a prefix length, as \(text)/24")
            case .v6?: throw .invalidSubnet(text, reason: "expected a prefix length, as \(text)/64")
            case nil: throw .invalidSubnet(text, reason: "expected 10.1.0.0/24 or fd00:1::/64")
            }
        }
        guard IPAddress(String(text.prefix { $0 != "/" })) == subnet.address else {
            throw .invalidSubnet(text, reason: "an address within a subnet; did you mean '\(subnet)'?")
        }
        guard subnet.address.isUnspecified || subnet.address.isOneHost else {
            throw .invalidSubnet(text, reason: "it is no subnet of hosts")
        }
        self = subnet
    }
}

extension ServerAddress {
    /// Reads the address of a DNS server that we may ask.
    package init(upstream text: String) throws(RegistryError) {
        do throws(AddressError) {
            try self.init(text)
        } catch {
            throw .invalidUpstream(text, reason: error.reason)
        }
        guard address.isOneHost else { throw .invalidUpstream(text, reason: "not the address of one server") }
        if case .v6(let address) = address, address.isLinkLocal, scope == nil {
            throw .invalidUpstream(
                text, reason: "on every link; expected its interface too, as fe80::1%eth0")
        }
    }
}

extension AddressError {
    /// The error without the text that it is about.
    fileprivate var reason: String {
        switch self {
        case .notAnAddress: "not an IP address; expected 10.0.0.1, 10.0.0.1:53 or [fd00::1]:53"
        case .missingBracket: "it lacks the ']' behind its address"
        case .badPort(let port): "'\(port)' is not a port; expected 1 to 65535"
        case .badScope: "it has a bad scope; expected an IPv6 address and an interface, as fe80::1%eth0"
        }
    }
}

extension Registry {
    /// Reads a domain whose names are asked elsewhere; the root is all names that are under no other.
    ///
    /// One under the domain that is ours is taken: it is longer, and so a rule before ours.
    /// - Parameters:
    ///   - text: the domain.
    ///   - own: the domain that is ours, which is never forwarded.
    package static func routingDomain(_ text: String, beside own: Name) throws(RegistryError) -> Name {
        let name: Name
        do throws(NameError) {
            name = try Name(text)
        } catch {
            throw .invalidName(text, reason: error.description)
        }
        guard name != own else {
            throw .invalidName(
                text, reason: "names under '\(own)' are never forwarded; expected another domain, or one under it")
        }
        if let special = SpecialUseDomain(of: name) {
            throw .invalidName(text, reason: "names under '\(special.name)' are never forwarded")
        }
        for label in name.labels where !label.allSatisfy({ 0x21...0x7E ~= $0 }) {
            throw .invalidName(
                text, reason: "it has a character that no domain has; write other scripts as xn--…")
        }
        return name
    }

    /// Reads a domain of a search list, as it stands in a resolv.conf (resolv.conf(5)): labels of letters, digits, `-` and
    /// `_`, with A-labels.
    package static func searchDomain(_ text: String) throws(RegistryError) -> Name {
        let name = try domainName(text)
        for label in name.labels where !label.allSatisfy(\.isHostCharacter) {
            throw .invalidName(text, reason: "a search domain has letters, digits, '-', '_' and dots alone")
        }
        return name
    }

    /// Refuses what is no interface's name: `dev_valid_name()` of the kernel, at most `IFNAMSIZ` - 1 octets.
    package static func checkInterface(_ text: String) throws(RegistryError) {
        let isValid =
            (1...15).contains(text.utf8.count) && text != "." && text != ".."
            && !text.utf8.contains { $0 <= 0x20 || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }
        guard isValid else {
            throw .invalidValue(text, of: "interface", reason: "expected an interface's name, as br0")
        }
    }
}

extension LinkDefinition {
    /// Reads `CONTAINER:NAME`.
    package init(_ text: String) throws(RegistryError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw .invalidValue(text, of: "link", reason: "expected CONTAINER:NAME, as db:database")
        }
        self.init(container: String(parts[0]), name: String(parts[1]))
        try check()
    }

    /// Refuses a link whose names cannot be.
    package func check() throws(RegistryError) {
        _ = try Registry.containerName(container)
        _ = try Registry.hostName(name)
    }
}

extension PortDefinition {
    /// Reads `PORT[/tcp|/udp][=SERVICE]`.
    package init(_ text: String) throws(RegistryError) {
        let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let parts = (sides.first ?? "").split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let digits = parts.first, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = Int(digits) else {
            throw .invalidValue(text, of: "port", reason: "expected PORT[/tcp|/udp][=SERVICE], as 80/tcp=http")
        }
        try self.init(
            number: number, protocol: parts.count == 2 ? String(parts[1]) : nil,
            service: sides.count == 2 ? String(sides[1]) : nil)
    }

    /// Takes a port of parts.
    /// - Parameters:
    ///   - number: 1...65535.
    ///   - protocol: `tcp` or `udp`; nil: `tcp`.
    ///   - service: one label without its underscore; nil: none.
    package init(number: Int, protocol: String?, service: String?) throws(RegistryError) {
        guard let port = UInt16(exactly: number), port > 0 else {
            throw .invalidValue("\(number)", of: "port", reason: "expected 1 to 65535")
        }
        guard let transport = Transport(rawValue: `protocol` ?? "tcp") else {
            throw .invalidValue(`protocol` ?? "", of: "protocol", reason: "expected tcp or udp")
        }
        if let service { try Registry.checkService(service) }
        self.init(number: port, transport: transport, service: service)
    }
}

extension Registry {
    /// Refuses a container whose names, addresses or sizes cannot be, whatever else there is.
    package static func check(_ definition: ContainerDefinition) throws(RegistryError) {
        try checkSize(of: definition)
        _ = try containerName(definition.name)
        if let hostname = definition.hostname { _ = try hostName(hostname) }
        if let id = definition.id { try checkID(id) }
        for link in definition.links { try link.check() }
        for port in definition.ports { if let service = port.service { try checkService(service) } }
        for endpoint in definition.endpoints { try check(endpoint) }
    }

    /// Refuses an endpoint whose addresses or aliases cannot be.
    package static func check(_ endpoint: EndpointDefinition) throws(RegistryError) {
        for address in endpoint.addresses { try check(address) }
        for alias in endpoint.aliases { _ = try self.alias(alias) }
    }

    /// Refuses a network whose names or sizes cannot be, whatever else there is.
    package static func check(_ definition: NetworkDefinition) throws(RegistryError) {
        try checkSize(of: definition)
        _ = try networkName(definition.name)
        if let interface = definition.interface { try checkInterface(interface) }
    }
}

extension UInt8 {
    /// True for what names of hosts have (RFC 1123 §2.1), and for `_`, which services and Windows domains have.
    package var isHostCharacter: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
