// Containers that are known by a path alone: their links cannot be observed.

import DNSWire
import Registry
import Testing

@testable import IntercomServer

@Suite("A container whose links are not observed")
struct ObservedAtPathTests {
    private let cookie = NamespaceCookie(rawValue: 1)

    private func registry() throws -> Registry {
        var registry = Registry(domain: try Name("internal"), ttl: 5)
        try registry.createNetwork(NetworkDefinition(name: "front", source: .control))
        return registry
    }

    private func declare(_ name: String, in registry: inout Registry) throws -> ContainerID {
        var definition = ContainerDefinition(name: name, source: .control)
        definition.endpoints = [EndpointDefinition(network: "front")]
        return try registry.addContainer(definition, cookie: cookie)
    }

    @Test("is called as declared, then by its path, whichever came first", arguments: [false, true])
    func declaredAndFound(isFoundFirst: Bool) throws {
        var registry = try registry()
        if isFoundFirst { registry.observe(namespace: cookie, at: "/run/netns/web") }
        let id = try declare("www", in: &registry)
        if !isFoundFirst { registry.observe(namespace: cookie, at: "/run/netns/web") }
        #expect(registry[id]?.name == "www")
        #expect(registry[id]?.endpoints.count == 1, "a path takes no network away")
        try registry.removeContainer(id)
        #expect(registry[id]?.name == "web")
        registry.forget(container: cookie)
        #expect(registry[id] == nil)
    }

    @Test("is called by another path when its first one goes")
    func renamed() throws {
        var registry = try registry()
        let id = registry.observe(namespace: cookie, at: "/run/netns/a")
        #expect(registry.observe(namespace: cookie, at: "/run/netns/b") == id)
        #expect(registry[id]?.name == "b" && registry.containerCount == 1)
    }
}
