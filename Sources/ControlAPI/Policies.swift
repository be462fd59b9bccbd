// Policies in the control interface: which names a container may ask for.

/// Declares a policy, or changes one.
package enum SetPolicy: ControlMethod {
    package static let definition = """
        # Declares a policy, or changes what is given of one. default: "deny" (of a new one) or "allow", for names that no rule
        # matches; allow, deny: names, as "api.example.com", or "*.example.com" for all names under one; the longest that
        # matches decides, and of two alike the one that denies. types: those that may be asked for, empty: all. audit: what
        # it denies is answered and logged; ownNames: names of containers on the asker's networks need no rule (true of a new
        # one); strictCname: each name that a CNAME leads to must be allowed, too; privateAddresses: "allow" (of a new one),
        # or "deny": private, loopback and link-local addresses are dropped from answers of upstreams; lock: port 53 and 853 of
        # other servers are refused in the namespaces of its containers (true where the default denies), but not under audit.
        # addresses: its containers reach only addresses that answers have told them, their networks, and cidrs, blocks as
        # "10.2.0.0/16"; but not under audit.
        method SetPolicy(
          name: string,
          default: ?string,
          allow: ?[]string,
          deny: ?[]string,
          types: ?[]string,
          audit: ?bool,
          ownNames: ?bool,
          strictCname: ?bool,
          privateAddresses: ?string,
          lock: ?bool,
          addresses: ?bool,
          cidrs: ?[]string
        ) -> ()
        """
    package static let isPersisted = true

    package struct Parameters: Codable, Equatable, Sendable {
        /// 1 to 63 letters, digits, `.`, `-` and `_`.
        package var name: String
        /// `deny` or `allow`; absent: as it was, `deny` of a new policy.
        package var `default`: String?
        /// Names that are allowed, in place of those before; absent: as it was.
        package var allow: [String]?
        /// Names that are denied, in place of those before; absent: as it was.
        package var deny: [String]?
        /// Types that may be asked for, as `A`; empty: all; absent: as it was.
        package var types: [String]?
        /// True: what it denies is answered all the same; absent: as it was.
        package var audit: Bool?
        /// True: names of containers on the asker's networks need no rule; absent: as it was.
        package var ownNames: Bool?
        /// True: each name that a CNAME leads to must be allowed, too; absent: as it was.
        package var strictCname: Bool?
        /// `deny`: private addresses are dropped from answers of upstreams; `allow`; absent: as it was.
        package var privateAddresses: String?
        /// True: DNS of other servers is refused; absent: as it was, of a new policy true where the default denies.
        package var lock: Bool?
        /// True: its containers reach only addresses that they were told; absent: as it was.
        package var addresses: Bool?
        /// Blocks that they may reach all the same, in place of those before; absent: as it was.
        package var cidrs: [String]?

        package init(
            name: String, default: String? = nil, allow: [String]? = nil, deny: [String]? = nil,
            types: [String]? = nil, audit: Bool? = nil, ownNames: Bool? = nil, strictCname: Bool? = nil,
            privateAddresses: String? = nil, lock: Bool? = nil, addresses: Bool? = nil, cidrs: [String]? = nil
        ) {
            self.name = name
            self.default = `default`
            self.allow = allow
            self.deny = deny
            self.types = types
            self.audit = audit
            self.ownNames = ownNames
            self.strictCname = strictCname
            self.privateAddresses = privateAddresses
            self.lock = lock
            self.addresses = addresses
            self.cidrs = cidrs
        }
    }
    package typealias Reply = Nothing
}

/// Allows names in a policy.
package enum AllowNames: ControlMethod {
    package static let definition = """
        # Allows names in a policy; one that was denied by the same words is allowed instead.
        method AllowNames(policy: string, names: []string) -> ()
        """
    package static let isPersisted = true

    package typealias Parameters = NamesOfPolicy
    package typealias Reply = Nothing
}

