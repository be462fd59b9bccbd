// Parameters of control calls as definitions of the registry: every value is checked, and a refusal names it.

import Attachment
import ControlAPI
import DNSWire
import Registry
import Testing

@testable import IntercomServer

@Suite("Parameters of a control call")
struct ControlDefinitionTests {
    private func network(_ parameters: CreateNetwork.Parameters) throws(ControlError) -> NetworkDefinition {
        try NetworkDefinition(parameters, beside: (try? Name("internal")) ?? .root)
    }

    @Test("become a network with all that it has")
    func wholeNetwork() throws {
        let definition = try network(
            CreateNetwork.Parameters(
                name: "frontend", interface: "br0", subnets: ["10.1.0.0/24", "fd00:1::/64"], internal: false,
                upstreams: ["10.1.0.53:5353"],
                routes: [Route(domain: "corp.example", upstreams: ["10.1.0.54", "fe80::1%eth0"])],
                forwardFrom: "namespace", ttl: 60, search: ["corp.example", "Bücher.example"]))
        #expect(definition.source == .control)
        #expect(definition.interface == "br0")
        #expect(definition.subnets.map(\.description) == ["10.1.0.0/24", "fd00:1::/64"])
        #expect(!definition.isInternal)
        #expect(try network(CreateNetwork.Parameters(name: "n", internal: true)).isInternal)
        #expect(definition.upstreams.map(\.description) == ["10.1.0.53:5353"])
        #expect(definition.routes.map { "\($0.domain) \($0.upstreams)" }.count == 1)
        #expect(definition.forwardFrom == .namespace)
        #expect(definition.ttl == 60)
        #expect(definition.search.map(\.description) == ["corp.example", "xn--bcher-kva.example"])
        #expect(try network(CreateNetwork.Parameters(name: "n")) == NetworkDefinition(name: "n", source: .control))
    }

    @Test("give the upstreams of a network by a route of the root")
    func rootRoute() throws {
        let definition = try network(
            CreateNetwork.Parameters(name: "n", routes: [Route(domain: ".", upstreams: ["10.1.0.53"])]))
        #expect(definition.upstreams.map(\.address.description) == ["10.1.0.53"])
        #expect(definition.routes.isEmpty)
    }

    /// Parameters that are refused, the error's name, and a part of its message.
    private static let refusedNetworks: [(CreateNetwork.Parameters, String, String)] = [
        (.init(name: "n", subnets: ["10.1.0.0"]), "InvalidAddress", "10.1.0.0"),
        (.init(name: "n", subnets: ["10.1.0.1/24"]), "InvalidAddress", "10.1.0.0/24"),
        (.init(name: "n", subnets: ["10.1.0.0/33"]), "InvalidAddress", "10.1.0.0/33"),
        (.init(name: "n", upstreams: ["ns.example"]), "InvalidAddress", "ns.example"),
        (.init(name: "n", internal: true, upstreams: ["10.1.0.53"]), "InvalidValue", "forwards nothing"),
        (.init(name: "n", upstreams: ["fe80::1"]), "InvalidAddress", "fe80::1"),
        (.init(name: "n", upstreams: ["224.0.0.1"]), "InvalidAddress", "224.0.0.1"),
        (.init(name: "n", forwardFrom: "moon"), "InvalidValue", "host or namespace"),
        (.init(name: "n", gatewayUnknown: "drop"), "InvalidValue", "forward or refuse"),
        (.init(name: "n", search: ["corp example"]), "InvalidName", "letters, digits"),
        (.init(name: "n", search: ["*.example"]), "InvalidName", "*.example"),
        (.init(name: "n", search: ["."]), "InvalidName", "root"),
        (.init(name: "n", search: Array(repeating: "a.example", count: 17)), "TooMany", "at most 16"),
        (.init(name: "n", ttl: -1), "InvalidValue", "2147483647"),
        (.init(name: "n", ttl: 1 << 31), "InvalidValue", "2147483647"),
        (.init(name: "n", routes: [Route(domain: "a..b", upstreams: ["10.0.0.1"])]), "InvalidName", "a..b"),
        (.init(name: "n", routes: [Route(domain: "localhost", upstreams: ["10.0.0.1"])]), "InvalidName", "localhost"),
        (.init(name: "n", routes: [Route(domain: "a.example", upstreams: [])]), "InvalidValue", "a.example"),
        (.init(name: "n", routes: [Route(domain: "a.example", upstreams: ["x"])]), "InvalidAddress", "x"),
        (
            .init(
                name: "n",
                routes: [
                    Route(domain: "a.example", upstreams: ["10.0.0.1"]),
                    Route(domain: "A.Example", upstreams: ["10.0.0.2"]),
                ]), "InvalidValue", "A.Example"
        ),
        (
            .init(name: "n", upstreams: ["10.0.0.1"], routes: [Route(domain: ".", upstreams: ["10.0.0.2"])]),
            "InvalidValue", "already"
        ),
    ]

