// From the parameters of control calls to definitions: every value is checked here, with a message that names it.

import Attachment
import ControlAPI
import DNSWire
import Registry

extension NetworkDefinition {
    /// - Parameters:
    ///   - parameters: what the caller said.
    ///   - domain: the domain of all names, which is never forwarded.
    init(_ parameters: CreateNetwork.Parameters, beside domain: Name) throws(ControlError) {
        self.init(name: parameters.name, source: .control)
        if parameters.internal == true, parameters.upstreams?.isEmpty == false || parameters.routes?.isEmpty == false {
            throw .invalidValue(
                "true", of: "internal",
                reason: "an internal network forwards nothing; leave out its upstreams and routes")
        }
        interface = parameters.interface
        isInternal = parameters.internal ?? false
        if let from = parameters.forwardFrom {
            guard let known = ForwardFrom(rawValue: from) else {
                throw .invalidValue(from, of: "forwardFrom", reason: "expected host or namespace")
            }
            forwardFrom = known
        }
        hasGatewayListener = parameters.gatewayListener ?? false
        if let unknown = parameters.gatewayUnknown {
            guard let known = UnknownSources(rawValue: unknown) else {
                throw .invalidValue(unknown, of: "gatewayUnknown", reason: "expected forward or refuse")
            }
            unknownSources = known
        }
        policy = parameters.policy
        ttl = try parameters.ttl.map { seconds throws(ControlError) in try UInt32(ofTTL: seconds) }
        do throws(RegistryError) {
            for text in parameters.subnets ?? [] { subnets.append(try Subnet(declared: text)) }
            for text in parameters.upstreams ?? [] { upstreams.append(try ServerAddress(upstream: text)) }
            for route in parameters.routes ?? [] { try add(route, beside: domain) }
            for text in parameters.search ?? [] { search.append(try Registry.searchDomain(text)) }
            try Registry.check(self)
            _ = try Registry.networkName(name, beside: domain)
        } catch {
            throw .of(error)
        }
    }

    private mutating func add(_ parameters: Route, beside own: Name) throws(RegistryError) {
        var route = RouteDefinition(
            domain: try Registry.routingDomain(parameters.domain, beside: own), upstreams: [])
        for text in parameters.upstreams { route.upstreams.append(try ServerAddress(upstream: text)) }
        if route.upstreams.isEmpty {
            throw .invalidValue(parameters.domain, of: "domain", reason: "a route has at least one upstream")
        }
        if route.domain == .root ? !upstreams.isEmpty : routes.contains(where: { $0.domain == route.domain }) {
            throw .invalidValue(parameters.domain, of: "domain", reason: "its upstreams are given already")
        }
        if route.domain == .root { upstreams = route.upstreams } else { routes.append(route) }
    }
}

extension EndpointDefinition {
    init(network: String, addresses: [String]?, aliases: [String]?) throws(ControlError) {
        self.init(network: network, aliases: aliases ?? [])
        do throws(RegistryError) {
            for text in addresses ?? [] { self.addresses.append(try IPAddress(ofContainer: text)) }
            try Registry.check(self)
        } catch {
            throw .of(error)
        }
    }
}

extension ContainerDefinition {
    /// A container as a caller declares it. All that is wrong with it alone is refused here, before its namespace is entered.
    init(_ parameters: AddContainer.Parameters) throws(ControlError) {
        self.init(name: parameters.name, source: .control)
        hostname = parameters.hostname
        id = parameters.id
        for network in parameters.networks ?? [] {
            endpoints.append(
                try EndpointDefinition(
                    network: network.name, addresses: network.addresses, aliases: network.aliases))
        }
        namesItsNetworks = parameters.networks != nil
        if let text = parameters.listen {
            guard let mode = ListenMode(rawValue: text) else {
                throw .invalidValue(text, of: "listen", reason: "expected auto, direct or redirect")
            }
            listen = mode
        }
        policy = parameters.policy
        if let addresses = parameters.intercept { intercept = try Interception(declared: addresses) }
        links = (parameters.links ?? []).map { LinkDefinition(container: $0.container, name: $0.name) }
        do throws(RegistryError) {
            for port in parameters.ports ?? [] {
                ports.append(try PortDefinition(number: port.port, protocol: port.protocol, service: port.service))
            }
            try Registry.check(self)
        } catch {
            throw .of(error)
        }
    }
}

extension Interception {
    /// - Parameter texts: addresses; none: the container's resolv.conf names them.
    /// - Throws: ``ControlError`` for a text that is no address.
    init(declared texts: [String]) throws(ControlError) {
        var addresses: [IPAddress] = []
        do throws(RegistryError) {
            for text in texts {
                let address = try IPAddress(ofResolver: text)
                if !addresses.contains(address) { addresses.append(address) }
            }
        } catch {
            throw .of(error)
        }
        self.init(addresses)
    }
}

extension NamespaceSource {
    /// Way into a container's namespace; nil where it has none here.
    static func of(_ parameters: AddContainer.Parameters) throws(ControlError) -> NamespaceSource? {
        switch (parameters.netns, parameters.pid) {
        case (nil, nil): return nil
        case (let path?, nil):
            guard isPath(path) else {
                throw .invalidValue(path, of: "netns", reason: "expected an absolute path, as /run/netns/web")
            }
            return .path(path)
        case (nil, let number?):
            guard let pid = Int32(exactly: number), (1...highestPID).contains(number) else {
                throw .noSuchProcess(pid: number)
            }
            return .pid(pid)
        case (_?, let number?):
            throw .invalidValue("\(number)", of: "pid", reason: "a container has one namespace: give netns or pid")
        }
    }
}

extension ControlError {
    /// Refusal of the registry in the words of the control interface.
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
        case .networkOfSource(let network, let source): .networkOfSource(network, source: source)
        case .containerOfSource(let container, let source): .containerOfSource(container, source: source)
        case .endpointOfSource: .operationFailed(reason: error.description)
        case .noSuchRecord(let record): .noSuchRecord(record)
        case .recordOfConfiguration(let record): .recordOfConfiguration(record)
        case .recordConflict(let name, let reason): .recordConflict(name, reason: reason)
        case .noSuchPolicy(let policy): .noSuchPolicy(policy)
        case .policyInUse(let policy, let users): .policyInUse(policy, by: users)
        case .policyOfConfiguration(let policy): .policyOfConfiguration(policy)
        case .invalidName(let name, let reason): .invalidName(name, reason: reason)
        case .invalidAddress(let address, let reason): .invalidAddress(address, reason: reason)
        case .invalidSubnet(let subnet, let reason): .invalidSubnet(subnet, reason: reason)
        case .invalidUpstream(let upstream, let reason): .invalidUpstream(upstream, reason: reason)
        case .invalidValue(let value, let what, let reason): .invalidValue(value, of: what, reason: reason)
        case .tooMany(let what, let count, let limit): .tooMany(what, count: count, limit: limit)
        case .addressInUse(let address, let network, let container):
            .addressInUse(address, network: network, by: container)
        }
    }
}
