// From the parameters of control calls to definitions: every value is checked here, with a message that names it.

import Attachment
import ControlAPI
import DNSWire
import Registry

extension NetworkDefinition {
    /// - Parameter domain: that of all names, which is never forwarded.
    init(_ parameters: CreateNetwork.Parameters, beside domain: Name) throws(ControlError) {
        self.init(name: parameters.name, source: .control)
        try DefinitionLimits.check(parameters)
        if parameters.internal == true, parameters.upstreams?.isEmpty == false || parameters.routes?.isEmpty == false {
            throw .invalidValue(
                "true", of: "internal",
                reason: "an internal network forwards nothing; leave out its upstreams and routes")
        }
        interface = parameters.interface
        for text in parameters.subnets ?? [] { subnets.append(try .checked(text)) }
        isInternal = parameters.internal ?? false
        for text in parameters.upstreams ?? [] { upstreams.append(try .upstream(text)) }
        for route in parameters.routes ?? [] { try add(route, beside: domain) }
        if let from = parameters.forwardFrom {
            guard let known = ForwardFrom(rawValue: from) else {
                throw .invalidValue(from, of: "forwardFrom", reason: "expected host or namespace")
            }
            forwardFrom = known
        }
        if let seconds = parameters.ttl {
            guard let valid = UInt32(exactly: seconds), valid <= Int32.max else {
                throw .invalidValue("\(seconds)", of: "ttl", reason: "expected 0 to 2147483647 seconds (RFC 2181 §8)")
            }
            ttl = valid
        }
    }
}

extension NetworkDefinition {
    private mutating func add(_ parameters: Route, beside own: Name) throws(ControlError) {
        let route = try RouteDefinition(parameters, beside: own)
        if route.domain == .root ? !upstreams.isEmpty : routes.contains(where: { $0.domain == route.domain }) {
            throw .invalidValue(parameters.domain, of: "domain", reason: "its upstreams are given already")
        }
        if route.domain == .root { upstreams = route.upstreams } else { routes.append(route) }
    }
}

extension RouteDefinition {
    fileprivate init(_ parameters: Route, beside own: Name) throws(ControlError) {
        do throws(NameError) {
            self.init(domain: try Name(parameters.domain), upstreams: [])
        } catch {
            throw .invalidName(parameters.domain, reason: error.description)
        }
        do throws(Refusal) {
            try domain.checkForwardable(beside: own)
        } catch {
            throw .invalidName(parameters.domain, reason: error.reason)
        }
        for text in parameters.upstreams { upstreams.append(try .upstream(text)) }
        if upstreams.isEmpty {
            throw .invalidValue(parameters.domain, of: "domain", reason: "a route has at least one upstream")
        }
    }
}

extension Subnet {
    fileprivate static func checked(_ text: String) throws(ControlError) -> Subnet {
        do throws(Refusal) {
            return try Subnet(checked: text)
        } catch {
            let example = IPAddress(text).map { "expected a prefix length, as \(text)/\($0.isV4 ? 24 : 64)" }
            throw .invalidSubnet(text, reason: example ?? error.reason(without: text))
        }
    }
}

extension Refusal {
    /// The reason, without the value in front where the message has it already.
    fileprivate func reason(without text: String) -> String {
        for beginning in ["'\(text)' is ", "\(text) is "] where reason.hasPrefix(beginning) {
            return String(reason.dropFirst(beginning.count))
        }
        return reason
    }
}

extension IPAddress {
    fileprivate var isV4: Bool { if case .v4 = self { true } else { false } }
}

extension ServerAddress {
    /// A DNS server that we may ask.
    fileprivate static func upstream(_ text: String) throws(ControlError) -> ServerAddress {
        do throws(Refusal) {
            return try ServerAddress(upstream: text)
        } catch {
            throw .invalidUpstream(text, reason: error.reason(without: text))
        }
    }
}

