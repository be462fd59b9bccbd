// Policies in the registry: declared, changed, removed, compiled; and which one holds for a container.

import DNSWire

extension Registry {
    /// The policies that are declared, in the order of their names.
    package var declaredPolicies: [PolicyDefinition] {
        policies.states.values.compactMap(\.definition).sorted { $0.name < $1.name }
    }

    /// A policy by its name.
    /// - Throws: ``RegistryError/noSuchPolicy(_:)``.
    package func policy(named name: String) throws(RegistryError) -> PolicyDefinition {
        guard let definition = policies.definition(of: name) else { throw .noSuchPolicy(name) }
        return definition
    }

    /// True for a policy that somebody has declared.
    package func hasPolicy(named name: String) -> Bool { policies.definition(of: name) != nil }

    /// The containers that a policy holds for.
    package func containers(ofPolicy name: String) -> Set<ContainerID> { policies.users(of: name) }

    /// Number of containers that a policy holds for.
    package func containerCount(ofPolicy name: String) -> Int { policies.users(of: name).count }

    /// Declares a policy, or changes it.
    /// - Throws: ``RegistryError/policyOfConfiguration(_:)``; ``RegistryError/tooMany(_:count:limit:)``.
    package mutating func setPolicy(_ definition: PolicyDefinition) throws(RegistryError) {
        try Self.check(definition)
        let old = policies.definition(of: definition.name)
        if let old, old.source == .configuration, definition.source != .configuration {
            throw .policyOfConfiguration(definition.name)
        }
        if old == nil { try Self.check(policies.declaredCount + 1, Limits.policies, "policies") }
        replacePolicy(definition.name, by: definition)
    }

    /// Removes a policy that holds for nobody.
    /// - Parameters:
    ///   - name: its name.
    ///   - source: who removes it.
    ///   - evenIfUsed: true for the configuration: containers that have it are denied everything from then on.
    /// - Throws: ``RegistryError/noSuchPolicy(_:)``, ``RegistryError/policyOfConfiguration(_:)``,
    ///   ``RegistryError/policyInUse(_:by:)``.
    package mutating func removePolicy(
        named name: String, by source: Source, evenIfUsed: Bool = false
    ) throws(RegistryError) {
        guard let old = policies.definition(of: name) else { throw .noSuchPolicy(name) }
        guard old.source == source else {
            if old.source == .configuration { throw .policyOfConfiguration(name) }
            throw .noSuchPolicy(name)
        }
        let users = usersOfPolicy(name)
        guard evenIfUsed || users.isEmpty else { throw .policyInUse(name, by: users) }
        replacePolicy(name, by: nil)
    }

    /// The most users that a refusal names.
    private static let shownUsers = 5

    /// Containers, networks and the server where they have a policy, in words, as many as a message takes.
    private func usersOfPolicy(_ name: String) -> [String] {
        let networks = networkStates.values.filter { $0.definition?.policy == name }.map { "network \($0.name)" }
        let containers = policies.users(of: name).compactMap { containerStates[$0] }.map { "container \($0.name)" }
        let all = networks.sorted() + containers.sorted() + (policies.ofAll == name ? ["[server] policy"] : [])
        guard all.count > Self.shownUsers else { return all }
        return all.prefix(Self.shownUsers) + ["\(all.count - Self.shownUsers) more"]
    }

