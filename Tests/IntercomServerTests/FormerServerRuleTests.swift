// Rules of answering for a container that has former servers: what they are asked, and what stays ours.

import DNSWire
import Registry
import Testing

@testable import IntercomServer

@Suite("A container with former servers")
struct FormerServerRuleTests {
    /// The outcome of a question.
    enum Said: Equatable {
        /// Asked of the former servers, and never cached.
        case neighbour
        /// Forwarded to a group.
        case group(UpstreamGroupID)
        case code(ResponseCode)
        /// NOERROR with so many records.
        case records(Int)
    }

    /// A responder with one container `app` that has former servers, and `web` beside it.
    struct House: ~Copyable {
        private var responder: Responder
        private let app: ContainerID
        private var buffer = [UInt8](repeating: 0, count: 65_535)

        init(
            isInternal: Bool = false, upstreams: [String] = [], hasFormerServers: Bool = true, probes: [UInt64] = [],
            policy: PolicyDefinition? = nil,
            _ change: (inout ServerSettings) -> Void = { _ in }
        ) throws {
            var registry = Registry(domain: try Name("internal"), ttl: 5)
            var front = NetworkDefinition(name: "front", source: .control)
            front.subnets = [try #require(Subnet("10.1.0.0/24"))]
            front.isInternal = isInternal
            front.upstreams = try upstreams.map { try ServerAddress($0) }
            try registry.createNetwork(front)
            try registry.createNetwork(NetworkDefinition(name: "back.end", source: .control))
            let routes = [("corp.front", "192.0.2.7"), ("lab", "192.0.2.8")]
            registry.setRoutes(
                try routes.map { RouteDefinition(domain: try Name($0), upstreams: [try ServerAddress($1)]) })
            registry.setHostDomains(Registry.cloudDomains)
            var web = ContainerDefinition(name: "web", source: .control)
            web.endpoints = [EndpointDefinition(network: "front", addresses: [try #require(IPAddress("10.1.0.2"))])]
            try registry.addContainer(web)
            var app = ContainerDefinition(name: "app", source: .control)
            app.endpoints = [EndpointDefinition(network: "front"), EndpointDefinition(network: "back.end")]
            if isInternal { app.endpoints.removeLast() }
            app.policy = policy?.name
            let id = try registry.addContainer(app)
            registry.setFormerServers(hasFormerServers, of: id)
            var changes = registry.takeChanges()
            if let policy {
                // It is declared, and then changed, when the container is there.
                try registry.setPolicy(PolicyDefinition(name: policy.name, source: .control))
                changes += registry.takeChanges()
                try registry.setPolicy(policy)
                changes += registry.takeChanges()
            }
            var settings = ServerSettings(try Configuration.parse(text: "", file: "t.toml"), workers: 1)
            change(&settings)
            self.app = id
            responder = Responder(settings: settings, seed: 7)
            responder.probes = probes
            for change in changes { responder.directory.apply(change) }
        }

        mutating func ask(_ name: String, _ type: RecordType = .a, rd: Bool = true) throws -> Said? {
            var flags = HeaderFlags()
            flags.rd = rd
            let query = QueryMessage(id: 1, flags: flags, try Name(name), type, edns: nil).octets
            switch responder.respond(to: query.span, view: app.view, into: &buffer) {
            case .answered(let length, _):
                let message = try Message(buffer.span.extracting(first: length))
                let code = message.header.flags.responseCode
                return code == .noError ? .records(Int(message.header.answerCount)) : .code(code)
            case .forward(UpstreamGroupID.neighbours.rawValue): return .neighbour
            case .forward(let group), .follow(let group): return .group(UpstreamGroupID(rawValue: group))
            case .heard, .loop, .drop, .held: return nil
            }
        }
    }

    @Test("keeps what we know, and asks them for neighbours that we do not know")
    func rules() throws {
        var house = try House()
        let rows: [(String, RecordType, Said)] = [
            // Ours.
            ("web", .a, .records(1)), ("web", .aaaa, .records(0)), ("web.front", .a, .records(1)),
            ("web.front.internal", .a, .records(1)), ("_tcp.web", .a, .code(.nameError)),
            ("2.0.1.10.in-addr.arpa", .ptr, .records(1)), ("localhost", .a, .records(1)),
            ("nobody.internal", .a, .code(.nameError)), ("nobody.front.internal", .a, .code(.nameError)),
            ("internal", .a, .records(0)), ("front.internal", .a, .records(0)),
            ("printer.local", .a, .code(.nameError)), ("local", .a, .code(.nameError)),
            ("invalid", .a, .code(.nameError)),
            // Neighbours, perhaps.
            ("task-1", .a, .neighbour), ("task-1", .aaaa, .neighbour), ("task-1", .any, .neighbour),
            ("nobody.front", .a, .neighbour), ("x.y.front", .a, .neighbour), ("tasks.db.back.end", .a, .neighbour),
            ("front", .a, .neighbour), ("back.end", .a, .neighbour), ("end", .a, .neighbour),
            ("99.0.1.10.in-addr.arpa", .ptr, .neighbour), ("0.1.10.in-addr.arpa", .ptr, .neighbour),
            ("host.docker.internal", .a, .neighbour), ("gateway.containers.internal", .aaaa, .neighbour),
            // Of outside.
            ("www.example.net", .a, .group(.former)), ("front.example", .a, .group(.former)),
            ("xfront", .ds, .group(.former)), ("web", .ds, .group(.former)), ("xback.end", .a, .group(.former)),
            ("5.2.0.192.in-addr.arpa", .ptr, .group(.former)),
            ("metadata.google.internal", .a, .group(.former)),
            // Routed.
            ("x.corp.front", .a, .group(UpstreamGroupID(rawValue: 1))),
            ("x.lab", .a, .group(UpstreamGroupID(rawValue: 2))),
            ("lab", .a, .group(UpstreamGroupID(rawValue: 2))),
        ]
        for (name, type, said) in rows { #expect(try house.ask(name, type) == said, "\(name) \(type)") }
    }

    @Test("asks none of them behind a gate, as its root can answer there, and locked in none for names of outside")
    func policies() throws {
        var gate = PolicyDefinition(name: "gate", source: .control)
        gate.default = .allow
        gate.gatesAddresses = true
        var gated = try House(policy: gate)
        for (name, said) in [
            ("www.example.net", Said.group(.default)), ("web", .records(1)), ("task-1", .code(.nameError)),
            ("nobody.front", .group(.default)), ("x.lab", .group(UpstreamGroupID(rawValue: 2))),
        ] { #expect(try gated.ask(name) == said, "gated: \(name)") }
        var lock = PolicyDefinition(name: "lock", source: .control)
        lock.default = .allow
        lock.locksPorts = true
        var locked = try House(policy: lock)
        for (name, said) in [("www.example.net", Said.group(.default)), ("task-1", .neighbour)] {
            #expect(try locked.ask(name) == said, "locked: \(name)")
        }
        lock.isAudit = true
        var audited = try House(policy: lock)
        #expect(try audited.ask("www.example.net") == .group(.former))
    }

    @Test("gets no recursion without asking for it")
    func recursion() throws {
        var house = try House()
        for name in ["task-1", "nobody.front", "99.0.1.10.in-addr.arpa", "www.example.net"] {
            #expect(try house.ask(name, rd: false) == .code(.refused), "\(name)")
        }
    }

    @Test("asks upstreams of its network's own for names of outside, and its former servers for neighbours alone")
    func ownUpstreams() throws {
        var house = try House(upstreams: ["192.0.2.1"])
        let own = try house.ask("www.example.net")
        #expect(own != .group(.former) && own != .group(.default) && own != .neighbour)
        #expect(try house.ask("task-1") == .neighbour)
        #expect(try house.ask("nobody.front") == .neighbour)
        #expect(try house.ask("metadata.google.internal") == .code(.nameError))
    }

    @Test("on an internal network asks its former servers for neighbours, and nobody for names of outside")
    func internalNetwork() throws {
        var house = try House(isInternal: true)
        #expect(try house.ask("www.example.net") == .code(.nameError))
        #expect(try house.ask("task-1") == .neighbour)
        #expect(try house.ask("nobody.front") == .neighbour)
        #expect(try house.ask("web") == .records(1))
    }

    @Test("whose former servers are gone is answered like any other")
    func gone() throws {
        var house = try House(hasFormerServers: false)
        #expect(try house.ask("task-1") == .code(.nameError))
        #expect(try house.ask("front") == .records(0))
        #expect(try house.ask("nobody.front") == .group(.default))
        #expect(try house.ask("host.docker.internal") == .group(.default), "an upstream may know it")
        #expect(try house.ask("other.docker.internal") == .code(.nameError))
        #expect(try house.ask("99.0.1.10.in-addr.arpa", .ptr) == .code(.nameError))
        #expect(try house.ask("www.example.net") == .group(.default))
    }

    @Test("asks them for single labels also where these may go upstream")
    func singleLabels() throws {
        var house = try House { $0.forwardsSingleLabels = true }
        #expect(try house.ask("task-1") == .neighbour)
        #expect(try house.ask("front") == .neighbour)
        #expect(try house.ask("lab") == .group(UpstreamGroupID(rawValue: 2)))
    }

    @Test("finds a loop by its probe, also where a network is called like the probe's domain")
    func probe() throws {
        var house = try House(probes: [7])
        let name = try LoopProbe.name(of: 7)
        #expect(try house.ask("\(name)") == nil)
    }
}
