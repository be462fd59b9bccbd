// Explanations against the data plane, in random worlds: what is explained is what is answered, and cures cure.

import Attachment
import ControlAPI
import DNSWire
import Diagnosis
import Foundation
import Registry
import Testing

@testable import IntercomServer

@Suite("An explanation in a random world")
struct ExplanationTests {
    /// Worlds for each of eight seeds; INTERCOM_WORLDS says otherwise.
    private static let worlds = ProcessInfo.processInfo.environment["INTERCOM_WORLDS"].flatMap { Int($0) } ?? 625

    @Test("has the data plane's decision and answer, names who has the name, and its cure cures", arguments: 1...8)
    func worlds(seed: UInt64) throws {
        var random = Random(state: seed)
        var causes: [Cause: Int] = [:]
        for number in 0..<Self.worlds {
            var world = try RandomWorld(&random)
            for _ in 0..<2 {
                let question = world.question(&random)
                let finding = try world.check(question, "seed \(seed), world \(number): \(question)")
                if let finding { causes[finding.cause, default: 0] += 1 }
            }
        }
        // Worlds that are all alike would show nothing.
        for cause in [
            Cause.otherNetwork, .mistyped, .singleLabel, .noSuchName, .noAddress, .otherType, .drained, .deniedByPolicy,
            .internalNetwork,
        ] {
            #expect(causes[cause, default: 0] > 0, "\(cause): \(causes)")
        }
    }
}

/// Networks, containers here and on another host, policies, records and addresses of the host by chance, and a responder that
/// has them.
private struct RandomWorld: ~Copyable {
    struct Question: CustomStringConvertible {
        var asker: String
        var name: String
        var type: RecordType
        var description: String { "\(asker) asks for \(name) \(type)" }
    }

    private static let names = ["web", "db", "app", "api", "store"]
    private static let networks = ["front", "back", "eu.west"]
    private static let policies = ["gate", "open"]
    private static let records = [
        ("api.test", "A", "192.0.2.8"), ("api.test", "TXT", "hello"), ("*.wild.test", "A", "192.0.2.7"),
        ("chain.test", "CNAME", "web"), ("chain.test", "CNAME", "outside.example"), ("db", "TXT", "beside a container"),
        ("store", "A", "192.0.2.6"),
    ]
    private var registry: Registry
    private var responder: Responder
    private var buffer = [UInt8](repeating: 0, count: 65_535)
    /// Addresses of containers of the other host, by their networks.
    private var elsewhere: [String: Set<String>] = [:]

    init(_ random: inout Random) throws {
        let settings = ServerSettings(Configuration(), workers: 1)
        registry = Registry(domain: settings.domain, ttl: 5)
        responder = Responder(settings: settings, seed: 7)
        for name in Self.networks where random.below(4) > 0 {
            var network = NetworkDefinition(name: name, source: .control)
            network.isInternal = random.below(4) == 0
            if random.below(3) == 0 { network.policy = random.pick(Self.policies) }
            if random.below(2) == 0 {
                network.host = [IPAddress("10.\(Self.networks.firstIndex(of: name) ?? 0).0.1")].compactMap(\.self)
            }
            try registry.createNetwork(network)
        }
        for name in Self.policies where random.below(3) > 0 { try registry.setPolicy(Self.policy(name, &random)) }
        for (name, type, data) in Self.records where random.below(3) == 0 {
            let network = random.below(3) == 0 ? registry.networks.map(\.name).first : nil
            let record = try RecordDefinition(
                name: name, type: type, data: [data], network: network, source: .control)
            _ = try? registry.addRecord(record)
        }
        for name in Self.names where random.below(5) > 0 {
            var container = ContainerDefinition(name: name, source: .control)
            container.endpoints = Self.endpoints(of: name, on: registry.networks.map(\.name), &random)
            container.namesItsNetworks = !container.endpoints.isEmpty
            if random.below(3) == 0 { container.ports = [PortDefinition(number: 80, service: "http")] }
            if random.below(3) == 0 { container.hostname = "\(name).host.test" }
            if random.below(6) == 0 { container.policy = random.pick(Self.policies) }
            try registry.addContainer(container)
            if random.below(2) == 0 { try registry.setDraining(true, container: name) }
        }
        if random.below(2) == 0 { try addHost(&random) }
        settle()
    }

    /// A policy of a few rules.
    private static func policy(_ name: String, _ random: inout Random) throws -> PolicyDefinition {
        var policy = PolicyDefinition(name: name, source: .control)
        policy.default = name == "open" ? .allow : .deny
        for pattern in ["x.example", "*.example", "web", "api.test", "*.internal"] where random.below(3) == 0 {
            policy.add(random.below(2) == 0 ? .allow : .deny, try PolicyPattern(pattern))
        }
        policy.allowsOwnNames = random.below(4) > 0
        if random.below(5) == 0 { policy.types = [.a, .aaaa] }
        policy.isAudit = random.below(6) == 0
        return policy
    }

