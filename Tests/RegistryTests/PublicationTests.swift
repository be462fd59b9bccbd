// Networks and containers that sources tell of, beside what is declared and what the kernel shows.

import DNSWire
import Testing

@testable import Registry

@Suite("What a source tells")
struct PublicationTests {
    @Test("gives a found container its names, and leaves it as it was found when it is taken back")
    func joinsFound() throws {
        var town = try Town()
        town.bridge(3, "br0")
        town.namespace(1, "/run/netns/app", "3 10.0.0.3")
        town.namespace(7, "/run/netns/cni-1", "3 10.0.0.2")
        let view = try town.view("cni-1")
        try town.publish("docker", "0123456789abcdef", "shop.web.1", cookie: 7, hostname: "www.example")
        #expect(try town.view("shop.web.1") == view, "its view, and so its listener, stays")
        for name in ["shop.web.1", "shop.web.1.br0", "shop.web.1.br0.internal", "www.example", "0123456789ab"] {
            #expect(try town.ask("app", name) == ["10.0.0.2"], "\(name)")
        }
        #expect(try town.ask("app", "2.0.0.10.in-addr.arpa", .ptr) == ["shop.web.1.br0.internal."])
        #expect(try town.ask("app", "cni-1") == nil, "it has a name of its own")
        town.unpublish("docker", "0123456789abcdef")
        #expect(try town.ask("app", "cni-1") == ["10.0.0.2"])
        #expect(try town.ask("app", "shop.web.1") == nil)
        #expect(try town.view("cni-1") == view)
    }

    @Test("is known before its namespace is, and goes to it with all who share it", arguments: [false, true])
    func attachedLater(isFoundFirst: Bool) throws {
        var town = try Town()
        town.bridge(3, "br0")
        town.namespace(1, "/run/netns/app", "3 10.0.0.3")
        if isFoundFirst { town.namespace(7, "/run/netns/x", "3 10.0.0.2") }
        try town.publish("docker", "aaa", "web", "br0 10.0.0.2")
        try town.publish("docker", "bbb", "sidecar", host: "aaa")
        try town.registry.setDraining(true, container: "web")
        #expect(try town.ask("app", "web") == ["10.0.0.2"])
        #expect(try town.ask("app", "sidecar") == ["10.0.0.2"], "it shares the namespace")
        try town.publish("docker", "aaa", "web", "br0 10.0.0.2", cookie: 7)
        if !isFoundFirst { town.namespace(7, "/run/netns/x", "3 10.0.0.2") }
        #expect(try town.ask("app", "sidecar") == ["10.0.0.2"])
        let web = try town.registry.container(named: "web").id
        #expect(try town.registry.container(named: "sidecar").id == web)
        #expect(try town.registry.container(named: "web").isDraining, "an operator's word stays")
        #expect(try town.registry.container(named: "web").name == "web", "a guest's name comes behind")
        #expect(town.registry.containerCount == 2)
        town.unpublish("docker", "aaa")
        town.unpublish("docker", "bbb")
        town.namespaceGone(7)
        town.namespaceGone(1)
        town.bridgeGone(3)
        #expect(town.registry.containerCount == 0)
        #expect(town.directory.index.count == 0)
    }