/// Denies names in a policy.
package enum DenyNames: ControlMethod {
    package static let definition = """
        # Denies names in a policy; one that was allowed by the same words is denied instead.
        method DenyNames(policy: string, names: []string) -> ()
        """
    package static let isPersisted = true

    package typealias Parameters = NamesOfPolicy
    package typealias Reply = Nothing
}

/// Names that a call adds to a policy.
package struct NamesOfPolicy: Codable, Equatable, Sendable {
    /// The policy's name.
    package var policy: String
    /// Names, or `*.` and a name for all names under it.
    package var names: [String]

    package init(policy: String, names: [String]) {
        self.policy = policy
        self.names = names
    }
}

/// Removes a policy, or rules of it.
package enum RemovePolicy: ControlMethod {
    package static let definition = """
        # Removes a policy that holds for nobody; with names, these rules of it alone. One of the configuration stays.
        method RemovePolicy(name: string, names: ?[]string) -> ()
        """
    package static let isPersisted = true

    package struct Parameters: Codable, Equatable, Sendable {
        /// The policy's name.
        package var name: String
        /// Rules that are removed, by their words; absent: the whole policy is.
        package var names: [String]?

        package init(name: String, names: [String]? = nil) {
            self.name = name
            self.names = names
        }
    }
    package typealias Reply = Nothing
}

/// All policies.
package enum ListPolicies: ControlMethod {
    package static let definition = """
        # All policies, by name, without their rules. With "more": in several replies, the last without "continues".
        method ListPolicies() -> (policies: []PolicySummary)
        """
    package static let types: [any ControlType.Type] = [PolicySummary.self]

    package typealias Parameters = Nothing
    package struct Reply: Codable, Equatable, Sendable {
        /// Sorted by name.
        package var policies: [PolicySummary]

        package init(policies: [PolicySummary]) {
            self.policies = policies
        }
    }
}

/// One policy with its rules.
package enum InspectPolicy: ControlMethod {
    package static let definition = """
        # One policy with its rules.
        method InspectPolicy(name: string) -> (policy: Policy)
        """
    package static let types: [any ControlType.Type] = [Gate.self, Policy.self]

    package typealias Parameters = Named
    package struct Reply: Codable, Equatable, Sendable {
        /// The one that was asked for.
        package var policy: Policy

        package init(policy: Policy) {
            self.policy = policy
        }
    }
}

/// The policy that a container would need, from what it asked for under audit.
package enum LearnPolicy: ControlMethod {
    package static let definition = """
        # The policy of a container whose policy audits, and what it would need beside it: names that it has asked for in the
        # last hour and that no rule is about; denied: names that it has asked for and that a rule denies, or the types.
        method LearnPolicy(container: string) -> (policy: Policy, needed: []string, denied: []string)
        """
    package static let types: [any ControlType.Type] = [Gate.self, Policy.self]

    package struct Parameters: Codable, Equatable, Sendable {
        /// The container's name.
        package var container: String

        package init(container: String) {
            self.container = container
        }
    }

    package struct Reply: Codable, Equatable, Sendable {
        /// The policy as it is.
        package var policy: Policy
        /// Names to be allowed, in the order of the DNS.
        package var needed: [String]
        /// Names that a rule or the types deny, in the order of the DNS.
        package var denied: [String]

        package init(policy: Policy, needed: [String], denied: [String]) {
            self.policy = policy
            self.needed = needed
            self.denied = denied
        }
    }
}

