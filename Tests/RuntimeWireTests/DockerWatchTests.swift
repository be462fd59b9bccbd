// Docker kept up to date: events and replies in, requests and notices out, step by step with a clock of the test's own.

import Testing

@testable import RuntimeWire

/// A watch, and the effects that nobody has looked at yet.
private struct Scene {
    var watch = DockerWatch()
    var now = Duration.seconds(100)

    /// Effects of one step as short texts, requests first by their order.
    mutating func effects() -> [String] { watch.takeEffects().map(Self.text) }

    static func text(_ effect: DockerWatch.Effect) -> String {
        switch effect {
        case .subscribe: "subscribe"
        case .ask(.networks): "networks"
        case .ask(.containers): "containers"
        case .ask(.container(let id)): "inspect \(id)"
        case .ask(.starting(let id)): "starting \(id)"
        case .closeAll: "close"
        case .changed: "changed"
        case .reread: "reread"
        case .say(.complete(let containers, let networks, let isAgain)):
            "complete \(containers) \(networks)\(isAgain ? " again" : "")"
        case .say(.away(let reason)): "away: \(reason)"
        case .say(.unreadable(let container, let reason)): "unreadable \(container): \(reason)"
        case .say(.oddEvent): "odd event"
        }
    }

    mutating func advance(_ duration: Duration = .zero) -> [String] {
        now += duration
        watch.advance(to: now)
        return effects()
    }

    mutating func subscribed() -> [String] {
        watch.subscribed(at: now)
        return effects()
    }