    @Test("of a container that somebody declared adds names, and what was declared counts", arguments: [false, true])
    func declaredToo(isDeclaredFirst: Bool) throws {
        var town = try Town()
        town.bridge(3, "br0")
        town.bridge(4, "br1")
        town.namespace(1, "/run/netns/app", "3 10.0.0.3", "4 10.1.0.3")
        func declare(_ town: inout Town) throws { try town.container("site", "br0 10.0.0.9", cookie: 7) }
        if isDeclaredFirst { try declare(&town) }
        try town.publish("docker", "aaa", "web", "br0 10.0.0.2 /api", "br1 10.1.0.2", cookie: 7)
        if !isDeclaredFirst { try declare(&town) }
        #expect(try town.registry.container(named: "web").name == "site")
        for name in ["site", "web", "api", "aaa"] { #expect(try town.ask("app", name) == ["10.0.0.9"], "\(name)") }
        #expect(try town.ask("app", "web.br1") == nil, "it was declared on br0 alone")
        #expect(throws: RegistryError.containerExists("site")) { try town.container("site", cookie: 8) }
        try town.container("web", cookie: 8)
        try town.remove("site")
        #expect(try town.ask("app", "api") == ["10.0.0.2"])
        #expect(try town.ask("app", "web.br1") == ["10.1.0.2"])
        #expect(try town.ask("app", "site") == nil)
    }

    @Test("by two sources of one namespace is one container with all names, whichever is taken back first")
    func twoSources() throws {
        for first in ["docker", "oci"] {
            var town = try Town()
            town.bridge(3, "br0")
            town.namespace(7, "/run/netns/x", "3 10.0.0.2")
            try town.publish("oci", "aaa", "aaa", cookie: 7)
            try town.publish("docker", "aaa", "web", cookie: 7)
            #expect(try town.ask("web", "aaa") == ["10.0.0.2"])
            town.unpublish(first, "aaa")
            let left = first == "docker" ? "aaa" : "web"
            #expect(try town.ask(left, left) == ["10.0.0.2"])
            #expect(try town.ask(left, "web") == (left == "web" ? ["10.0.0.2"] : nil))
        }
    }

    @Test("by two sources under one name on two networks is two containers")
    func alike() throws {
        var town = try Town()
        town.bridge(3, "br0")
        town.bridge(4, "br1")
        town.namespace(1, "/run/netns/app", "3 10.0.0.3")
        town.namespace(2, "/run/netns/other", "4 10.1.0.3")
        try town.publish("docker", "aaa", "web", "br0 10.0.0.2")
        try town.publish("podman", "bbb", "web", "br1 10.1.0.2")
        #expect(try town.ask("app", "web") == ["10.0.0.2"])
        #expect(try town.ask("other", "web") == ["10.1.0.2"])
        let registry = town.registry
        #expect(throws: RegistryError.ambiguousName("web", choices: ["aaa", "bbb"])) {
            try registry.container(named: "web")
        }
        #expect(try town.registry.container(named: "aaa").runtimeID == "aaa", "each is found by its id")
    }

    @Test("of a name, of aliases, of health and of ports changes at once, and the container stays")
    func changes() throws {
        var town = try Town()
        town.bridge(3, "br0")
        town.namespace(1, "/run/netns/app", "3 10.0.0.3")
        try town.publish("docker", "aaa", "old", "br0 10.0.0.2 /api", cookie: 7)
        try town.publish("docker", "bbb", "two", "br0 10.0.0.4 /api", cookie: 8)
        let view = try town.view("old")
        try town.publish("docker", "aaa", "new", "br0 10.0.0.2 /api", cookie: nil, isDraining: true)
        #expect(try town.view("new") == view)
        #expect(try town.ask("app", "old") == nil)
        #expect(try town.ask("app", "new") == ["10.0.0.2"])
        #expect(try town.ask("app", "api") == ["10.0.0.4"], "it is draining")
        try town.registry.setDraining(true, container: "new")
        try town.publish("docker", "aaa", "new", "br0 10.0.0.2 /api", ports: [PortDefinition(number: 80)])
        town.settle()
        #expect(try town.ask("app", "api") == ["10.0.0.4"], "an operator has it drained, too")
        #expect(try town.ask("app", "_80._tcp.new", .srv) == ["0 0 80 new.br0.internal."])
        try town.registry.setDraining(false, container: "new")
        town.settle()
        #expect(try town.ask("app", "api")?.count == 2)
    }

    @Test("the same again changes nothing")
    func same() throws {
        var town = try Town()
        town.bridge(3, "br0")
        try town.publish("docker", "aaa", "web", "br0 10.0.0.2 /api", cookie: 7)
        try town.publish("docker", "aaa", "web", "br0 10.0.0.2 /api", cookie: 7)
        #expect(town.changes == 0)
    }

    @Test("of servers of a container's own sends its questions there; containers with the same servers share a group")
    func ownUpstreams() throws {
        var town = try Town()
        town.bridge(3, "br0")
        try town.publish("docker", "aaa", "one", "br0 10.0.0.2", upstreams: ["192.0.2.1"])
        try town.publish("docker", "bbb", "two", "br0 10.0.0.3", upstreams: ["192.0.2.1"])
        try town.publish("docker", "ccc", "three", "br0 10.0.0.4")
        let group = try #require(try town.group("one"))
        #expect(group != 0)
        #expect(try town.group("two") == group)
        #expect(try town.group("three") == 0)
        let server = try ServerAddress("192.0.2.1")
        #expect(town.registry.upstreamGroups.map(\.upstreams) == [[server]])
        #expect(town.registry.upstreamGroups.map(\.from) == [.namespace], "they are where the container is")
        try town.publish("docker", "aaa", "one", "br0 10.0.0.2")
        #expect(try town.group("one") == 0)
        #expect(try town.group("two") == group)
        town.unpublish("docker", "bbb")
        #expect(town.registry.upstreamGroups.isEmpty)
        let changes = [town.registry.takeOwnGroupChange(), town.registry.takeOwnGroupChange()]
        #expect(changes == [true, false])
    }