/// A policy in a list.
package struct PolicySummary: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # A policy without its rules. default: "deny" or "allow"; rules: number of its rules; containers: number of those that
        # it holds for; source: "configuration" or "control".
        type PolicySummary (
          name: string, default: string, audit: bool, rules: int, containers: int, source: string
        )
        """

    /// Its name.
    package var name: String
    /// `deny` or `allow`: the verdict on names that no rule matches.
    package var `default`: String
    /// True when what it denies is answered all the same.
    package var audit: Bool
    /// Number of its rules.
    package var rules: Int
    /// Number of containers that it holds for.
    package var containers: Int
    /// `configuration` or `control`.
    package var source: String

    package init(name: String, default: String, audit: Bool, rules: Int, containers: Int, source: String) {
        self.name = name
        self.default = `default`
        self.audit = audit
        self.rules = rules
        self.containers = containers
        self.source = source
    }
}

/// A policy as the daemon knows it.
package struct Policy: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # A policy; its members are as SetPolicy has them; gate: of all its containers, where their addresses are gated.
        type Policy (
          name: string,
          default: string,
          allow: []string,
          deny: []string,
          types: []string,
          audit: bool,
          ownNames: bool,
          strictCname: bool,
          privateAddresses: string,
          lock: bool,
          addresses: bool,
          cidrs: []string,
          containers: int,
          source: string,
          gate: ?Gate
        )
        """

    /// Its name.
    package var name: String
    /// `deny` or `allow`.
    package var `default`: String
    /// Names that are allowed, in the order of the DNS.
    package var allow: [String]
    /// Names that are denied, in the order of the DNS.
    package var deny: [String]
    /// Types that may be asked for; empty: all.
    package var types: [String]
    /// True when what it denies is answered all the same.
    package var audit: Bool
    /// True when names of containers on the asker's networks need no rule.
    package var ownNames: Bool
    /// True when each name that a CNAME leads to must be allowed, too.
    package var strictCname: Bool
    /// `allow`, or `deny`: private addresses are dropped from answers of upstreams.
    package var privateAddresses: String
    /// True when DNS of other servers is refused in the namespaces of its containers, unless it audits.
    package var lock: Bool
    /// True when its containers reach only addresses that they were told, unless it audits.
    package var addresses: Bool
    /// Blocks that they may reach all the same.
    package var cidrs: [String]
    /// Number of containers that it holds for.
    package var containers: Int
    /// `configuration` or `control`.
    package var source: String
    /// Gates of its containers, together; absent: they may reach all, or another method asked.
    package var gate: Gate?

    package init(
        name: String, default: String, allow: [String], deny: [String], types: [String], audit: Bool, ownNames: Bool,
        strictCname: Bool, privateAddresses: String, lock: Bool, addresses: Bool, cidrs: [String], containers: Int,
        source: String, gate: Gate? = nil
    ) {
        self.gate = gate
        self.name = name
        self.default = `default`
        self.allow = allow
        self.deny = deny
        self.types = types
        self.audit = audit
        self.ownNames = ownNames
        self.strictCname = strictCname
        self.privateAddresses = privateAddresses
        self.lock = lock
        self.addresses = addresses
        self.cidrs = cidrs
        self.containers = containers
        self.source = source
    }
}

/// A gate for addresses, of one container or of all that have a policy.
package struct Gate: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # A gate for addresses. state: "in force", or "failed": no address is told; of several, "failed" where one is. reason: why it
        # is not in force. open: addresses that answers have told since the daemon started, and that may be reached now; admitted:
        # those that were let through, each time they were; madeRoom: times that some have made room for others, as a container
        # was told more than 4,096.
        type Gate (state: string, reason: ?string, open: int, admitted: int, madeRoom: int)
        """

    /// `in force` or `failed`.
    package var state: String
    /// Why it is not in force; absent: it is.
    package var reason: String?
    /// Addresses that may be reached now.
    package var open: Int
    /// Addresses that were let through, each time they were.
    package var admitted: Int
    /// Times that addresses have made room for others.
    package var madeRoom: Int

    package init(state: String, reason: String?, open: Int, admitted: Int, madeRoom: Int) {
        self.state = state
        self.reason = reason
        self.open = open
        self.admitted = admitted
        self.madeRoom = madeRoom
    }
}
