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
    /// Worlds for each seed; INTERCOM_WORLDS says otherwise.
    private static let worlds = ProcessInfo.processInfo.environment["INTERCOM_WORLDS"].flatMap { Int($0) } ?? 500

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
        for cause in [Cause.otherNetwork, .mistyped, .singleLabel, .noSuchName, .noAddress, .otherType, .drained] {
            #expect(causes[cause, default: 0] > 0, "\(cause): \(causes)")
        }
    }
}

/// Networks and containers by chance, and a responder that has them.
private struct RandomWorld: ~Copyable {
    struct Question: CustomStringConvertible {
        var asker: String
        var name: String
        var type: RecordType
        var description: String { "\(asker) asks for \(name) \(type)" }
    }

    private static let names = ["web", "db", "app", "api", "store"]
    private static let networks = ["front", "back", "eu.west"]
    private var registry: Registry
    private var responder: Responder
    private var buffer = [UInt8](repeating: 0, count: 65_535)

    init(_ random: inout Random) throws {
        let settings = ServerSettings(Configuration(), workers: 1)
        registry = Registry(domain: settings.domain, ttl: 5)
        responder = Responder(settings: settings, seed: 7)
        for name in Self.networks where random.below(4) > 0 {
            var network = NetworkDefinition(name: name, source: .control)
            network.isInternal = random.below(4) == 0
            try registry.createNetwork(network)
        }
        for name in Self.names where random.below(5) > 0 {
            var container = ContainerDefinition(name: name, source: .control)
            container.endpoints = Self.endpoints(of: name, on: registry.networks.map(\.name), &random)
            container.namesItsNetworks = !container.endpoints.isEmpty
            if random.below(3) == 0 { container.ports = [PortDefinition(number: 80, service: "http")] }
            if random.below(3) == 0 { container.hostname = "\(name).host.test" }
            try registry.addContainer(container)
            if random.below(4) == 0 { try registry.setDraining(true, container: name) }
        }
        settle()
    }

    private static func endpoints(
        of name: String, on networks: [String], _ random: inout Random
    ) -> [EndpointDefinition] {
        networks.filter { _ in random.below(2) == 0 }.map { network in
            let host = (names.firstIndex(of: name) ?? 0) + 2
            let addresses = random.below(4) == 0 ? [] : ["10.\(networks.firstIndex(of: network) ?? 0).0.\(host)"]
            let aliases = random.pick([[], ["site"], ["*.app.test"], ["site", "web"], ["web.back"], ["_x.api"]])
            return EndpointDefinition(
                network: network, addresses: addresses.compactMap { IPAddress($0) }, aliases: aliases)
        }
    }

    private mutating func settle() { for change in registry.takeChanges() { responder.directory.apply(change) } }

    mutating func question(_ random: inout Random) -> Question {
        let known =
            Self.names + ["site", "wbe", "nosuch", "a.app.test", "web.host.test", "_http._tcp.web", "x.example"]
        let suffixes = ["", "", ".front", ".back", ".eu.west", ".internal", ".front.internal", ".eu.west.internal"]
        let asker = registry.containers.isEmpty ? "" : random.pick(registry.containers.map(\.name))
        return Question(
            asker: asker, name: random.pick(known) + random.pick(suffixes), type: random.pick([.a, .a, .aaaa, .srv]))
    }

    /// Explains a question, and compares with what the data plane says.
    mutating func check(_ question: Question, _ comment: Comment) throws -> Diagnosis.Finding? {
        guard !question.asker.isEmpty else { return nil }
        let asker = try registry.container(named: question.asker)
        let name = try Name(question.name)
        let (decision, answer) = try ask(name, question, asker.id.view)
        var facts = Facts(
            .init(question.name, "\(question.type)", from: question.asker),
            asker: .present(Self.member(asker, registry), .ready), configurationPath: "/c")
        facts.outcome = AnswerFacts(decision, answer)
        facts.holders = registry.holderFacts(of: name, for: asker) { [registry] in Self.member($0, registry) }
        if facts.holders.isEmpty { facts.near = registry.nearName(name, seenBy: asker, limit: 100) }
        let explanation = Explanation(facts)

        // The decision is the data plane's, and so is the answer.
        let visible = facts.holders.filter(\.isVisible)
        if case .answered(.network(let scope)) = decision {
            #expect(!visible.isEmpty && visible.allSatisfy { $0.network == registry[scope]?.name }, comment)
            if question.type == .a, !visible.contains(where: \.isService) {
                let serving = visible.filter { !$0.isDraining || !$0.isAlias }
                let addresses = (serving.isEmpty ? visible : serving).flatMap(\.addresses)
                #expect(Set(addresses) == Set(answer.answers.map(\.data)), comment)
            }
        } else {
            #expect(visible.isEmpty, "\(comment): \(visible)")
        }
        let shown = explanation.steps.first { $0.kind == .answer }?.text
        let expected = answer.answers.isEmpty ? answer.rcode == "NOERROR" ? "no data" : answer.rcode : nil
        if let expected { #expect(shown?.hasPrefix(expected) == true, "\(comment): \(shown ?? "")") }
        #expect(facts.outcome?.isPositive == !answer.answers.isEmpty, comment)
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
        default: return
        }
        settle()
        let view = try registry.container(named: question.asker).id.view
        let (decision, _) = try ask(try Name(name), question, view)
        guard case .answered(.network) = decision else {
            Issue.record("\(comment): \(words.joined(separator: " ")) does not help: \(decision)")
            return
        }
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
        case .drop, .loop, .heard:
            Issue.record("\(question): \(outcome)")
            throw CancellationError()
        }
    }
}
