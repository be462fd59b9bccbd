// Methods of policies: declared, changed, removed, shown.

import ControlAPI
import DNSWire
import Logging
import Registry

extension SetPolicy: ChangingMethod {
    static func requestSubjects(_ plane: ControlPlane, _ parameters: Parameters) -> [String] {
        plane.containers.requestSubjects(ofPolicy: parameters.name)
            + plane.gates.requestSubjects(ofPolicy: parameters.name)
    }

    static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
        let old = try? plane.publisher.registry.policy(named: parameters.name)
        let definition = try PolicyDefinition(parameters, changing: old)
        try set(plane, definition)
        plane.logger.info(
            "policy \(definition.name) \(old == nil ? "declared" : "changed")",
            metadata: .about(policy: definition.name)
        )
    }

    /// Puts a policy into force, and keeps all of it.
    fileprivate static func set(_ plane: ControlPlane, _ definition: PolicyDefinition) throws(ControlError) {
        let whole = Parameters(definition)
        // It may have many more rules than the call.
        try plane.state.reserve(Declaration(Self.self, whole).message.count)
        try plane.publisher.change { registry throws(RegistryError) in try registry.setPolicy(definition) }
        plane.state.keep(Self.self, whole)
    }

    /// Changes the rules of a policy of the control socket.
    fileprivate static func changeRules(
        _ plane: ControlPlane, of name: String, _ names: [String],
        _ change: (inout PolicyDefinition, PolicyPattern) throws(RegistryError) -> Void
    ) throws(ControlError) {
        var definition = try plane.publisher.change { registry throws(RegistryError) in
            try registry.policy(named: name)
        }
        if definition.source == .configuration { throw .policyOfConfiguration(name) }
        do throws(RegistryError) {
            for text in names { try change(&definition, try PolicyPattern(text)) }
        } catch {
            throw .of(error)
        }
        try set(plane, definition)
        plane.logger.info("policy \(name) changed", metadata: .about(policy: name))
    }
}

extension AllowNames: ChangingMethod {
    static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
        try SetPolicy.changeRules(plane, of: parameters.policy, parameters.names) { $0.rules[$1] = .allow }
    }
}

extension DenyNames: ChangingMethod {
    static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
        try SetPolicy.changeRules(plane, of: parameters.policy, parameters.names) { $0.rules[$1] = .deny }
    }
}

extension RemovePolicy: ChangingMethod {
    static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
        if let names = parameters.names {
            return try SetPolicy.changeRules(plane, of: parameters.name, names) {
                policy, pattern throws(RegistryError) in
                guard policy.rules.removeValue(forKey: pattern) != nil else {
                    throw .invalidName("\(pattern)", reason: "policy \(policy.name) has no such rule")
                }
            }
        }
        try plane.publisher.change { registry throws(RegistryError) in
            try registry.removePolicy(named: parameters.name, by: .control)
        }
        plane.state.keep(Self.self, parameters)
        plane.logger.info("policy \(parameters.name) removed", metadata: .about(policy: parameters.name))
    }
}

extension ListPolicies: ListingMethod {
    static let field = "policies"

    static func elements(_ plane: ControlPlane, _ parameters: Parameters, isPieced: Bool) -> ListElements {
        // At most ``Registry/Limits/policies``.
        var rest = plane.publisher.registry.declaredPolicies[...]
        return { [unowned plane] () throws(ControlError) in
            let some = rest.prefix(ControlSocketLimits.elements)
            rest = rest.dropFirst(ControlSocketLimits.elements)
            let registry = plane.publisher.registry
            return some.isEmpty
                ? nil
                : some.map { policy in
                    ListElement(
                        policy.name, PolicySummary(policy, containers: registry.containerCount(ofPolicy: policy.name)))
                }
        }
    }
}

extension InspectPolicy: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        if call.isOneWay { return call.end() }
        do throws(ControlError) {
            let definition = try plane.publisher.change { registry throws(RegistryError) in
                try registry.policy(named: call.parameters.name)
            }
            let registry = plane.publisher.registry
            var policy = Policy(definition, containers: registry.containerCount(ofPolicy: definition.name))
            Gate.describe(Array(registry.containers(ofPolicy: definition.name)), by: plane) {
                policy.gate = $0
                call.replyWhole(Reply(policy: policy))
            }
        } catch {
            call.refuse(error)
        }
    }
}

extension LearnPolicy: ShowingMethod {
    static func show(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) -> Reply {
        let container = try plane.publisher.container(named: parameters.container)
        guard let name = container.policy else {
            throw .invalidValue(
                container.name, of: "container", reason: "it has no policy; give it one with audit, and let it run")
        }
        let policy = try plane.publisher.change { registry throws(RegistryError) in try registry.policy(named: name) }
        guard policy.isAudit else {
            throw .invalidValue(
                container.name, of: "container",
                reason: "its policy \(name) does not audit; 'intercomctl policy set \(name) --audit', and let it run")
        }
        let needs = plane.questions.denials.needs(of: container.name).sorted { $0.key < $1.key }
        return Reply(
            policy: Policy(policy, containers: plane.publisher.registry.containerCount(ofPolicy: name)),
            needed: needs.filter { $0.value.rule == nil }.map(\.key.description),
            denied: needs.filter { $0.value.rule != nil }.map(\.key.description))
    }
}

