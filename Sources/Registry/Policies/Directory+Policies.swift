// Policies in a directory: which questions of a view are denied, and why.

package import DNSWire

extension Directory {
    /// A question that a policy denies.
    package struct PolicyDenial: Sendable {
        /// Number of the policy.
        package let policy: UInt32
        /// Reason for which it denies.
        package let reason: PolicyReason
        /// True when the policy only audits: the question is answered as if it were allowed.
        package let isAudit: Bool
    }

    /// True when there are records of the operator, anybody's, or policies: most directories have neither.
    package var hasRecordsOrPolicies: Bool {
        mutating get { recordAndPolicyCount > 0 }
    }

    /// True when there are policies, anybody's.
    package var hasPolicies: Bool {
        mutating get { policies.count > 0 }
    }

    /// True when some policy judges the answers of upstreams.
    package var hasAnswerPolicies: Bool {
        mutating get { policies.answerJudges > 0 }
    }

    /// True when answers of some policy wait until their addresses may be reached.
    package var hasGates: Bool {
        mutating get { policies.gates > 0 }
    }

    /// True when answers of a policy wait until their addresses may be reached.
    package mutating func policyIsGate(_ policy: UInt32) -> Bool { policies.facts(of: policy).isGate }

    /// Number of the policy that a view's questions are judged by; nil: none.
    package mutating func policy(of view: ViewID) -> UInt32? {
        let view = Int(view.rawValue)
        return view < viewPolicies.count ? viewPolicies[view] : nil
    }

    /// True when a policy lets names of containers on the asker's networks be asked for without a rule.
    package mutating func policyAllowsOwnNames(_ policy: UInt32) -> Bool { policies.facts(of: policy).allowsOwnNames }

    /// True when each name that a CNAME leads to must be allowed, too.
    package mutating func policyIsStrictAboutAliases(_ policy: UInt32) -> Bool {
        policies.facts(of: policy).isStrictAboutAliases
    }

    /// True when private addresses are dropped from answers of upstreams.
    package mutating func policyDropsPrivateAddresses(_ policy: UInt32) -> Bool {
        policies.facts(of: policy).dropsPrivateAddresses
    }

    /// The denial of a question by a policy; nil: it is allowed.
    package mutating func denial(
        of name: borrowing FoldedName, _ type: RecordType, by policy: UInt32
    ) -> PolicyDenial? {
        guard let reason = policies.reason(against: name, type, by: policy) else { return nil }
        return PolicyDenial(policy: policy, reason: reason, isAudit: policies.facts(of: policy).isAudit)
    }

    /// Name of a policy, for people.
    package func policyName(_ policy: UInt32) -> String { policies.text(of: policy) }
}
