// Events for subscribers, change by change.

import DNSWire
import Testing

@testable import Registry

@Suite("An event")
struct EventTests {
    /// As `added network front br0`, `removed endpoint web on front 10.0.0.2 /site`.
    private static func lines(_ town: inout Town) -> [String] {
        town.registry.takeEvents().map { event in
            var words = [event.action.rawValue]
            switch event.subject {
            case .network(let name, let interface, let subnets, let isInternal):
                words += ["network", name] + [interface].compactMap { $0 } + subnets.map(\.description)
                if isInternal { words.append("internal") }
            case .container(let name, let path, let isDraining):
                words += ["container", name] + [path].compactMap { $0 }
                if isDraining { words.append("draining") }
            case .endpoint(let container, let network, let addresses, let aliases):
                words +=
                    ["endpoint", container, "on", network] + addresses.map(\.description) + aliases.map { "/\($0)" }
            case .host(let name, let isLost, let address):
                words += ["host", name, isLost ? "lost" : "alive"] + [address].compactMap { $0?.description }
            case .remote(let name, let host, let isDraining):
                words += ["container", name, "at", host] + (isDraining ? ["draining"] : [])
            }
            if let name = event.formerName { words.append("was \(name)") }
            return words.joined(separator: " ")
        }
    }

    @Test("is recorded for each change in its order, and for nothing that stays as it was")
    func declared() throws {
        var town = try Town()
        town.registry.isWatched = true
        try town.network("front", subnets: ["10.0.0.0/24"], isInternal: true)
        try town.container("web", "front 10.0.0.2 /site")
        #expect(
            Self.lines(&town) == [
                "added network front 10.0.0.0/24 internal", "added container web",
                "added endpoint web on front 10.0.0.2 /site",
            ])
        try town.registry.setDraining(true, container: "web")
        try town.registry.setDraining(true, container: "web")
        #expect(Self.lines(&town) == ["changed container web draining"])
        try town.disconnect("web", "front")
        try town.connect("web", "front")
        try town.remove("web")
        try town.registry.removeNetwork(named: "front")
        #expect(
            Self.lines(&town) == [
                "removed endpoint web on front 10.0.0.2 /site", "added endpoint web on front",
                "removed endpoint web on front",
                "removed container web draining", "removed network front 10.0.0.0/24 internal",
            ])
    }

    @Test("tells of what the kernel shows, and of what it is called as names change")
    func observed() throws {
        var town = try Town()
        town.registry.isWatched = true
        town.namespace(7, "/run/netns/web", "3 10.0.0.2")
        town.bridge(3, "br0")
        #expect(
            Self.lines(&town) == [
                "added container web /run/netns/web", "added network br0 br0", "added endpoint web on br0 10.0.0.2",
            ])
        town.bridge(3, "br0", alias: "front")
        town.bridge(3, "br0", alias: "front")
        #expect(Self.lines(&town) == ["changed network front br0 was br0"])
        town.namespace(7, "/run/netns/web", "3 10.0.0.3")
        town.namespace(7, "/run/netns/www", "3 10.0.0.3")
        #expect(
            Self.lines(&town) == [
                "changed endpoint web on front 10.0.0.3", "changed container www /run/netns/www was web",
            ])
        try town.container("app", cookie: 7)
        try town.network("data", interface: "br0")
        #expect(
            Self.lines(&town) == ["changed container app /run/netns/www was www", "changed network data br0 was front"])
        try town.registry.removeNetwork(named: "data")
        town.bridgeGone(3)
        #expect(
            Self.lines(&town) == [
                "changed network front br0 was data", "removed network front br0",
                "removed endpoint app on front 10.0.0.3",
            ])
    }

    @Test("is not recorded while nobody watches")
    func unwatched() throws {
        var town = try Town()
        town.bridge(3, "br0")
        #expect(town.registry.takeEvents().isEmpty)
        town.registry.isWatched = true
        town.bridge(4, "br1")
        town.registry.isWatched = false
        #expect(town.registry.takeEvents().isEmpty)
    }
}