    /// Another host, with containers that have names of those here, or of their own.
    private mutating func addHost(_ random: inout Random) throws {
        registry.setShared { $0 != "back" }
        try registry.setOwnHost("here")
        try registry.putHost("there", isLost: false, address: nil)
        for name in ["web", "remote"] where random.below(3) > 0 {
            var container = ContainerDefinition(name: name, source: .control)
            for network in registry.networks.map(\.name) where random.below(2) == 0 && network != "back" {
                let address = "10.\(Self.networks.firstIndex(of: network) ?? 0).9.\(name == "web" ? 2 : 3)"
                container.endpoints.append(
                    EndpointDefinition(network: network, addresses: [IPAddress(address)].compactMap(\.self)))
                elsewhere[network, default: []].insert(address)
            }
            _ = try registry.put(RemoteDefinition(host: "there", key: name, container: container))
        }
    }

    private static func endpoints(
        of name: String, on networks: [String], _ random: inout Random
    ) -> [EndpointDefinition] {
        networks.filter { _ in random.below(2) == 0 }.map { network in
            let host = (names.firstIndex(of: name) ?? 0) + 2
            let addresses = random.below(4) == 0 ? [] : ["10.\(networks.firstIndex(of: network) ?? 0).0.\(host)"]
            let aliases = random.pick([
                [], ["site"], ["site"], ["site"], ["*.app.test"], ["site", "web"], ["web.back"], ["_x.api"],
            ])
            return EndpointDefinition(
                network: network, addresses: addresses.compactMap { IPAddress($0) }, aliases: aliases)
        }
    }

    private mutating func settle() { for change in registry.takeChanges() { responder.directory.apply(change) } }

    mutating func question(_ random: inout Random) -> Question {
        let known =
            Self.names + [
                "site", "site", "site", "site", "wbe", "nosuch", "a.app.test", "web.host.test", "_http._tcp.web",
                "x.example", "api.test",
                "a.wild.test", "chain.test", "host", "host.docker", "gateway", "remote",
            ]
        let suffixes = ["", "", ".front", ".back", ".eu.west", ".internal", ".front.internal", ".eu.west.internal"]
        let asker = registry.containers.isEmpty ? "" : random.pick(registry.containers.map(\.name))
        return Question(
            asker: asker, name: random.pick(known) + random.pick(suffixes),
            type: random.pick([.a, .a, .aaaa, .srv, .txt]))
    }

