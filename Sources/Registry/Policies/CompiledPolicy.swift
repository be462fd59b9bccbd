// A policy as the directories have it, and its decisions.

package import DNSWire

/// Number of a policy in the directories.
package struct PolicyID: Hashable, Sendable {
    /// From 0 on; numbers are dense, and used again.
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// All of a policy but its rules, each of which is a change of its own.
package struct CompiledPolicy: Sendable, Equatable {
    /// Name for people.
    package var name: String
    /// False where containers name a policy that nobody has declared: everything is denied.
    package var isDeclared: Bool
    /// The verdict on names that no rule matches.
    package var `default`: PolicyVerdict
    /// Types that may be asked for; empty: all.
    package var types: [RecordType]
    /// True when denied questions are answered all the same.
    package var isAudit: Bool
    /// True when names of containers on the asker's networks need no rule.
    package var allowsOwnNames: Bool
    /// True when each name that a CNAME leads to must be allowed, too.
    package var isStrictAboutAliases: Bool
    /// True when private addresses are dropped from answers of upstreams.
    package var dropsPrivateAddresses: Bool
    /// True when an answer waits until its addresses may be reached.
    package var isGate: Bool

    /// The policy of containers that name one which nobody has declared: it denies everything.
    package init(undeclared name: String) {
        self.name = name
        isDeclared = false
        `default` = .deny
        types = []
        isAudit = false
        allowsOwnNames = false
        isStrictAboutAliases = false
        dropsPrivateAddresses = false
        isGate = false
    }

    /// - Parameter definition: the policy as it is declared.
    package init(_ definition: PolicyDefinition) {
        name = definition.name
        isDeclared = true
        `default` = definition.default
        types = definition.types
        isAudit = definition.isAudit
        allowsOwnNames = definition.allowsOwnNames
        isStrictAboutAliases = definition.isStrictAboutAliases
        dropsPrivateAddresses = definition.dropsPrivateAddresses
        isGate = definition.isGate
    }
}

/// The rules of a policy about one name.
package struct PolicyRules: Sendable, Equatable {
    /// About the name itself; nil: none.
    package var ofName: PolicyVerdict?
    /// About the names under it; nil: none.
    package var ofNamesUnder: PolicyVerdict?

    package init(ofName: PolicyVerdict?, ofNamesUnder: PolicyVerdict?) {
        self.ofName = ofName
        self.ofNamesUnder = ofNamesUnder
    }
}

/// Why a policy denies a question.
package enum PolicyReason: Equatable, Sendable {
    /// A rule denies the name: the one about the name that begins with this label of the question's. 0: the name itself,
    /// otherwise all names under it.
    case rule(label: Int)
    /// No rule matches the name.
    case byDefault
    /// The policy does not allow questions of this type.
    case type
    /// Nobody has declared the policy.
    case undeclared
}