    @Test("of a network are refused by name, with the value in the message", arguments: refusedNetworks.indices)
    func refusedNetwork(index: Int) throws {
        let (parameters, member, part) = Self.refusedNetworks[index]
        let error = #expect(throws: ControlError.self) { try network(parameters) }
        #expect(error?.member == member)
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    }

    @Test("become a container with all that it has")
    func wholeContainer() throws {
        let parameters = AddContainer.Parameters(
            name: "web", netns: "/run/netns/web",
            networks: [.init(name: "frontend", addresses: ["10.1.0.2", "fd00:1::2"], aliases: ["site"])],
            hostname: "www.example", id: "4c01db0b339c8b3a", links: [Link(container: "db", name: "store")],
            ports: [Port(port: 80, protocol: "tcp", service: "http"), Port(port: 53, protocol: "udp", service: nil)],
            listen: "redirect")
        let definition = try ContainerDefinition(parameters)
        #expect(definition.source == .control)
        #expect(definition.endpoints.map(\.network) == ["frontend"])
        #expect(definition.endpoints.first?.addresses.map(\.description) == ["10.1.0.2", "fd00:1::2"])
        #expect(definition.endpoints.first?.aliases == ["site"])
        #expect(definition.namesItsNetworks)
        #expect(definition.hostname == "www.example")
        #expect(definition.id == "4c01db0b339c8b3a")
        #expect(definition.links == [LinkDefinition(container: "db", name: "store")])
        #expect(definition.ports.map(\.description) == ["80/tcp=http", "53/udp"])
        #expect(definition.listen == .redirect)
        #expect(try NamespaceSource.of(parameters) == .path("/run/netns/web"))
    }

    @Test("that name no networks leave them to the container's links")
    func bareContainer() throws {
        let parameters = AddContainer.Parameters(name: "job", pid: 4711)
        #expect(try ContainerDefinition(parameters) == ContainerDefinition(name: "job", source: .control))
        #expect(try NamespaceSource.of(parameters) == .pid(4711))
        #expect(try NamespaceSource.of(AddContainer.Parameters(name: "vm")) == nil)
    }

    @Test(
        "ask for interception of all that a resolv.conf names, or of servers of their own",
        arguments: [
            (nil, nil), ([], []), (["10.1.0.1", "10.1.0.1", "127.0.0.11"], ["10.1.0.1", "127.0.0.11"]),
            (["fd00::1"], ["fd00::1"]),
        ] as [([String]?, [String]?)])
    func interception(_ intercept: [String]?, _ expected: [String]?) throws {
        let definition = try ContainerDefinition(.init(name: "c", pid: 7, intercept: intercept))
        #expect(definition.intercept?.addresses.map(\.description) == expected)
    }

