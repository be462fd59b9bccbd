// The policies that the registry knows: declared ones, and names of policies that nobody has declared.

import DNSWire

/// Policies by name. A name that containers have and nobody declares has a number, too: its containers are denied everything.
struct Policies: Sendable {
    /// A name with its declaration and its users.
    struct State: Sendable {
        let id: PolicyID
        /// Nil: nobody has declared it.
        var definition: PolicyDefinition?
        /// The containers that it holds for.
        var users: Set<ContainerID> = []
    }

    private(set) var states: [String: State] = [:]
    private var names: [PolicyID: String] = [:]
    private var numbers = NumberPool()
    /// Policy of containers that have none of their own, nor of their networks; nil: none.
    var ofAll: String?

    /// Number of policies that are declared.
    var declaredCount: Int { states.values.count { $0.definition != nil } }

    /// Names that containers have and nobody has declared, with these containers.
    var undeclared: [(name: String, users: Set<ContainerID>)] {
        states.filter { $0.value.definition == nil }.map { ($0.key, $0.value.users) }.sorted { $0.0 < $1.0 }
    }

    func number(of name: String) -> PolicyID? { states[name]?.id }
    func definition(of name: String) -> PolicyDefinition? { states[name]?.definition }
    func users(of name: String) -> Set<ContainerID> { states[name]?.users ?? [] }

    /// The name that has a number.
    subscript(id: PolicyID) -> State? { names[id].flatMap { states[$0] } }
    func name(of id: PolicyID) -> String? { names[id] }

    /// Changes what is known by a name; forgets it where it is neither declared nor has users.
    /// - Returns: its number.
    mutating func change(_ name: String, _ body: (inout State) -> Void) -> PolicyID {
        var state = states[name] ?? State(id: PolicyID(rawValue: numbers.take()))
        body(&state)
        let isGone = state.definition == nil && state.users.isEmpty
        states[name] = isGone ? nil : state
        names[state.id] = isGone ? nil : name
        if isGone { numbers.give(back: state.id.rawValue) }
        return state.id
    }
}

/// The rules of a policy about one name, for ``Registry/changedPolicyRules``.
struct PolicyRulesKey: Hashable, Sendable {
    let policy: PolicyID
    let name: Name
}