extension EndpointDefinition {
    init(network: String, addresses: [String]?, aliases: [String]?) throws(ControlError) {
        try DefinitionLimits.checkEndpoint(addresses, aliases)
        self.init(network: network, aliases: aliases ?? [])
        for text in addresses ?? [] {
            guard let address = IPAddress(text) else {
                throw .invalidAddress(text, reason: "expected an IPv4 or IPv6 address")
            }
            self.addresses.append(address)
        }
    }
}

extension ContainerDefinition {
    init(_ parameters: AddContainer.Parameters) throws(ControlError) {
        self.init(name: parameters.name, source: .control)
        try DefinitionLimits.check(parameters)
        hostname = parameters.hostname
        if parameters.id == "" {
            throw .invalidValue("", of: "id", reason: "it is empty; leave it out where there is none")
        }
        id = parameters.id
        for network in parameters.networks ?? [] {
            endpoints.append(
                try EndpointDefinition(
                    network: network.name, addresses: network.addresses, aliases: network.aliases))
        }
        namesItsNetworks = parameters.networks != nil
        if let text = parameters.listen {
            guard let mode = ListenMode(rawValue: text) else {
                throw .invalidValue(text, of: "listen", reason: "expected direct or redirect")
            }
            listen = mode
        }
        links = (parameters.links ?? []).map { LinkDefinition(container: $0.container, name: $0.name) }
        for port in parameters.ports ?? [] { ports.append(try PortDefinition(port)) }
    }
}

extension PortDefinition {
    fileprivate init(_ port: Port) throws(ControlError) {
        guard let number = UInt16(exactly: port.port), number > 0 else {
            throw .invalidValue("\(port.port)", of: "port", reason: "expected 1 to 65535")
        }
        guard let transport = Transport(rawValue: port.protocol ?? "tcp") else {
            throw .invalidValue(port.protocol ?? "", of: "protocol", reason: "expected tcp or udp")
        }
        self.init(number: number, transport: transport, service: port.service)
    }
}

extension NamespaceSource {
    /// Where a container's namespace is; nil where it has none here.
    static func of(_ parameters: AddContainer.Parameters) throws(ControlError) -> NamespaceSource? {
        switch (parameters.netns, parameters.pid) {
        case (nil, nil): return nil
        case (let path?, nil):
            guard path.hasPrefix("/"), !path.utf8.contains(0) else {
                throw .invalidValue(path, of: "netns", reason: "expected an absolute path, as /run/netns/web")
            }
            return .path(path)
        case (nil, let number?):
            guard let pid = Int32(exactly: number), pid > 0 else { throw .noSuchProcess(pid: number) }
            return .pid(pid)
        case (_?, let number?):
            throw .invalidValue("\(number)", of: "pid", reason: "a container has one namespace: give netns or pid")
        }
    }
}

extension ControlError {
    /// What the registry refuses, in the words of the control interface.
    static func of(_ error: RegistryError) -> ControlError {
        switch error {
        case .noSuchNetwork(let network): .noSuchNetwork(network)
        case .noSuchContainer(let container): .noSuchContainer(container)
        case .networkExists(let network): .networkExists(network)
        case .containerExists(let container): .containerExists(container)
        case .ambiguousName(let name, let choices): .ambiguousName(name, choices: choices)
        case .interfaceInUse(let interface, let network): .interfaceInUse(interface, by: network)
        case .namespaceInUse(let container): .namespaceInUse("the namespace", by: container)
        case .networkOfTheKernel(let network, let interface): .networkOfTheKernel(network, interface: interface)
        case .containerOfTheKernel(let container, let path): .containerOfTheKernel(container, path: path)
        case .networkInUse(let network, let containers): .networkInUse(network, by: containers)
        case .alreadyConnected(let container, let network): .alreadyConnected(container, to: network)
        case .notConnected(let container, let network): .notConnected(container, to: network)
        case .invalidName(let name, let reason): .invalidName(name, reason: reason)
        case .invalidAddress(let address, let reason): .invalidAddress(address, reason: reason)
        case .tooMany(let what, let count, let limit):
            .invalidValue("\(count)", of: what, reason: "at most \(limit) can be declared")
        case .addressInUse(let address, let network, let container):
            .addressInUse(address, network: network, by: container)
        }
    }
}
