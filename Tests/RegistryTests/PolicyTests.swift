// Policies: which rule decides about a name, and whom a policy holds for.

import DNSWire
import Testing

@testable import Registry

@Suite("A policy")
struct PolicyTests {
    /// `allow example.com; deny *.x.example.com` and so on, for the only container of a town.
    private func town(_ rules: String, default: PolicyVerdict = .deny, types: [RecordType] = []) throws -> Town {
        var town = try Town()
        var policy = PolicyDefinition(name: "gate", source: .control)
        policy.default = `default`
        policy.types = types
        for rule in rules.split(separator: ";") {
            let words = rule.split(separator: " ")
            policy.add(words[0] == "allow" ? .allow : .deny, try PolicyPattern(String(words[1])))
        }
        try town.registry.setPolicy(policy)
        try town.network("front")
        town.registry.setPolicyOfAll("gate")
        try town.container("app", "front")
        town.settle()
        return town
    }

    @Test(
        "decides by the longest rule that matches; a wildcard is about the names under its own alone",
        arguments: [
            ("example.com", true), ("EXAMPLE.com", true), ("www.example.com", false), ("xexample.com", false),
            ("com", false), (".", false), ("org.test", false), ("pypi.test", false), ("a.pypi.test", true),
            ("a.b.c.pypi.test", true), ("apypi.test", false), ("bad.pypi.test", false), ("x.bad.pypi.test", true),
            ("deep.bad2.pypi.test", false), ("ok.deep.bad2.pypi.test", false), ("fine.bad2.pypi.test", true),
            ("bad2.pypi.test", true), ("tie.test", false), ("x.tie.test", false), ("_443._tcp.a.pypi.test", true),
        ])
    func longest(_ name: String, _ isAllowed: Bool) throws {
        var town = try town(
            """
            allow example.com;allow *.pypi.test;deny bad.pypi.test;deny *.bad2.pypi.test;allow fine.bad2.pypi.test;\
            allow tie.test;deny tie.test;deny *.tie.test;allow *.tie.test
            """)
        #expect(try town.isAllowed(name) == isAllowed)
    }

    @Test("that allows by default denies what a rule denies", arguments: [("a.test", true), ("x.evil.test", false)])
    func open(_ name: String, _ isAllowed: Bool) throws {
        var town = try town("deny *.evil.test", default: .allow)
        #expect(try town.isAllowed(name) == isAllowed)
    }

    @Test("says which rule denies")
    func reasons() throws {
        var town = try town("allow ok.test;deny no.ok.test;deny *.bad.test", types: [.a, .aaaa])
        #expect(try town.reason("no.ok.test") == .rule(label: 0))
        #expect(try town.reason("a.b.bad.test") == .rule(label: 2))
        #expect(try town.reason("other.test") == .byDefault)
        #expect(try town.reason("ok.test", .txt) == .type)
        #expect(try town.reason("ok.test", .aaaa) == nil)
    }