    @Test("of a container that is found has another group for its own servers, which is said: somebody has to be asked")
    func ownUpstreamsOfFound() throws {
        var town = try Town()
        town.bridge(3, "br0")
        try town.publish("docker", "aaa", "one", "br0 10.0.0.2", upstreams: ["192.0.2.1"])
        _ = town.registry.takeOwnGroupChange()
        let before = try town.group("one")
        town.registry.observe(
            ObservedContainer(cookie: NamespaceCookie(rawValue: 7), name: "one", path: "/run/netns/one"))
        try town.publish("docker", "aaa", "one", "br0 10.0.0.2", cookie: 7, upstreams: ["192.0.2.1"])
        let group = try #require(try town.group("one"))
        #expect(town.registry.upstreamGroups.map(\.id.rawValue) == [group])
        let hasChanged = town.registry.takeOwnGroupChange()
        #expect(hasChanged == (group != before))
    }

    // MARK: - Networks

    @Test("of a network by its interface is that network, whoever knew it first", arguments: [false, true])
    func networkOfInterface(isFoundFirst: Bool) throws {
        var town = try Town()
        if isFoundFirst { town.bridge(3, "br-1a2b", subnets: ["10.0.0.0/24"]) }
        try town.publishNetwork("docker", "shop_front", interface: "br-1a2b")
        if !isFoundFirst { town.bridge(3, "br-1a2b", subnets: ["10.0.0.0/24"]) }
        town.namespace(1, "/run/netns/app", "3 10.0.0.3")
        try town.publish("docker", "aaa", "web", "shop_front 10.0.0.2")
        #expect(try town.ask("app", "web.shop_front") == ["10.0.0.2"])
        #expect(try town.ask("app", "web.br-1a2b.internal") == ["10.0.0.2"], "a source takes no name away")
        #expect(town.registry.networkCount == 1)
        #expect(try town.registry.network(named: "br-1a2b").name == "shop_front")
        try town.network("front", interface: "br-1a2b")
        #expect(town.registry.networkCount == 1)
        #expect(try town.registry.network(named: "shop_front").name == "front", "the declared name comes first")
        #expect(try town.ask("app", "2.0.0.10.in-addr.arpa", .ptr) == ["web.front.internal."])
        #expect(try town.ask("app", "web.front") == ["10.0.0.2"])
        #expect(try town.ask("app", "web.shop_front") == ["10.0.0.2"], "names add up")
        try town.registry.removeNetwork(named: "front")
        town.settle()
        #expect(try town.ask("app", "web.shop_front") == ["10.0.0.2"])
        town.unpublishNetwork("docker", "shop_front")
        #expect(try town.registry.network(named: "br-1a2b").source == nil, "it is a found one again")
        #expect(try town.ask("app", "web") == nil)
        #expect(try town.ask("app", "app.shop_front") == nil)
        #expect(try town.ask("app", "app.br-1a2b") == ["10.0.0.3"])
    }

    @Test("of a network of another source's name is another network")
    func networksAlike() throws {
        var town = try Town()
        try town.publishNetwork("docker", "front")
        try town.publishNetwork("podman", "front")
        try town.publish("docker", "aaa", "web", "front 10.0.0.2")
        try town.publish("podman", "bbb", "app", "front 10.0.0.3")
        #expect(town.registry.networkCount == 2)
        #expect(try town.ask("web", "app") == nil)
        town.unpublishNetwork("docker", "front")
        town.unpublishNetwork("podman", "front")
        #expect(town.registry.networkCount == 0)
    }

    @Test("of an internal network, of subnets and of servers holds where nobody declared otherwise")
    func networkProperties() throws {
        var town = try Town()
        town.bridge(3, "br0")
        try town.publishNetwork("docker", "front", interface: "br0", isInternal: true)
        try town.publish("docker", "aaa", "web", "front 10.0.0.2")
        #expect(try town.group("web") == nil, "it may not forward")
        try town.publishNetwork("docker", "front", interface: "br0", upstreams: ["192.0.2.1"])
        #expect(try town.group("web") != 0)
        try town.network("mine", interface: "br0")
        #expect(try town.group("web") == 0, "what was declared says all about where questions go")
    }