    mutating func event(_ type: String, _ action: String, _ id: String, container: String? = nil) -> [String] {
        let attributes = container.map { #","Attributes":{"container":"\#($0)"}"# } ?? ""
        return events(#"{"Type":"\#(type)","Action":"\#(action)","Actor":{"ID":"\#(id)"\#(attributes)}}"# + "\n")
    }

    mutating func events(_ text: String) -> [String] {
        watch.received(events: Array(text.utf8), at: now)
        return effects()
    }

    mutating func reply(networks: String...) -> [String] {
        let list = networks.map { #"{"Id":"id-\#($0)","Name":"\#($0)","Driver":"bridge"}"# }.joined(separator: ",")
        watch.answered(.networks, Array("[\(list)]".utf8), at: now)
        return effects()
    }

    mutating func reply(containers: String...) -> [String] {
        let list = containers.map { #"{"Id":"\#($0)"}"# }.joined(separator: ",")
        watch.answered(.containers, Array("[\(list)]".utf8), at: now)
        return effects()
    }

    mutating func reply(
        inspect id: String, name: String? = nil, isRunning: Bool = true, on network: String = "front",
        mode: String = "default", labels: String = "null"
    ) -> [String] {
        reply(
            .container(id), Self.body(id, name: name, isRunning: isRunning, on: network, mode: mode, labels: labels))
    }

    /// The reply about a container that was about to start.
    mutating func reply(starting id: String, name: String? = nil, isRunning: Bool = true) -> [String] {
        reply(.starting(id), Self.body(id, name: name, isRunning: isRunning))
    }

    private mutating func reply(_ question: DockerWatch.Question, _ body: String) -> [String] {
        watch.answered(question, Array(body.utf8), at: now)
        return effects()
    }

    private static func body(
        _ id: String, name: String?, isRunning: Bool, on network: String = "front", mode: String = "default",
        labels: String = "null"
    ) -> String {
        """
        {"Id":"\(id)","Name":"/\(name ?? id)","State":{"Running":\(isRunning),"Pid":\(isRunning ? 7 : 0)},
        "Config":{"Labels":\(labels)},"HostConfig":{"NetworkMode":"\(mode)"},
        "NetworkSettings":{"Networks":{"\(network)":{"IPAddress":"10.1.0.2"}}}}
        """
    }

    mutating func refused(_ question: DockerWatch.Question, _ status: Int?, _ reason: String = "no") -> [String] {
        watch.refused(question, status: status, reason: reason, at: now)
        return effects()
    }

    mutating func failed(_ reason: String) -> [String] {
        watch.failed(reason, at: now)
        return effects()
    }

    /// A watch that has read everything: these containers on the network `front`.
    static func settled(_ containers: String...) -> Scene {
        var scene = Scene()
        _ = scene.advance()
        _ = scene.subscribed()
        _ = scene.reply(networks: "front")
        let list = containers.map { #"{"Id":"\#($0)"}"# }.joined(separator: ",")
        scene.watch.answered(.containers, Array("[\(list)]".utf8), at: scene.now)
        _ = scene.effects()
        for id in containers { _ = scene.reply(inspect: id) }
        return scene
    }
}

@Suite("Docker kept up to date")
struct DockerWatchTests {
    @Test(
        "Events are subscribed to first, then all is listed, each container is inspected, and all is published at once")
    func start() {
        var scene = Scene()
        #expect(scene.advance() == ["subscribe"])
        #expect(scene.subscribed() == ["networks", "containers"])
        #expect(scene.reply(containers: "a", "b") == ["inspect a", "inspect b"])
        #expect(scene.reply(networks: "front") == [])
        #expect(scene.reply(inspect: "b") == [])
        #expect(!scene.watch.isComplete)
        #expect(scene.reply(inspect: "a") == ["complete 2 1", "reread"])
        #expect(scene.watch.isComplete && scene.watch.containers.count == 2)
    }

    @Test("An event during the first reading is not missed")
    func eventWhileListing() {
        var scene = Scene()
        _ = scene.advance()
        _ = scene.subscribed()
        #expect(scene.event("container", "start", "late") == ["inspect late"])
        _ = scene.reply(networks: "front")
        #expect(scene.reply(containers: "a") == ["inspect a"])
        #expect(scene.reply(inspect: "a") == [])
        #expect(scene.reply(inspect: "late") == ["complete 2 1", "reread"])
    }

    @Test(
        "A container that starts, is renamed, or whose health changes is inspected",
        arguments: ["start", "rename", "health_status: unhealthy"])
    func inspected(action: String) {
        var scene = Scene.settled("a")
        #expect(scene.event("container", action, "a") == ["inspect a"])
        #expect(scene.reply(inspect: "a", name: "other") == ["changed"])
        #expect(scene.watch.containers["a"]?.name == "other")
    }

    @Test("What is the same after an event is no change")
    func same() {
        var scene = Scene.settled("a")
        _ = scene.event("container", "health_status: healthy", "a")
        #expect(scene.reply(inspect: "a") == [])
    }

    @Test("A container that ends is gone without a further question", arguments: ["die", "destroy", "died", "remove"])
    func ended(action: String) {
        var scene = Scene.settled("a")
        #expect(scene.event("container", action, "a") == ["changed"])
        #expect(scene.watch.containers.isEmpty)
    }

    @Test("A reply that is older than a container's end does not bring it back")
    func endedWhileInspected() {
        var scene = Scene.settled("a")
        _ = scene.event("container", "start", "a")
        #expect(scene.event("container", "die", "a") == ["changed"])
        #expect(scene.reply(inspect: "a") == ["inspect a", "changed"])
        #expect(scene.reply(inspect: "a", isRunning: false) == ["changed"])
        #expect(scene.watch.containers.isEmpty)
    }

    @Test("A container that is connected or disconnected is inspected", arguments: ["connect", "disconnect"])
    func connected(action: String) {
        var scene = Scene.settled("a")
        #expect(scene.event("network", action, "id-front", container: "a") == ["inspect a"])
    }

    @Test("A container that is connected as it starts is asked for at once, and inspected again when it has started")
    func starting() {
        var scene = Scene.settled()
        #expect(scene.event("network", "connect", "id-front", container: "a") == ["starting a"])
        #expect(scene.event("network", "connect", "id-back", container: "a") == [])
        #expect(scene.reply(starting: "a") == ["changed"])
        #expect(scene.event("container", "start", "a") == ["inspect a"])
        #expect(scene.reply(inspect: "a") == [])
        #expect(scene.watch.containers.keys.sorted() == ["a"])
        // One that ends is disconnected.
        #expect(scene.event("container", "die", "a") == ["changed"])
        #expect(scene.event("network", "disconnect", "id-front", container: "a") == [])
    }

    @Test("A reply about a container that could not start, one that is odd, and none at all change nothing")
    func notStarted() {
        var scene = Scene.settled()
        func ask() { #expect(scene.event("network", "connect", "id-front", container: "a") == ["starting a"]) }
        ask()
        #expect(scene.reply(starting: "a", isRunning: false) == [])
        for status in [404, 500, nil] {
            ask()
            #expect(scene.refused(.starting("a"), status) == [])
        }
        ask()
        scene.watch.answered(.starting("a"), Array("[]".utf8), at: scene.now)
        #expect(scene.effects() == [])
        ask()
        #expect(scene.event("container", "start", "a") == ["inspect a"])
        #expect(scene.reply(inspect: "a") == ["changed"])
    }

    @Test("A reply about a start that is older than what is known is left alone")
    func startedLate() {
        var scene = Scene.settled()
        for id in ["ended", "known"] { _ = scene.event("network", "connect", "id-front", container: id) }
        #expect(scene.event("container", "die", "ended") == [])
        #expect(scene.reply(starting: "ended") == [])
        #expect(scene.event("container", "start", "known") == ["inspect known"])
        #expect(scene.reply(inspect: "known", name: "new") == ["changed"])
        #expect(scene.reply(starting: "known", name: "old") == [])
        #expect(scene.watch.containers.mapValues(\.name) == ["known": "new"])
    }

    @Test("A list that is older than a start does not take it back")
    func startedWhileListing() {
        var scene = Scene.settled("b")
        _ = scene.event("network", "connect", "id-front", container: "a")
        _ = scene.advance(.seconds(60))
        #expect(scene.reply(starting: "a") == [])
        #expect(scene.reply(networks: "front") == ["changed"])
        #expect(scene.reply(containers: "b") == ["inspect b"])
        #expect(scene.reply(inspect: "b") == ["reread"])
        #expect(scene.watch.containers.keys.sorted() == ["a", "b"])
    }

    @Test("At most 256 that are about to start are asked for; they take no turn of those that are inspected")
    func startingBounded() {
        var scene = Scene.settled()
        var asked: [String] = []
        for number in 0..<300 { asked += scene.event("network", "connect", "id-front", container: "c\(number)") }
        #expect(asked.count == 256)
        #expect(scene.event("container", "start", "c299") == ["inspect c299"])
        _ = scene.reply(starting: "c0")
        #expect(scene.event("network", "connect", "id-front", container: "more") == ["starting more"])
        // They are forgotten with their connections.
        _ = scene.failed("it ended")
        _ = scene.advance(.seconds(1))
        _ = scene.subscribed()
        #expect(scene.event("network", "connect", "id-front", container: "c1") == ["starting c1"])
    }

    @Test("A new network is listed before a container on it is published")
    func newNetwork() {
        var scene = Scene.settled("a")
        #expect(scene.event("network", "create", "id-back") == ["networks"])
        #expect(scene.event("container", "start", "b") == ["inspect b"])
        #expect(scene.reply(inspect: "b", on: "back") == [])
        // It was asked before the container was there: it may be older than the network.
        #expect(scene.reply(networks: "front") == ["networks"])
        #expect(scene.reply(networks: "front", "back") == ["changed"])
        #expect(scene.watch.publication(keepsDockerDNS: false).networks.map(\.name) == ["front", "back"])
    }

    @Test("A network that is never listed is not asked for again and again")
    func unlistedNetwork() {
        var scene = Scene.settled("a")
        _ = scene.event("container", "start", "b")
        #expect(scene.reply(inspect: "b", on: "back") == ["networks"])
        #expect(scene.reply(networks: "front") == ["changed"])
        #expect(scene.watch.publication(keepsDockerDNS: false).containers.last?.endpoints == [])
    }

    @Test("Everything is read again after a minute: what is gone goes, what has started since stays")
    func relisted() {
        var scene = Scene.settled("a", "b")
        #expect(scene.advance(.seconds(59)) == [])
        #expect(scene.advance(.seconds(1)) == ["networks", "containers"])
        #expect(scene.event("container", "start", "c") == ["inspect c"])
        _ = scene.reply(inspect: "c")
        #expect(scene.reply(containers: "a") == ["inspect a"])
        _ = scene.reply(networks: "front")
        #expect(scene.reply(inspect: "a") == ["reread"])
        #expect(scene.watch.containers.keys.sorted() == ["a", "c"])
    }

    @Test("A stream that ends is opened again after a growing pause; what was known stays, and then all is read again")
    func reconnected() {
        var scene = Scene.settled("a", "b")
        #expect(scene.failed("it ended") == ["close", "away: it ended"])
        #expect(scene.watch.containers.count == 2)
        #expect(scene.advance(.milliseconds(199)) == [])
        #expect(scene.advance(.milliseconds(1)) == ["subscribe"])
        // The same reason is not said twice.
        #expect(scene.failed("refused") == ["close", "away: refused"])
        for pause in [400, 800, 1600, 3200, 6400, 10_000, 10_000] {
            #expect(scene.advance(.milliseconds(pause - 1)) == [], "\(pause)")
            #expect(scene.advance(.milliseconds(1)) == ["subscribe"], "\(pause)")
            #expect(scene.failed("refused") == ["close"])
        }
        #expect(scene.advance(.seconds(10)) == ["subscribe"])
        _ = scene.subscribed()
        _ = scene.reply(networks: "front")
        #expect(scene.reply(containers: "b") == ["inspect b", "changed"])
        #expect(scene.reply(inspect: "b") == ["complete 1 1 again", "reread"])
        #expect(scene.failed("it ended") == ["close", "away: it ended"])
        #expect(scene.advance(.milliseconds(200)) == ["subscribe"])
    }

    @Test("A list that is refused, late or odd is read again later, with everything else", arguments: [400, 500, nil])
    func refusedList(status: Int?) {
        var scene = Scene()
        _ = scene.advance()
        _ = scene.subscribed()
        #expect(scene.refused(.networks, status, "no") == ["close", "away: no"])
        #expect(scene.reply(containers: "a") == [])
        #expect(scene.advance(.milliseconds(200)) == ["subscribe"])
    }

    @Test("One container that cannot be inspected is said once and tried again; the others are published")
    func unreadable() {
        var scene = Scene()
        _ = scene.advance()
        _ = scene.subscribed()
        _ = scene.reply(networks: "front")
        _ = scene.reply(containers: "a", "b")
        #expect(scene.reply(inspect: "a") == [])
        #expect(scene.refused(.container("b"), 500, "no") == ["unreadable b: no", "complete 1 1", "reread"])
        #expect(scene.advance(.seconds(5)) == ["inspect b"])
        #expect(scene.refused(.container("b"), nil, "no") == [])
        #expect(scene.advance(.seconds(5)) == ["inspect b"])
        #expect(scene.reply(inspect: "b") == ["changed"])
        #expect(scene.advance(.seconds(5)) == [])
    }

    @Test("A container that Docker does not know any more is gone")
    func unknown() {
        var scene = Scene.settled("a")
        _ = scene.event("container", "start", "a")
        #expect(scene.refused(.container("a"), 404) == ["changed"])
        #expect(scene.watch.containers.isEmpty)
    }

    @Test("At most 32 requests are under way, and all containers have their turn")
    func bounded() {
        var scene = Scene.settled()
        var asked: [String] = []
        for number in 0..<300 { asked += scene.event("container", "start", "c\(number)") }
        #expect(asked.count == 32)
        var replied = 0
        while replied < asked.count {
            let id = String(asked[replied].dropFirst("inspect ".count))
            asked += scene.reply(inspect: id).filter { $0.hasPrefix("inspect") }
            replied += 1
        }
        #expect(asked.count == 300 && scene.watch.containers.count == 300)
    }

    @Test("An event that cannot be read is said; an endless one is the end of the stream")
    func oddEvents() {
        var scene = Scene.settled("a")
        #expect(scene.events("EOF\n") == ["odd event"])
        #expect(scene.events(String(repeating: "x", count: 1 << 20)) == [])
        #expect(scene.events("x") == ["close", "away: an event is longer than 1048576 octets"])
    }
}

@Suite("A publication of Docker's containers")
struct DockerPublicationTests {
    private static let labels = #"{"intercom.alias":"*.app.test,api","intercom.port":"80/tcp=http"}"#

    @Test("Labels add aliases and ports")
    func labels() {
        var scene = Scene.settled()
        _ = scene.event("container", "start", "a")
        _ = scene.reply(inspect: "a", labels: Self.labels)
        let container = scene.watch.publication(keepsDockerDNS: false).containers.first
        #expect(container?.endpoints.first?.aliases == ["*.app.test", "api"])
        #expect(container?.ports == [.init(number: 80, transport: "tcp", service: "http")])
    }

    @Test(
        "Left out are containers in the host's namespace, without a network, and those whose labels say so",
        arguments: [
            ("host", "null"), ("none", "null"), ("default", #"{"intercom.enable":"false"}"#), ("container:x", "null"),
        ])
    func leftOut(mode: String, labels: String) {
        var scene = Scene.settled()
        _ = scene.event("container", "start", "a")
        _ = scene.reply(inspect: "a", mode: mode, labels: labels)
        #expect(scene.watch.publication(keepsDockerDNS: false).containers == [])
    }

    @Test("A container that shares the namespace of another is published with the other's id", arguments: ["a", "web"])
    func sharing(reference: String) {
        var scene = Scene.settled()
        for id in ["a", "b"] { _ = scene.event("container", "start", id) }
        _ = scene.reply(inspect: "b", mode: "container:\(reference)")
        _ = scene.reply(inspect: "a", name: "web")
        let containers = scene.watch.publication(keepsDockerDNS: false).containers
        #expect(containers.map(\.namespace) == [.own, .container("a")])
    }

    @Test("With Docker's DNS kept, only containers on the default network alone are published")
    func kept() {
        var scene = Scene()
        _ = scene.advance()
        _ = scene.subscribed()
        let networks = """
            [{"Id":"1","Name":"bridge","Driver":"bridge","Options":{"com.docker.network.bridge.default_bridge":"true"}},
            {"Id":"2","Name":"front","Driver":"bridge"}]
            """
        scene.watch.answered(.networks, Array(networks.utf8), at: scene.now)
        _ = scene.reply(containers: "a", "b")
        _ = scene.reply(inspect: "a", on: "bridge")
        _ = scene.reply(inspect: "b", on: "front")
        let kept = scene.watch.publication(keepsDockerDNS: true)
        #expect(kept.networks.map(\.name) == ["bridge"] && kept.containers.map(\.id) == ["a"])
        #expect(scene.watch.publication(keepsDockerDNS: false).containers.map(\.id) == ["a", "b"])
    }
}