extension Publisher {
    /// Checks the policy that somebody declares a container or a network with.
    /// - Throws: `NoSuchPolicy`.
    func checkPolicy(_ name: String?) throws(ControlError) {
        if let name, !registry.hasPolicy(named: name) { throw .noSuchPolicy(name) }
    }
}

// MARK: - Definitions and parameters

extension PolicyDefinition {
    /// - Parameters:
    ///   - parameters: as a caller sent them.
    ///   - old: the policy before; nil: there is none.
    /// - Throws: `InvalidName` or `InvalidValue` for what cannot be.
    init(_ parameters: SetPolicy.Parameters, changing old: PolicyDefinition? = nil) throws(ControlError) {
        self = old ?? PolicyDefinition(name: parameters.name, source: .control)
        source = .control
        if let text = parameters.default {
            guard let verdict = PolicyVerdict(text: text) else {
                throw .invalidValue(text, of: "default", reason: "expected deny or allow")
            }
            `default` = verdict
        }
        if let texts = parameters.types {
            types = []
            for text in texts {
                let type = try RecordType(ofParameter: text)
                if !types.contains(type) { types.append(type) }
            }
        }
        isAudit = parameters.audit ?? isAudit
        gatesAddresses = parameters.addresses ?? gatesAddresses
        if let texts = parameters.cidrs {
            blocks = []
            do throws(RegistryError) {
                for text in texts { blocks.append(try Subnet(declared: text)) }
            } catch {
                throw .of(error)
            }
        }
        locksPorts = parameters.lock ?? locksPorts
        allowsOwnNames = parameters.ownNames ?? allowsOwnNames
        isStrictAboutAliases = parameters.strictCname ?? isStrictAboutAliases
        if let text = parameters.privateAddresses {
            guard let verdict = PolicyVerdict(text: text) else {
                throw .invalidValue(text, of: "privateAddresses", reason: "expected deny or allow")
            }
            dropsPrivateAddresses = verdict == .deny
        }
        do throws(RegistryError) {
            if let texts = parameters.allow { try replace(.allow, texts) }
            if let texts = parameters.deny { try replace(.deny, texts) }
            try Registry.check(self)
        } catch {
            throw .of(error)
        }
    }

    private mutating func replace(_ verdict: PolicyVerdict, _ texts: [String]) throws(RegistryError) {
        for (pattern, old) in rules where old == verdict { rules[pattern] = nil }
        for text in texts { add(verdict, try PolicyPattern(text)) }
    }
}

extension SetPolicy.Parameters {
    /// All of a policy.
    init(_ policy: PolicyDefinition) {
        self.init(
            name: policy.name, default: policy.default.text, allow: policy.patterns(.allow).map(\.description),
            deny: policy.patterns(.deny).map(\.description), types: policy.types.map(\.description),
            audit: policy.isAudit, ownNames: policy.allowsOwnNames, strictCname: policy.isStrictAboutAliases,
            privateAddresses: policy.dropsPrivateAddresses ? "deny" : "allow", lock: policy.locksPorts,
            addresses: policy.gatesAddresses, cidrs: policy.blocks.map(\.description))
    }
}

extension ControlAPI.Policy {
    fileprivate init(_ policy: PolicyDefinition, containers: Int) {
        self.init(
            name: policy.name, default: policy.default.text, allow: policy.patterns(.allow).map(\.description),
            deny: policy.patterns(.deny).map(\.description), types: policy.types.map(\.description),
            audit: policy.isAudit, ownNames: policy.allowsOwnNames, strictCname: policy.isStrictAboutAliases,
            privateAddresses: policy.dropsPrivateAddresses ? "deny" : "allow", lock: policy.wantsLock,
            addresses: policy.gatesAddresses, cidrs: policy.blocks.map(\.description),
            containers: containers, source: policy.source.name)
    }
}

extension PolicySummary {
    fileprivate init(_ policy: PolicyDefinition, containers: Int) {
        self.init(
            name: policy.name, default: policy.default.text, audit: policy.isAudit, rules: policy.rules.count,
            containers: containers, source: policy.source.name)
    }
}

extension PolicyVerdict {
    /// `allow` or `deny`.
    var text: String { self == .allow ? "allow" : "deny" }

    /// - Parameter text: `allow` or `deny`; nil for any other.
    init?(text: String) {
        switch text {
        case "allow": self = .allow
        case "deny": self = .deny
        default: return nil
        }
    }
}