    private static let refusedContainers: [(AddContainer.Parameters, String, String)] = [
        (.init(name: "c", id: ""), "InvalidValue", "empty"),
        (.init(name: "c", networks: [.init(name: "n", addresses: ["10.1"])]), "InvalidAddress", "10.1"),
        (.init(name: "c", listen: "loudly"), "InvalidValue", "loudly"),
        (.init(name: "c", intercept: ["10.1"]), "InvalidAddress", "10.1"),
        (.init(name: "c", intercept: ["0.0.0.0"]), "InvalidAddress", "no server can have it"),
        (.init(name: "c", intercept: ["127.0.0.1"]), "InvalidAddress", "inside the container"),
        (.init(name: "c", intercept: ["::1"]), "InvalidAddress", "inside the container"),
        (.init(name: "c", intercept: (1...9).map { "10.1.0.\($0)" }), "TooMany", "9 intercepted addresses"),
        (.init(name: "c", ports: [Port(port: 0, protocol: nil, service: nil)]), "InvalidValue", "1 to 65535"),
        (.init(name: "c", ports: [Port(port: 65_536, protocol: nil, service: nil)]), "InvalidValue", "1 to 65535"),
        (.init(name: "c", ports: [Port(port: 1, protocol: "sctp", service: nil)]), "InvalidValue", "tcp or udp"),
    ]

    @Test("of a container are refused by name, with the value in the message", arguments: refusedContainers.indices)
    func refusedContainer(index: Int) throws {
        let (parameters, member, part) = Self.refusedContainers[index]
        let error = #expect(throws: ControlError.self) { try ContainerDefinition(parameters) }
        #expect(error?.member == member)
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    }

    private static let refusedNamespaces: [(AddContainer.Parameters, String)] = [
        (.init(name: "c", netns: "web"), "InvalidValue"),
        (.init(name: "c", netns: "/run/netns/\u{0}"), "InvalidValue"),
        (.init(name: "c", pid: 0), "NoSuchProcess"),
        (.init(name: "c", pid: -1), "NoSuchProcess"),
        (.init(name: "c", pid: 1 << 40), "NoSuchProcess"),
        (.init(name: "c", netns: "/run/netns/web", pid: 1), "InvalidValue"),
    ]

    @Test("that name no namespace which can be are refused", arguments: refusedNamespaces.indices)
    func refusedNamespace(index: Int) throws {
        let (parameters, member) = Self.refusedNamespaces[index]
        #expect(#expect(throws: ControlError.self) { try NamespaceSource.of(parameters) }?.member == member)
    }

    /// Each refusal of the registry, and the name of the error that a caller gets.
    private static let refusals: [(RegistryError, String)] = [
        (.noSuchNetwork("n"), "NoSuchNetwork"), (.noSuchContainer("c"), "NoSuchContainer"),
        (.networkExists("n"), "NetworkExists"), (.containerExists("c"), "ContainerExists"),
        (.ambiguousName("n", choices: ["br0", "br1"]), "AmbiguousName"),
        (.interfaceInUse("br0", network: "n"), "InterfaceInUse"),
        (.namespaceInUse(container: "c"), "NamespaceInUse"),
        (.networkOfTheKernel("n", interface: "br0"), "NotDeclared"),
        (.containerOfTheKernel("c", path: "/run/netns/c"), "NotDeclared"),
        (.networkInUse("n", containers: ["c"]), "NetworkInUse"),
        (.alreadyConnected(container: "c", network: "n"), "AlreadyConnected"),
        (.notConnected(container: "c", network: "n"), "NotConnected"),
        (.invalidSubnet("10.1", reason: "a reason"), "InvalidAddress"),
        (.invalidUpstream("10.1", reason: "a reason"), "InvalidAddress"),
        (.invalidValue("0", of: "port", reason: "a reason"), "InvalidValue"),
        (.tooMany("ports", count: 7, limit: 5), "TooMany"),
        (.invalidName("n", reason: "a reason"), "InvalidName"),
        (.invalidAddress("10.1", reason: "a reason"), "InvalidAddress"),
        (.addressInUse("10.1.0.2", network: "n", container: "c"), "AddressInUse"),
    ]

    @Test("that the registry refuses are refused in the words of the interface", arguments: refusals.indices)
    func refusal(index: Int) {
        let (error, member) = Self.refusals[index]
        let refused = ControlError.of(error)
        #expect(refused.member == member)
        for value in refused.parameters.values {
            if case .string(let text) = value { #expect(refused.message.contains(text), "\(refused.message)") }
        }
    }
}