    @Test("a container's network may be told later, and is told as it comes")
    func networkLater() throws {
        var town = try Town()
        try town.publish("docker", "aaa", "web", "front 10.0.0.2")
        #expect(
            town.registry.warnings == [
                "container web of source docker is on network front, which is not there"
            ])
        try town.publishNetwork("docker", "front")
        #expect(try town.ask("web", "web") == ["10.0.0.2"])
        #expect(town.registry.warnings == [])
    }

    @Test("shows its source with each fact")
    func facts() throws {
        var town = try Town()
        town.bridge(3, "br0")
        try town.container("site", cookie: 7)
        try town.publish("docker", "aaa", "web", "br0 10.0.0.2 /api", cookie: 7)
        let facts = town.registry.facts(of: try town.registry.container(named: "web")).map {
            "\($0.kind.rawValue) \($0.value) \($0.origin == .declared(.publisher("docker")) ? "docker" : "control")"
        }
        #expect(
            facts == [
                "name site control", "name web docker", "id aaa docker", "network br0 docker",
                "address 10.0.0.2 docker", "alias api docker",
            ])
    }
}

@Suite("A container without a name")
struct UnnamedContainerTests {
    @Test("is answered and forwarded for, is shown by its path, and is found by nobody")
    func unnamed() throws {
        var town = try Town()
        town.bridge(3, "br0")
        town.namespace(1, "/run/netns/app", "3 10.0.0.3")
        let path = "/run/docker/netns/1a2b3c"
        town.registry.observe(
            ObservedContainer(
                cookie: NamespaceCookie(rawValue: 7), name: path, path: path,
                endpoints: [
                    ObservedEndpoint(
                        network: InterfaceIndex(rawValue: 3), link: "eth0",
                        addresses: [try #require(IPAddress("10.0.0.2"))])
                ]))
        town.settle()
        #expect(try town.registry.container(named: path).name == path)
        #expect(try town.ask(path, "app") == ["10.0.0.3"])
        #expect(try town.group(path) == 0)
        #expect(try town.ask("app", "1a2b3c") == nil)
        #expect(try town.ask("app", "2.0.0.10.in-addr.arpa", .ptr) == nil)
        #expect(town.registry.warnings == [], "that is no fault")
        try town.publish("docker", "aaa", "web", cookie: 7)
        #expect(try town.ask("app", "web") == ["10.0.0.2"], "a source names it")
    }
}

extension Town {
    /// Endpoints are `NETWORK ADDRESS… /ALIAS…`.
    mutating func publish(
        _ source: String, _ id: String, _ name: String, _ endpoints: String..., cookie: UInt64? = nil,
        host: String? = nil, hostname: String? = nil, isDraining: Bool = false, upstreams: [String] = [],
        ports: [PortDefinition] = []
    ) throws {
        var definition = ContainerDefinition(name: name, source: .publisher(source))
        definition.id = id
        definition.hostname = hostname
        definition.endpoints = endpoints.map { Self.endpoint($0) }
        definition.namesItsNetworks = !endpoints.isEmpty
        definition.isDraining = isDraining
        definition.isGuest = host != nil
        definition.upstreams = try upstreams.map { text throws(AddressError) in try ServerAddress(text) }
        definition.ports = ports
        registry.publish(
            definition, cookie: cookie.map { NamespaceCookie(rawValue: $0) },
            host: host.map { PublicationKey(source: source, id: $0) })
        settle()
    }

    mutating func unpublish(_ source: String, _ id: String) {
        registry.unpublish(container: PublicationKey(source: source, id: id))
        settle()
    }

    mutating func publishNetwork(
        _ source: String, _ name: String, interface: String? = nil, isInternal: Bool = false, upstreams: [String] = []
    ) throws {
        var definition = NetworkDefinition(name: name, source: .publisher(source))
        definition.interface = interface
        definition.isInternal = isInternal
        definition.upstreams = try upstreams.map { text throws(AddressError) in try ServerAddress(text) }
        try registry.publish(definition)
        settle()
    }

    mutating func unpublishNetwork(_ source: String, _ name: String) {
        registry.unpublish(network: name, of: .publisher(source))
        settle()
    }
}