    @Test("compares octets, not text: names with dots and binary octets inside of labels match nothing else")
    func hostileNames() throws {
        var town = try town("allow a.test;allow *.b.test;allow \\000\\255.test")
        #expect(try town.isAllowed(labels: [[0, 255], Array("TEST".utf8)]))
        #expect(try !town.isAllowed(labels: [Array("a.test".utf8)]))
        #expect(try !town.isAllowed(labels: [Array("x.b".utf8), Array("test".utf8)]))
        #expect(try !town.isAllowed(labels: [Array("x".utf8), Array("b.test".utf8)]))
        #expect(try town.isAllowed(labels: [[0x2A], Array("b".utf8), Array("test".utf8)]))
        // The longest name and the most labels that there may be.
        #expect(try !town.isAllowed(labels: Array(repeating: [0x61], count: 127)))
        #expect(
            try town.isAllowed(
                labels: Array(repeating: [0x61], count: 123) + [Array("b".utf8), Array("test".utf8)]))
        let long = [UInt8](repeating: 0x78, count: 63)
        #expect(try !town.isAllowed(labels: [long, long, long, Array(long.dropLast(2))]))
    }

    @Test("decides as a search through all of its rules would, whatever they are and however they change")
    func model() throws {
        var random = SystemRandomNumberGenerator()
        let words = ["a", "b", "c", "test"]
        func name() -> String {
            (0..<Int.random(in: 1...5, using: &random)).map { _ in words.randomElement(using: &random) ?? "a" }
                .joined(separator: ".")
        }
        for _ in 0..<30 {
            var town = try town("", default: Bool.random(using: &random) ? .allow : .deny)
            var policy = try town.registry.policy(named: "gate")
            for _ in 0..<12 {
                for _ in 0..<Int.random(in: 0...6, using: &random) {
                    let text = (Bool.random(using: &random) ? "*." : "") + name()
                    policy.rules[try PolicyPattern(text)] = [.allow, .deny, nil].randomElement(using: &random) ?? nil
                }
                try town.registry.setPolicy(policy)
                town.settle()
                for _ in 0..<40 {
                    let asked = name()
                    let expected = try Self.searched(asked, policy)
                    #expect(try town.isAllowed(asked) == expected, "\(asked) by \(policy)")
                }
            }
        }
    }

    /// The verdict, found by looking at each rule.
    private static func searched(_ text: String, _ policy: PolicyDefinition) throws -> Bool {
        let name = try Name(text)
        let matching = policy.rules.filter { pattern, _ in
            pattern.isWildcard
                ? name.isSubdomain(of: pattern.name) && name != pattern.name : name == pattern.name
        }
        let longest = matching.max { $0.key.name.labelCount < $1.key.name.labelCount }
        return (longest?.value ?? policy.default) == .allow
    }

    @Test("cannot have a pattern that is none", arguments: ["", "*", ".", "a.*.b", "*.*.b", "a..b", "x.*"])
    func patterns(_ text: String) {
        #expect(throws: RegistryError.self) { try PolicyPattern(text) }
    }

    @Test("of a container comes before those of its networks, the first that has one before those of others and of all")
    func whose() throws {
        var town = try Town()
        for name in ["own", "net", "late", "all"] {
            try town.registry.setPolicy(PolicyDefinition(name: name, source: .control))
        }
        for (name, policy) in [("plain", nil), ("gated", "net"), ("other", "late")] {
            var network = NetworkDefinition(name: name, source: .control)
            network.policy = policy
            try town.registry.createNetwork(network)
        }
        try town.container("a", "plain", "gated", "other")
        try town.container("b", "plain")
        var definition = ContainerDefinition(name: "c", source: .control)
        definition.endpoints = [Town.endpoint("gated")]
        definition.policy = "own"
        try town.registry.addContainer(definition)
        town.settle()
        #expect(try ["a", "b", "c"].map { try town.policy(of: $0) } == ["net", nil, "own"])
        town.registry.setPolicyOfAll("all")
        town.settle()
        #expect(try ["a", "b", "c"].map { try town.policy(of: $0) } == ["net", "all", "own"])
        try town.disconnect("a", "gated")
        #expect(try town.policy(of: "a") == "late")
        town.registry.setPolicyOfAll(nil)
        town.settle()
        #expect(try town.policy(of: "b") == nil)
        var network = NetworkDefinition(name: "plain", source: .control)
        network.policy = "net"
        try town.registry.updateNetwork(network)
        town.settle()
        #expect(try town.policy(of: "b") == "net", "its network has gained one")
    }

    @Test("that nobody has declared denies everything, until somebody does")
    func undeclared() throws {
        var town = try Town()
        try town.network("front")
        var definition = ContainerDefinition(name: "app", source: .publisher("docker"))
        definition.endpoints = [Town.endpoint("front")]
        definition.policy = "lost"
        try town.registry.addContainer(definition)
        town.settle()
        #expect(try town.reason("a.test") == .undeclared)
        #expect(town.registry.allWarnings.map(\.kind) == [.missingPolicy])
        var policy = PolicyDefinition(name: "lost", source: .control)
        policy.default = .allow
        try town.registry.setPolicy(policy)
        town.settle()
        #expect(try town.reason("a.test") == nil)
        #expect(town.registry.allWarnings.isEmpty)
        #expect(throws: RegistryError.policyInUse("lost", by: ["container app"])) {
            try town.registry.removePolicy(named: "lost", by: .control)
        }
        try town.remove("app")
        try town.registry.removePolicy(named: "lost", by: .control)
        town.settle()
        let hasPolicies = town.directory.hasPolicies
        #expect(!hasPolicies)
    }

    @Test("leaves nothing behind when it goes: a later one with its number has its own rules alone")
    func again() throws {
        var town = try town("allow a.test;allow *.b.test")
        town.registry.setPolicyOfAll(nil)
        try town.registry.removePolicy(named: "gate", by: .control)
        try town.registry.setPolicy(PolicyDefinition(name: "next", source: .control))
        town.registry.setPolicyOfAll("next")
        town.settle()
        #expect(try town.reason("a.test") == .byDefault)
        #expect(try town.reason("x.b.test") == .byDefault)
    }
}

extension Town {
    fileprivate mutating func reason(_ name: String, _ type: RecordType = .a) throws -> PolicyReason? {
        try reason(Name(name), type)
    }

    private mutating func reason(_ name: Name, _ type: RecordType) throws -> PolicyReason? {
        let view = try registry.container(named: "app").id.view
        guard let policy = directory.policy(of: view) else { return nil }
        var folded = FoldedName()
        folded.set(name)
        return directory.denial(of: folded, type, by: policy)?.reason
    }

    fileprivate mutating func isAllowed(_ name: String) throws -> Bool { try reason(name) == nil }
    fileprivate mutating func isAllowed(labels: [[UInt8]]) throws -> Bool {
        try reason(Name(labels: labels), .a) == nil
    }

    /// The policy that a container's view has, by its name.
    fileprivate mutating func policy(of container: String) throws -> String? {
        let view = try registry.container(named: container).id.view
        return directory.policy(of: view).map { directory.policyName($0) }
    }
}