    private mutating func replacePolicy(_ name: String, by new: PolicyDefinition?) {
        let old = policies.definition(of: name)
        guard old != new else { return }
        let id = policies.change(name) { $0.definition = new }
        changedPolicies.insert(id)
        // Nobody has declared it: everything is denied.
        if old?.isLocked ?? true != new?.isLocked ?? true { changedLocks.formUnion(policies.users(of: name)) }
        if old?.isGate != new?.isGate || old?.blocks != new?.blocks { changedGates.formUnion(policies.users(of: name)) }
        // Whom its containers' questions go to depends on both.
        if old?.isLocked != new?.isLocked || old?.isGate != new?.isGate {
            changedViews.formUnion(policies.users(of: name))
        }
        var patterns: Set<PolicyPattern> = []
        for (pattern, verdict) in old?.rules ?? [:] where new?.rules[pattern] != verdict { patterns.insert(pattern) }
        for (pattern, verdict) in new?.rules ?? [:] where old?.rules[pattern] != verdict { patterns.insert(pattern) }
        for pattern in patterns { changedPolicyRules.insert(PolicyRulesKey(policy: id, name: pattern.name)) }
    }

    /// Sets the policy of containers that have none of their own, nor of their networks; nil: none.
    package mutating func setPolicyOfAll(_ name: String?) {
        guard policies.ofAll != name else { return }
        policies.ofAll = name
        changedScopes.formUnion(strangers.keys)
        for container in containerStates.keys.sorted() { updatePolicy(of: container) }
    }

    // MARK: - Whom it holds for

    /// The policy that holds for a container: its own, else that of the first of its networks that has one, else that of all.
    func policy(for container: Container) -> String? {
        if let own = container.ownPolicy { return own }
        // In a loop: what a closure uses of the registry is copied as a whole.
        for endpoint in container.endpoints {
            if let policy = networkStates[endpoint.network]?.definition?.policy { return policy }
        }
        return policies.ofAll
    }

    /// Determines a container's policy anew: one of its networks has another.
    mutating func updatePolicy(of id: ContainerID) {
        guard let old = containerStates[id] else { return }
        var new = old
        new.policy = policy(for: old)
        guard new.policy != old.policy else { return }
        containerStates[id] = new
        takePolicy(of: new, before: old)
        changedViews.insert(id)
    }

    /// Moves a container from the users of one policy to those of another.
    mutating func takePolicy(of new: Container, before old: Container) {
        guard old.policy != new.policy else { return }
        changedLocks.insert(new.id)
        changedGates.insert(new.id)
        if let name = old.policy { changedPolicies.insert(policies.change(name) { $0.users.remove(old.id) }) }
        if let name = new.policy { changedPolicies.insert(policies.change(name) { $0.users.insert(new.id) }) }
    }

    // MARK: - Locks

    /// True when a container's policy refuses it DNS of other servers. One that nobody has declared does.
    package func isLocked(_ container: ContainerID) -> Bool {
        guard let name = containerStates[container]?.policy else { return false }
        return policies.definition(of: name)?.isLocked ?? true
    }

    /// Containers whose policy refuses DNS of other servers since the last call, or does not any more.
    package mutating func takeLockChanges() -> Set<ContainerID> {
        defer { changedLocks.removeAll() }
        return changedLocks
    }

    // MARK: - Compiling

    /// Compiled changes of policies since the last call.
    mutating func takePolicyChanges() -> [DirectoryChange] {
        guard !changedPolicies.isEmpty || !changedPolicyRules.isEmpty else { return [] }
        var changes: [DirectoryChange] = []
        for id in changedPolicies {
            let state = policies[id]
            let compiled = state.map { state in
                state.definition.map { CompiledPolicy($0) }
                    ?? CompiledPolicy(undeclared: policies.name(of: id) ?? "")
            }
            changes.append(.policy(id, compiled))
        }
        for key in changedPolicyRules {
            let rules = policies[key.policy]?.definition?.rules ?? [:]
            let compiled = PolicyRules(
                ofName: rules[PolicyPattern(key.name, isWildcard: false)],
                ofNamesUnder: rules[PolicyPattern(key.name, isWildcard: true)])
            let isEmpty = compiled.ofName == nil && compiled.ofNamesUnder == nil
            changes.append(.policyRules(key.policy, key.name, isEmpty ? nil : compiled))
        }
        changedPolicies.removeAll()
        changedPolicyRules.removeAll()
        return changes
    }
}
