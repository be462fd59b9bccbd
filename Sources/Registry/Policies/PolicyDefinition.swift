// A policy: which names a container may ask for.

package import DNSWire

/// A policy as it is declared. The rule with the longest name that the question's name matches decides; where no rule
/// matches, the default does.
package struct PolicyDefinition: Sendable, Equatable {
    /// As ``Registry/policyName(_:)`` takes it.
    package var name: String
    /// The configuration or the control socket.
    package var source: Source
    /// The verdict on names that no rule matches.
    package var `default` = PolicyVerdict.deny
    /// The rules, at most ``Registry/Limits/policyRules``. A pattern that was both allowed and denied is denied.
    package var rules: [PolicyPattern: PolicyVerdict] = [:]
    /// Types that may be asked for; empty: all.
    package var types: [RecordType] = []
    /// True when questions that it denies are answered all the same.
    package var isAudit = false
    /// True when names and addresses of containers on the asker's networks need no rule.
    package var allowsOwnNames = true
    /// True when each name that a CNAME of an answer leads to must be allowed, too.
    package var isStrictAboutAliases = false
    /// True when private, loopback and link-local addresses are dropped from answers of upstreams.
    package var dropsPrivateAddresses = false
    /// True when DNS of other servers is refused in the namespaces of its containers; nil: where the default denies.
    package var locksPorts: Bool?

    /// True when its containers may reach only the addresses that they were told, once it does not audit.
    package var gatesAddresses = false
    /// Blocks that its containers may reach without being told, at most ``Registry/Limits/policyBlocks``.
    package var blocks: [Subnet] = []

    /// True when its containers may reach only the addresses that they were told. An audit lets everything through.
    package var isGate: Bool { gatesAddresses && !isAudit }

    /// True when DNS of other servers is refused once it does not audit.
    package var wantsLock: Bool { locksPorts ?? (`default` == .deny) }

    /// True when DNS of other servers is refused. An audit lets everything through.
    package var isLocked: Bool { wantsLock && !isAudit }

    package init(name: String, source: Source) {
        self.name = name
        self.source = source
    }

    /// Adds a rule. Of two about the same pattern the one that denies wins.
    package mutating func add(_ verdict: PolicyVerdict, _ pattern: PolicyPattern) {
        if rules[pattern] != .deny { rules[pattern] = verdict }
    }

    /// The patterns of one verdict, in order.
    package func patterns(_ verdict: PolicyVerdict) -> [PolicyPattern] {
        rules.filter { $0.value == verdict }.map(\.key).sorted()
    }
}

extension Registry {
    /// The most octets of a policy's name: it has to fit into an answer's text beside a rule.
    private static let longestPolicyName = 63

    /// Checks the name of a policy: 1 to 63 letters, digits, `.`, `-` and `_` of ASCII. Case matters.
    /// - Throws: ``RegistryError/invalidName(_:reason:)``.
    @discardableResult
    package static func policyName(_ text: String) throws(RegistryError) -> String {
        let isValid = text.utf8.allSatisfy { octet in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isValid, (1...longestPolicyName).contains(text.utf8.count) else {
            throw .invalidName(
                text, reason: "a policy is called by 1 to \(longestPolicyName) letters, digits, '.', '-' or '_'")
        }
        return text
    }

    /// Refuses a policy that has more of something than ``Limits`` say.
    package static func check(_ policy: PolicyDefinition) throws(RegistryError) {
        try policyName(policy.name)
        try check(policy.rules.count, Limits.policyRules, "rules of a policy")
        try check(policy.types.count, Limits.policyTypes, "types of a policy")
        try check(policy.blocks.count, Limits.policyBlocks, "cidrs of a policy")
    }
}
