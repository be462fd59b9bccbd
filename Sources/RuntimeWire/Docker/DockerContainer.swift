// Containers of Docker's Engine API (versions 1.41 to 1.52), and of podman's that is like it.

import DNSWire

/// An entry of `/containers/json`: only what is needed to ask for the rest.
package struct DockerContainerSummary: Decodable, Equatable, Sendable {
    /// 64 hexadecimal digits.
    package let id: String

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
    }

    /// Reads the body of `/containers/json`.
    package static func list(_ octets: [UInt8]) throws(RuntimeWireError) -> [DockerContainerSummary] {
        try RuntimeWireError.read([DockerContainerSummary].self, from: octets, "the list of containers")
    }
}

/// The body of `/containers/ID/json`.
///
/// Go's encoder writes `null` for whatever is empty, and versions leave out what others have: nothing but the id is required.
package struct DockerContainer: Decodable, Sendable {
    let id: String
    let name: String?
    let state: State?
    let config: Config?
    let hostConfig: HostConfig?
    let networkSettings: NetworkSettings?

    private enum CodingKeys: String, CodingKey {
        case id = "Id", name = "Name", state = "State", config = "Config", hostConfig = "HostConfig"
        case networkSettings = "NetworkSettings"
    }

    struct State: Decodable, Sendable {
        struct Health: Decodable, Sendable {
            let status: String?
            private enum CodingKeys: String, CodingKey { case status = "Status" }
        }

        let running: Bool?
        let pid: Int?
        let health: Health?
        private enum CodingKeys: String, CodingKey { case running = "Running", pid = "Pid", health = "Health" }
    }

    struct Config: Decodable, Sendable {
        let hostname: String?
        let domainName: String?
        let labels: [String: String]?
        let exposedPorts: [String: Empty]?
        private enum CodingKeys: String, CodingKey {
            case hostname = "Hostname", domainName = "Domainname", labels = "Labels", exposedPorts = "ExposedPorts"
        }
    }

    struct HostConfig: Decodable, Sendable {
        let networkMode: String?
        let dns: [String]?
        let links: [String]?
        /// Of `--add-host` and of compose's `extra_hosts`.
        let extraHosts: [String]?
        private enum CodingKeys: String, CodingKey {
            case networkMode = "NetworkMode", dns = "Dns", links = "Links", extraHosts = "ExtraHosts"
        }
    }

    struct NetworkSettings: Decodable, Sendable {
        let sandboxKey: String?
        /// Exposed and published ports; what they are published at is the host's matter.
        let ports: [String: Anything?]?
        let networks: [String: Endpoint?]?
        private enum CodingKeys: String, CodingKey {
            case sandboxKey = "SandboxKey", ports = "Ports", networks = "Networks"
        }
    }

    struct Endpoint: Decodable, Sendable {
        let ipAddress: String?
        let ipv6Address: String?
        let aliases: [String]?
        /// Since 1.44: the names that Docker's own DNS has, container's name and short id among them.
        let dnsNames: [String]?
        let links: [String]?
        private enum CodingKeys: String, CodingKey {
            case ipAddress = "IPAddress", ipv6Address = "GlobalIPv6Address", aliases = "Aliases", dnsNames = "DNSNames"
            case links = "Links"
        }
    }

    /// `{}`.
    struct Empty: Decodable, Sendable {
        init(from decoder: any Decoder) {}
    }

    /// Any value, not looked at.
    struct Anything: Decodable, Sendable {
        init(from decoder: any Decoder) {}
    }

    /// Reads the body of `/containers/ID/json`.
    package init(_ octets: [UInt8]) throws(RuntimeWireError) {
        self = try RuntimeWireError.read(DockerContainer.self, from: octets, "a container")
    }
}

extension RuntimeContainer {
    /// A container of Docker's or podman's.
    package init(_ docker: DockerContainer) {
        self.init(name: Self.bare(docker.name ?? docker.id), id: docker.id)
        if let hostname = docker.config?.hostname, !hostname.isEmpty {
            let domain = docker.config?.domainName ?? ""
            self.hostname = domain.isEmpty ? hostname : "\(hostname).\(domain)"
        }
        if docker.state?.running == true, let pid = docker.state?.pid, pid > 0 { self.pid = Int32(exactly: pid) }
        switch docker.state?.health?.status {
        case "healthy"?: isHealthy = true
        case "unhealthy"?: isHealthy = false
        default: break
        }
        namespace = Self.namespace(docker.hostConfig?.networkMode ?? "")
        if let path = docker.networkSettings?.sandboxKey, !path.isEmpty { namespacePath = path }
        labels = docker.config?.labels ?? [:]
        extraHosts = (docker.hostConfig?.extraHosts ?? []).compactMap { ExtraHost($0) }
        resolvers = (docker.hostConfig?.dns ?? []).compactMap { IPAddress($0) }
        addEndpoints(docker)
        addPorts(docker)
    }

    private mutating func addEndpoints(_ docker: DockerContainer) {
        let known: Set<String> = [name, id, String(id.prefix(12)), hostname ?? ""]
        var links = Set((docker.hostConfig?.links ?? []).compactMap(Self.link))
        for (network, settings) in (docker.networkSettings?.networks ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let settings else { continue }
            var endpoint = Endpoint(network: network)
            for text in [settings.ipAddress, settings.ipv6Address] {
                if let address = text.flatMap({ IPAddress($0) }) { endpoint.addresses.append(address) }
            }
            for alias in (settings.aliases ?? []) + (settings.dnsNames ?? [])
            where !known.contains(alias) && !alias.isEmpty && !endpoint.aliases.contains(alias) {
                endpoint.aliases.append(alias)
            }
            links.formUnion((settings.links ?? []).compactMap(Self.link))
            endpoints.append(endpoint)
        }
        self.links = links.sorted { ($0.container, $0.name) < ($1.container, $1.name) }
    }

    private mutating func addPorts(_ docker: DockerContainer) {
        let exposed = (docker.config?.exposedPorts ?? [:]).keys
        let published = (docker.networkSettings?.ports ?? [:]).keys
        ports = Set(exposed).union(published).compactMap { Port($0) }
            .sorted { ($0.number, $0.transport) < ($1.number, $1.transport) }
    }

    /// Docker's names begin with a slash, which nobody types.
    private static func bare(_ name: some StringProtocol) -> String {
        String(name.hasPrefix("/") ? name.dropFirst() : name[...])
    }

    /// `/db:/web/store` of the default bridge, `db:store` of custom networks.
    private static func link(_ text: String) -> Link? {
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let name = parts[1].split(separator: "/").last else { return nil }
        return Link(container: bare(parts[0]), name: String(name))
    }

    private static func namespace(_ mode: String) -> Namespace {
        switch mode {
        case "host": .host
        case "none": .isolated
        case _ where mode.hasPrefix("container:"): .container(bare(mode.dropFirst("container:".count)))
        default: .own
        }
    }
}
