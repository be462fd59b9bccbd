// Gates of policies that are not in force.

/// Reason for which a container is told no address.
package struct GateFailure: Sendable, Equatable {
    /// The policy that asks for a gate.
    package var policy: String
    /// Reason for which that is not in force.
    package var reason: String

    package init(policy: String, reason: String) {
        self.policy = policy
        self.reason = reason
    }
}

extension Facts {
    /// The step of an answer that the container does not get, as its gate is not in force; nil: it gets it.
    func gated(_ outcome: AnswerFacts, _ asker: Member) -> Step? {
        guard let gate, outcome.isPositive, ["A", "AAAA"].contains(question.type) else { return nil }
        return Step(.answer, "", Finding(gateOf: asker.name, gate.policy, gate.reason))
    }
}

extension Finding {
    /// A container was told more addresses within an hour than its gate has room for.
    /// - Parameters:
    ///   - container: its name.
    ///   - policy: the policy that asks for a gate.
    ///   - capacity: addresses of a kind that there is room for.
    package init(fullGateOf container: String, _ policy: String, capacity: Int) {
        self.init(
            .gateFull,
            "\(container) was told more than \(capacity) addresses within an hour: those whose time ends first cannot be reached any more, until they are told again",
            cure: "allow fewer names in policy \(policy), or name blocks that it needs: "
                + ShellCommand.intercomctl("policy set", [policy], "--cidr"))
    }

    /// A container is told no address, as its gate is not in force.
    /// - Parameters:
    ///   - container: its name.
    ///   - policy: the policy that asks for a gate.
    ///   - reason: why it is not in force.
    package init(gateOf container: String, _ policy: String, _ reason: String) {
        self.init(
            .gateFailed, "\(container) is told no address, as the gate of policy \(policy) is not in force: \(reason)",
            cure: "mend that; or let it reach all: "
                + ShellCommand.intercomctl("policy set", [policy], "--no-addresses"))
    }
}
