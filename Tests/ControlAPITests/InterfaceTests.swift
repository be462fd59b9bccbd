// The interface's description and the types that are sent say the same.

import Foundation
import Testing

@testable import ControlAPI

@Suite("The interface's description")
struct InterfaceTests {
    /// The fields of `type`, `method` or `error` NAME: names and types, in their order.
    func fields(
        _ keyword: String, _ name: String, reply: Bool = false, in text: String = ControlInterface.description
    ) throws -> [String: String] {
        let start = try #require(
            text.range(of: "\n\(keyword) \(name)[ (]", options: .regularExpression), "\(keyword) \(name)")
        var rest = text[start.lowerBound...].drop { $0 != "(" }
        if reply {
            let arrow = try #require(rest.range(of: "-> "))
            rest = rest[arrow.upperBound...]
        }
        let body = rest.dropFirst().prefix { $0 != ")" }
        var fields: [String: String] = [:]
        for field in body.split(separator: ",") {
            let pair = field.split(separator: ":").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
            fields[pair[0]] = pair[1]
        }
        return fields
    }

    /// Encoding of a value in the words of the interface's description; optional fields are present because they are
    /// filled.
    private func encoded(_ value: some Encodable) throws -> [String: String] {
        let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(value)) as? [String: Any] ?? [:]
        return object.mapValues { value in
            switch value {
            case is [Any]: "[]"
            case is String: "string"
            case is [String: Any]: "object"
            // 7 is no boolean, so what converts to one was one.
            case is Bool: "bool"
            case let number as NSNumber: number.doubleValue == number.doubleValue.rounded() ? "int" : "float"
            default: "?"
            }
        }
    }

    func expect(_ value: some Encodable, is fields: [String: String], _ comment: String) throws {
        let encoded = try encoded(value)
        #expect(Set(encoded.keys) == Set(fields.keys), "\(comment)")
        for (name, type) in fields {
            let bare = type.hasPrefix("?") ? String(type.dropFirst()) : type
            let kind =
                bare.hasPrefix("[]") ? "[]" : ["string", "int", "bool", "float"].contains(bare) ? bare : "object"
            #expect(encoded[name] == kind, "\(comment).\(name): \(type)")
        }
    }

    static let link = Link(container: "c", name: "n")
    static let port = Port(port: 7, protocol: "tcp", service: "s")
    static let member = ControlAPI.Network.Member(container: "c", addresses: ["a"], aliases: ["b"])
    static let gatewayListener = ControlAPI.Network.GatewayListener(address: "a", state: "no listener", reason: "r")
    static let network = ControlAPI.Network(
        name: "n", interface: "i", subnets: ["s"], internal: true, upstreams: ["u"], routes: [route],
        forwardFrom: "host", ttl: 7,
        source: "control", containers: [member], facts: [fact], continued: true, policy: "p", search: ["d"],
        gatewayUnknown: "refuse", gatewayListeners: [gatewayListener])
    static let change: Monitor.Change = {
        var change = Monitor.Change(kind: "k", action: "a", network: "n", container: "c")
        (change.formerName, change.interface, change.netns) = ("f", "i", "/n")
        (change.subnets, change.addresses, change.aliases) = (["s"], ["a"], ["b"])
        (change.internal, change.draining) = (true, true)
        (change.state, change.reason, change.host) = ("unheard", "r", "h")
        return change
    }()
    static let question = Monitor.Question(
        time: 7, container: "c", transport: "udp", name: "n", type: "A", rcode: "NOERROR", decidedBy: "link",
        microseconds: 7)
    static let declared = DeclaredRecord(
        name: "n", type: "A", data: "d", network: "f", ttl: 7, source: "control", shadowedBy: "w")
    static let route = Route(domain: "d", upstreams: ["u"])
    static let endpoint = Container.Endpoint(network: "n", addresses: ["a"], aliases: ["b"], names: ["c"])
    static let container: Container = {
        var container = containerHere
        (container.host, container.hostAddress, container.gate) = ("h", "a", gate)
        return container
    }()
    static let containerHere = Container(
        name: "n", id: "i", hostname: "h", netns: "/n", pid: 7, networks: [endpoint], links: [link], ports: [port],
        resolvConf: "/r", resolvConfWriter: "other", listener: "l", listen: "direct", intercept: ["i"],
        resolvers: ["r"], intercepted: ["i"],
        draining: true, state: "s",
        reason: "r", cure: "c", ended: 7, source: "control", facts: [fact], policy: "p")
    static let fact = Fact(fact: "f", value: "v", network: "n", source: "kernel", link: "l")
    static let record = Resolve.Record(name: "n", ttl: 7, type: "A", data: "d")
    static let detail = Resolve.ExtendedError(code: 15, meaning: "m", text: "t")
    static let answer = Resolve.Answer(
        name: "n", type: "A", rcode: "NOERROR", flags: ["qr"], answers: [record], authority: [record],
        extendedErrors: [detail], source: "s")
    static let step = Explain.Step(step: "name", state: "ok", text: "t", cause: "c", cure: "u")
    static let finding = Doctor.Finding(cause: "c", container: "n", text: "t", cure: "u")
    static let group = Status.UpstreamGroup(network: "n", domain: "d", from: "host", servers: ["s"])
    static let cache = Status.Cache(
        entries: 7, octets: 7, limit: 7, hits: 7, stale: 7, misses: 7, coalesced: 7, prefetches: 7, evictions: 7)
    static let cacheEntry = ListCache.CacheEntry(
        name: "n", type: "A", rcode: "NOERROR", network: "n", domain: "d", container: "c", age: 7, left: 7, octets: 7)
    static let server = Status.Server(
        server: "10.0.0.1:53", container: "c", roundTrip: 7, failures: 7, resting: true, looping: true)
    static let worker = Status.Worker(
        worker: 7, listeners: 7, queries: 7, local: 7, cached: 7, forwarded: 7, negative: 7, failed: 7, dropped: 7,
        tcpConnections: 7, inFlight: 7)
    static let guests = Status.Guests(containers: 7, strangers: 7, elsewhere: 7, paced: 7)
    static let latency = Status.Latency(source: "local", samples: 7, p50: 7, p99: 7)
    static let label = Metrics.MetricLabel("n", "v")
    static let sample = Metrics.Sample(suffix: "_total", labels: [label], value: 7.5)
    static let family = Metrics.Family(name: "n", kind: "counter", help: "h", samples: [sample])
    static let stateCount = Status.StateCount(state: "ready", containers: 7)
    static let formerServers = Status.FormerServers(
        containers: 7, answering: 7, untried: 7, failing: 7, lastError: "e", seconds: 7)
    static let publishedNetwork = PublishedNetwork(
        name: "n", id: "i", interface: "e", subnets: ["s"], internal: true, upstreams: ["u"])
    static let publishedContainer = PublishedContainer(
        id: "i", name: "n", hostname: "h", netns: "/n", pid: 7, namespaceOf: "o", networks: [attachment],
        links: [link], ports: [port], upstreams: ["u"], draining: true, intercept: ["a"], policy: "p",
        hosts: [extraHost])
    static let extraHost = ExtraHost(name: "n", address: "a")
    static let policy = Policy(
        name: "n", default: "deny", allow: ["a"], deny: ["d"], types: ["A"], audit: true, ownNames: true,
        strictCname: true, privateAddresses: "deny", lock: true, addresses: true, cidrs: ["c"],
        containers: 7, source: "control", gate: gate)
    static let gate = Gate(state: "failed", reason: "r", open: 7, admitted: 7, madeRoom: 7)
    static let policySummary = PolicySummary(
        name: "n", default: "deny", audit: true, rules: 7, containers: 7, source: "control")
    static let source = ListSources.Source(
        name: "n", containers: 7, waiting: 7, ended: 7, networks: 7, leftOut: 7, lastHeard: 7)
    static let cluster = ListHosts.Cluster(
        host: "h", agent: "a", state: "s", message: "m", synced: true, networks: ["n"], hosts: 7, lost: 7, entries: 7,
        limit: 7, refused: 7, lastRefusal: "r", lag: 7)
    static let remoteHost = ListHosts.RemoteHost(name: "n", state: "alive", address: "a", containers: 7)
    static let attachment = AddContainer.Attachment(name: "n", addresses: ["a"], aliases: ["b"])

    @Test("has every type as it is sent")
    func types() throws {
        try expect(Self.member, is: fields("type", "Member"), "Member")
        try expect(Self.extraHost, is: fields("type", "ExtraHost"), "ExtraHost")
        try expect(Self.network, is: fields("type", "Network"), "Network")
        try expect(Self.stateCount, is: fields("type", "StateCount"), "StateCount")
        try expect(Self.latency, is: fields("type", "Latency"), "Latency")
        try expect(Self.guests, is: fields("type", "Guests"), "Guests")
        try expect(Self.label, is: fields("type", "MetricLabel"), "MetricLabel")
        try expect(Self.sample, is: fields("type", "Sample"), "Sample")
        try expect(Self.family, is: fields("type", "Family"), "Family")
        try expect(Self.change, is: fields("type", "Change"), "Change")
        try expect(Self.question, is: fields("type", "Question"), "Question")
        try expect(Self.fact, is: fields("type", "Fact"), "Fact")
        try expect(Self.route, is: fields("type", "Route"), "Route")
        try expect(Self.declared, is: fields("type", "DeclaredRecord"), "DeclaredRecord")
        try expect(Self.policy, is: fields("type", "Policy"), "Policy")
        try expect(Self.gate, is: fields("type", "Gate"), "Gate")
        try expect(Self.policySummary, is: fields("type", "PolicySummary"), "PolicySummary")
        try expect(Self.endpoint, is: fields("type", "Endpoint"), "Endpoint")
        try expect(Self.container, is: fields("type", "Container"), "Container")
        try expect(Self.link, is: fields("type", "Link"), "Link")
        try expect(Self.port, is: fields("type", "Port"), "Port")
        try expect(Self.attachment, is: fields("type", "Attachment"), "Attachment")
        try expect(Self.publishedNetwork, is: fields("type", "PublishedNetwork"), "PublishedNetwork")
        try expect(Self.publishedContainer, is: fields("type", "PublishedContainer"), "PublishedContainer")
        try expect(Self.source, is: fields("type", "Source"), "Source")
        try expect(Self.cluster, is: fields("type", "Cluster"), "Cluster")
        try expect(Self.remoteHost, is: fields("type", "RemoteHost"), "RemoteHost")
        try expect(Self.record, is: fields("type", "Record"), "Record")
        try expect(Self.detail, is: fields("type", "ExtendedError"), "ExtendedError")
        try expect(Self.answer, is: fields("type", "Answer"), "Answer")
        try expect(Self.step, is: fields("type", "Step"), "Step")
        try expect(Self.finding, is: fields("type", "Finding"), "Finding")
        try expect(Self.worker, is: fields("type", "Worker"), "Worker")
        try expect(Self.cache, is: fields("type", "Cache"), "Cache")
        try expect(Self.server, is: fields("type", "Server"), "Server")
        try expect(Self.group, is: fields("type", "UpstreamGroup"), "UpstreamGroup")
    }

    @Test("has every method with its parameters and its reply")
    func methods() throws {
        try expect(
            CreateNetwork.Parameters(
                name: "n", interface: "i", subnets: ["s"], internal: true, upstreams: ["u"], routes: [Self.route],
                forwardFrom: "host", ttl: 7, policy: "p", search: ["d"], gatewayListener: true, gatewayUnknown: "refuse"
            ),
            is: fields("method", "CreateNetwork"), "CreateNetwork")
        try expect(
            AddContainer.Parameters(
                name: "n", netns: "/n", pid: 7, networks: [Self.attachment], hostname: "h", id: "i", links: [Self.link],
                ports: [Self.port],
                resolvConf: "/r", listen: "direct", intercept: ["i"], replace: true, policy: "p", wait: true),
            is: fields("method", "AddContainer"),
            "AddContainer")
        try expect(
            Update.Parameters(
                source: "s", networks: [Self.publishedNetwork], goneNetworks: ["n"], put: [Self.publishedContainer],
                gone: ["i"], wait: true), is: fields("method", "Update"), "Update")
        try expect(Forget.Parameters(source: "s"), is: fields("method", "Forget"), "Forget")
        try expect(ListSources.Reply(sources: []), is: fields("method", "ListSources", reply: true), "ListSources")
        try expect(
            ListContainers.Parameters(all: true, remote: true, brief: true), is: fields("method", "ListContainers"),
            "ListContainers"
        )
        try expect(
            Connect.Parameters(network: "n", container: "c", addresses: ["a"], aliases: ["b"]),
            is: fields("method", "Connect"), "Connect")
        try expect(
            Disconnect.Parameters(network: "n", container: "c"), is: fields("method", "Disconnect"), "Disconnect")
        try expect(Resolve.Parameters(name: "n", type: "A", container: "c"), is: fields("method", "Resolve"), "Resolve")
        try expect(
            Explain.Parameters(name: "n", type: "A", container: "c", port: 7), is: fields("method", "Explain"),
            "Explain")
        try expect(
            Explain.Reply(
                steps: [Self.step], fault: true, cause: "c", text: "t", cure: "u", answer: Self.answer),
            is: fields("method", "Explain", reply: true), "Explain")
        try expect(Doctor.Parameters(containers: ["c"]), is: fields("method", "Doctor"), "Doctor")
        try expect(
            Doctor.Reply(findings: [Self.finding], further: 7, containerCount: 7),
            is: fields("method", "Doctor", reply: true), "Doctor")
        try expect(
            SetPolicy.Parameters(
                name: "n", default: "deny", allow: ["a"], deny: ["d"], types: ["A"], audit: true, ownNames: true,
                strictCname: true, privateAddresses: "deny", lock: true,
                addresses: true, cidrs: ["c"]), is: fields("method", "SetPolicy"), "SetPolicy"
        )
        for name in ["AllowNames", "DenyNames"] {
            try expect(NamesOfPolicy(policy: "p", names: ["n"]), is: fields("method", name), name)
        }
        try expect(
            RemovePolicy.Parameters(name: "n", names: ["n"]), is: fields("method", "RemovePolicy"), "RemovePolicy")
        try expect(LearnPolicy.Parameters(container: "c"), is: fields("method", "LearnPolicy"), "LearnPolicy")
        try expect(
            LearnPolicy.Reply(policy: Self.policy, needed: ["n"], denied: ["d"]),
            is: fields("method", "LearnPolicy", reply: true), "LearnPolicy")
        try expect(ListPolicies.Reply(policies: []), is: fields("method", "ListPolicies", reply: true), "ListPolicies")
        try expect(
            InspectPolicy.Reply(policy: Self.policy), is: fields("method", "InspectPolicy", reply: true),
            "InspectPolicy")
        try expect(AddRecord.Reply(shadowedBy: ["w"]), is: fields("method", "AddRecord", reply: true), "AddRecord")
        try expect(FlushCache.Parameters(name: "n", suffix: true), is: fields("method", "FlushCache"), "FlushCache")
        try expect(FlushCache.Reply(flushed: 7), is: fields("method", "FlushCache", reply: true), "FlushCache")
        try expect(ListCache.Parameters(name: "n", suffix: true), is: fields("method", "ListCache"), "ListCache")
        try expect(
            ListCache.Reply(answers: [Self.cacheEntry], further: 7), is: fields("method", "ListCache", reply: true),
            "ListCache")
        for name in [
            "RemoveNetwork", "InspectNetwork", "RemoveContainer", "InspectContainer", "DrainContainer",
            "ReadyContainer", "InspectPolicy",
        ] {
            try expect(Named(name: "n"), is: fields("method", name), name)
        }
        try expect(ListNetworks.Reply(networks: []), is: fields("method", "ListNetworks", reply: true), "ListNetworks")
        try expect(
            ListContainers.Reply(containers: []), is: fields("method", "ListContainers", reply: true), "ListContainers")
        try expect(
            InspectNetwork.Reply(network: Self.network), is: fields("method", "InspectNetwork", reply: true),
            "InspectNetwork")
        try expect(
            InspectContainer.Reply(container: Self.container), is: fields("method", "InspectContainer", reply: true),
            "InspectContainer")
        try expect(
            Monitor.Reply(ready: true, missed: 7, change: Self.change, question: Self.question),
            is: fields("method", "Monitor", reply: true), "Monitor")
        try expect(
            Monitor.Parameters(queries: true, container: "c", denied: true), is: fields("method", "Monitor"), "Monitor")
        try expect(Metrics.Reply(families: []), is: fields("method", "Metrics", reply: true), "Metrics")
        try expect(Resolve.Reply(answer: Self.answer), is: fields("method", "Resolve", reply: true), "Resolve")
        try expect(
            Status.Reply(
                version: "1", pid: 7, uptime: 7, configuration: "c", networks: 7, containers: 7, leftOut: 7,
                upstreams: ["u"],
                groups: [Self.group], servers: [Self.server], cache: Self.cache, workers: [Self.worker],
                awaited: ["a"], warnings: ["w"], states: [Self.stateCount],
                formerServers: Self.formerServers, latency: [Self.latency],
                host: Status.HostService(domain: "internal", reason: "r", way: .hook), domain: "internal",
                guests: Self.guests),
            is: fields("method", "Status", reply: true), "Status")
    }

    static let errors: [ControlError] = [
        .noSuchNetwork("n"), .noSuchContainer("c"), .noSuchPolicy("p"), .policyInUse("p", by: ["c"]),
        .networkExists("n"), .containerExists("c"),
        .networkInUse("n", by: ["c"]),
        .alreadyConnected("c", to: "n"), .notConnected("c", to: "n"), .invalidName("n", reason: "r"),
        .invalidAddress("a", reason: "r"),
        .addressInUse("a", network: "n", by: "c"), .invalidValue("v", of: "p", reason: "r"),
        .notANetworkNamespace(path: "/p", reason: "r"),
        .noSuchProcess(pid: 7), .hostNamespace("/n"), .namespaceInUse("/n", by: "c"),
        .portInUse(namespace: "/n", address: "a"),
        .notPermitted(user: "u"), .invalidConfiguration(errors: ["e"]), .operationFailed(reason: "r"),
        .containerOfSource("c", source: "s"), .networkOfSource("n", source: "s"), .messageTooLong(limit: 2 << 20),
        .tooMany("p", count: 7, limit: 7), .replyTooLarge(ListNetworks.self),
        .invalidSubnet("s", reason: "r"), .invalidUpstream("u", reason: "r"),
    ]

    @Test("has every error with its parameters, and each has a message for people", arguments: errors)
    func everyError(error: ControlError) throws {
        try expect(error, is: fields("error", error.member), error.member)
        #expect(!error.message.isEmpty && !error.message.contains("\n"))
        #expect(error.name == "intercom.Control.\(error.member)")
    }
}