    /// Explains a question, and compares with what the data plane says.
    ///
    /// The decision and the answer are the data plane's; the registry's holders are those that it answers with.
    mutating func check(_ question: Question, _ comment: Comment) throws -> Diagnosis.Finding? {
        guard !question.asker.isEmpty else { return nil }
        let asker = try registry.container(named: question.asker)
        let name = try Name(question.name)
        let (decision, answer) = try ask(name, question, asker.id.view)
        var facts = Facts(
            .init(question.name, "\(question.type)", from: question.asker),
            asker: .present(Self.member(asker, registry), .ready), configurationPath: "/c")
        facts.outcome = AnswerFacts(decision, answer)
        facts.openNetwork = registry.networks.first { !$0.isInternal }?.name
        facts.isPolicyStrict = registry.isPolicyStrict(of: asker)
        let hosts = registry.hosts(of: name, seenBy: asker)
        facts.holders = registry.holderFacts(of: name, for: asker) { [registry] in Self.member($0, registry) }
        if facts.holders.isEmpty { facts.near = registry.nearName(name, seenBy: asker, limit: 100) }
        let explanation = Explanation(facts)

        // The decision is the data plane's, and so is the answer.
        let visible = facts.holders.filter(\.isVisible)
        let named = explanation.steps.first { $0.kind == .name }
        switch decision {
        case .answered(.network(let scope)):
            let network = registry[scope]?.name ?? ""
            #expect(
                !(visible.isEmpty && hosts.isEmpty) && visible.allSatisfy { $0.network == network }, comment)
            if question.type == .a, !visible.contains(where: \.isService), answer.answers.allSatisfy({ $0.type == "A" })
            {
                let serving = visible.filter { !$0.isDraining || !$0.isAlias }
                let given = Set(answer.answers.map(\.data))
                let here = Set((serving.isEmpty ? visible : serving).flatMap(\.addresses))
                if hosts.isEmpty {
                    // A record gives a container's name the types that it has not.
                    let isRecord = here.isEmpty && given == ["192.0.2.6"]
                    #expect(here == given || isRecord, comment)
                } else {
                    let known = Set(visible.flatMap(\.addresses)).union(elsewhere[network] ?? [])
                    #expect(given.isSubset(of: known) && !given.isDisjoint(with: elsewhere[network] ?? []), comment)
                }
            }
        case .answered(.policy):
            // A name that others have needs no rule, unless the policy says so: then there is the nearer cause.
            let causes = explanation.steps.compactMap(\.finding?.cause)
            #expect(causes.contains(.deniedByPolicy), "\(comment): \(explanation.steps)")
            #expect(!facts.isPolicyStrict || causes.first == .deniedByPolicy, "\(comment): \(explanation.steps)")
        case .answered(.blocked):
            #expect(explanation.steps.contains { $0.finding?.cause == .internalNetwork }, "\(comment)")
        case .answered(.record):
            // Beside a container of the name its other types are.
            #expect(visible.isEmpty || !answer.answers.isEmpty, "\(comment): \(visible)")
        default:
            #expect(visible.isEmpty && hosts.isEmpty, "\(comment): \(decision), \(visible), \(hosts)")
        }
        if case .forwarded = decision {
        } else {
            #expect(named?.finding != nil || named?.text == facts.outcome?.source, comment)
        }
        let shown = explanation.steps.first { $0.kind == .answer }?.text
        let expected = answer.answers.isEmpty ? answer.rcode == "NOERROR" ? "no data" : answer.rcode : nil
        if let expected { #expect(shown?.hasPrefix(expected) == true, "\(comment): \(shown ?? "")") }
        #expect(facts.outcome?.isPositive == (answer.rcode == "NOERROR" && !answer.answers.isEmpty), comment)
        // A question that is answered with a denial is never said to be well.
        if case .answered = decision, answer.rcode == "NXDOMAIN" {
            #expect(explanation.finding != nil, "\(comment): \(explanation.steps)")
        }
        if facts.outcome?.isPositive == true { #expect(!explanation.hasFault, "\(comment): \(explanation.steps)") }
        try cure(explanation.finding, question, comment)
        return explanation.finding
    }

    /// Does what a finding says: the name is found then.
    private mutating func cure(
        _ finding: Diagnosis.Finding?, _ question: Question, _ comment: Comment
    ) throws {
        guard let words = finding?.cure?.split(separator: " ").map(String.init) else { return }
        var name = question.name
        switch finding?.cause {
        case .otherNetwork?:
            #expect(words.prefix(3) == ["intercomctl", "network", "connect"], comment)
            try registry.connect(container: words[4], EndpointDefinition(network: words[3]))
        case .drained?: try registry.setDraining(false, container: words[3])
        case .mistyped?: name = words[2]
        case .deniedByPolicy?: return try allow(words, question, comment)
        case .internalNetwork?:
            guard words.count == 5 else { return }
            try registry.connect(container: words[4], EndpointDefinition(network: words[3]))
            settle()
            let view = try registry.container(named: question.asker).id.view
            let (decision, _) = try ask(try Name(name), question, view)
            if case .answered(.blocked) = decision { Issue.record("\(comment): \(words) does not help") }
            return
        default: return
        }
        settle()
        let view = try registry.container(named: question.asker).id.view
        let (decision, _) = try ask(try Name(name), question, view)
        // A network that is joined may bring a policy that denies all names.
        if case .answered(.policy) = decision,
            registry.isPolicyStrict(of: try registry.container(named: question.asker))
        {
            return
        }
        guard case .answered(.network) = decision else {
            Issue.record("\(comment): \(words.joined(separator: " ")) does not help: \(decision)")
            return
        }
    }

    /// Does what a denial's cure says: the policy denies the question no more.
    private mutating func allow(_ words: [String], _ question: Question, _ comment: Comment) throws {
        guard words.prefix(3) == ["intercomctl", "policy", "allow"], let policy = try? registry.policy(named: words[3])
        else { return }
        var changed = policy
        changed.rules[try PolicyPattern(words[4])] = .allow
        try registry.setPolicy(changed)
        settle()
        let view = try registry.container(named: question.asker).id.view
        let (decision, answer) = try ask(try Name(question.name), question, view)
        // What is left is the type, which no name allows.
        let isOfType = answer.extendedErrors.contains { $0.text?.contains(": types, without ") == true }
        if case .answered(.policy) = decision, !isOfType { Issue.record("\(comment): \(words) does not help") }
    }

    private static func member(_ container: Registry.Container, _ registry: Registry) -> Member {
        Member(
            container.name, at: .path("/run/netns/\(container.name)"),
            on: container.endpoints.compactMap { registry[$0.network]?.name })
    }

    /// The responder's decision, as a worker would report it; what is forwarded gets SERVFAIL, as nobody is outside.
    private mutating func ask(
        _ name: Name, _ question: Question, _ view: ViewID
    ) throws -> (Decision, Resolve.Answer) {
        let query = OwnQuery.octets(of: name, question.type)
        let outcome = responder.respond(to: query.span, view: view, into: &buffer)
        switch outcome {
        case .answered(let length, let source):
            let resolution = Resolution(message: Array(buffer[..<length]), source: "", .answered(source))
            return (resolution.decision, try Resolve.Answer(resolution, asked: question.name, question.type))
        case .forward(let group), .follow(let group):
            let answer = Resolve.Answer(
                name: question.name, type: "\(question.type)", rcode: "SERVFAIL", flags: [], answers: [], authority: [],
                extendedErrors: [], source: "nobody")
            return (.forwarded(group: group), answer)
        case .drop, .loop, .heard, .held:
            Issue.record("\(question): \(outcome)")
            throw CancellationError()
        }
    }
}
