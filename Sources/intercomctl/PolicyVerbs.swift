// intercomctl policy …

import ArgumentParser
import ControlAPI
import LinuxNet

struct PolicyVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Policies: which names a container may ask for.",
        discussion: """
            A policy holds for a container that names it ('container add --policy', the label intercom.policy), for the \
            containers of a network ('network create --policy'), or for all ([server] policy). Policies of intercom.toml \
            are changed there.
            """,
        subcommands: [Set.self, Allow.self, Deny.self, Remove.self, List.self, Inspect.self, Learn.self])
}

/// A policy's verdict, as it is typed.
private enum Verdict: String, ExpressibleByArgument, CaseIterable {
    case allow, deny
}

extension PolicyVerbs {
    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Declare a policy, or change what is given of one.",
            discussion: """
                A new one denies every name that no rule allows. --allow, --deny, --type and --cidr replace those before; \
                'policy allow' and 'policy deny' add.
                """)

        @Argument(help: "Its name: letters, digits, '.', '-' and '_'.", completion: .policies)
        var name: String

        @Option(
            name: .customLong("default"),
            help: ArgumentHelp("The verdict where no rule matches.", valueName: "deny|allow"))
        fileprivate var standard: Verdict?

        @Option(
            help: ArgumentHelp(
                "A name that may be asked for; *.NAME stands for all names under NAME; may be repeated.",
                valueName: "name"))
        var allow: [String] = []

        @Option(help: ArgumentHelp("A name that may not be asked for; may be repeated.", valueName: "name"))
        var deny: [String] = []

        @Option(
            name: .customLong("type"),
            help: ArgumentHelp(
                "A type that may be asked for, as AAAA; may be repeated, 'all' takes it back.", valueName: "type"))
        var types: [String] = []

        @Flag(inversion: .prefixedNo, help: "Answer what it denies all the same, and log it.")
        var audit: Bool?

        @Flag(inversion: .prefixedNo, help: "Allow names of containers on the asker's networks without a rule.")
        var ownNames: Bool?

        @Flag(inversion: .prefixedNo, help: "Ask that each name that a CNAME leads to is allowed, too.")
        var strictCname: Bool?

        @Option(
            help: ArgumentHelp(
                "Drop private, loopback and link-local addresses from answers of upstreams.", valueName: "deny|allow"))
        fileprivate var privateAddresses: Verdict?

        @Flag(inversion: .prefixedNo, help: "Refuse port 53 and 853 of other servers in the container's namespace.")
        var lock: Bool?

        @Flag(
            inversion: .prefixedNo,
            help: "Let containers reach only the addresses that answers have told them, and their networks.")
        var addresses: Bool?

        @Option(
            name: .customLong("cidr"),
            help: ArgumentHelp(
                "A block of addresses that may be reached without an answer; may be repeated, 'none' takes it back.",
                valueName: "cidr"))
        var cidrs: [String] = []

        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.call(
                SetPolicy.self,
                SetPolicy.Parameters(
                    name: name, default: standard?.rawValue, allow: allow.isEmpty ? nil : allow,
                    deny: deny.isEmpty ? nil : deny, types: types.isEmpty ? nil : types == ["all"] ? [] : types,
                    audit: audit, ownNames: ownNames, strictCname: strictCname,
                    privateAddresses: privateAddresses?.rawValue, lock: lock, addresses: addresses,
                    cidrs: cidrs.isEmpty ? nil : cidrs == ["none"] ? [] : cidrs))
        }
    }

    struct Allow: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Allow names, as: policy allow sandbox api.example.com '*.example.org'")

        @Argument(help: "The policy.", completion: .policies) var policy: String
        @Argument(help: "Names; *.NAME stands for all names under NAME.") var names: [String]
        @OptionGroup var common: CommonOptions

        func run() throws { try common.call(AllowNames.self, NamesOfPolicy(policy: policy, names: names)) }
    }

    struct Deny: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Deny names.")

        @Argument(help: "The policy.", completion: .policies) var policy: String
        @Argument(help: "Names; *.NAME stands for all names under NAME.") var names: [String]
        @OptionGroup var common: CommonOptions

        func run() throws { try common.call(DenyNames.self, NamesOfPolicy(policy: policy, names: names)) }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Remove a policy that holds for nobody, or rules of one.",
            discussion: "Those of intercom.toml stay: remove them there, then 'intercomctl reload'.")

        @Argument(help: "The policy.", completion: .policies) var policy: String
        @Argument(help: "Rules by their names; the whole policy, if none is given.") var names: [String] = []
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.call(
                RemovePolicy.self, RemovePolicy.Parameters(name: policy, names: names.isEmpty ? nil : names))
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List all policies.")

        @OptionGroup var common: CommonOptions

        func run() throws {
            var listing = Listing<PolicySummary>(
                "policies", ["POLICY", "DEFAULT", "AUDIT", "RULES", "CONTAINERS", "SOURCE"], isJSON: common.json,
                name: \.name
            ) { policy in
                [
                    policy.name, policy.default, policy.audit ? "yes" : "no", "\(policy.rules)",
                    "\(policy.containers)", policy.source,
                ]
            }
            let client = try ControlClient(socket: common.socket)
            try client.replies(to: ListPolicies.self, Nothing()) { reply in
                for policy in reply.policies { listing.add(policy) }
            }
            listing.end()
        }
    }

    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a policy and its rules.")

        @Argument(completion: .policies) var name: String
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.call(InspectPolicy.self, Named(name: name)) { Self.text($0.policy) }
        }

        private static func text(_ policy: Policy) -> String {
            var facts = Table(["POLICY", policy.name], .wrap)
            facts.add(["default", policy.default])
            facts.add(["allow", policy.allow])
            facts.add(["deny", policy.deny])
            facts.add(["types", policy.types.isEmpty ? ["all"] : policy.types])
            facts.add(["audit", policy.audit ? "yes" : "no"])
            facts.add(["own names", policy.ownNames ? "allowed" : "need a rule"])
            facts.add(["CNAME targets", policy.strictCname ? "need a rule" : "followed"])
            facts.add(["private addresses", policy.privateAddresses == "deny" ? "dropped" : "passed on"])
            facts.add([
                "other servers",
                !policy.lock ? "not refused" : policy.audit ? "refused when it does not audit" : "refused",
            ])
            facts.add([
                "addresses",
                !policy.addresses
                    ? "all" : policy.audit ? "those of answers when it does not audit" : "those of answers",
            ])
            facts.add(["cidrs", policy.cidrs])
            facts.add(["containers", "\(policy.containers)"])
            if let gate = policy.gate { facts.add(["gate", gate.lines]) }
            facts.add(["source", policy.source])
            return facts.text
        }
    }

    struct Learn: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the policy that the last hour of a container would need.",
            discussion: """
                For intercom.toml. The container's policy has to audit ('policy set --audit'): then what no rule allows is \
                answered all the same, and remembered for an hour.
                """)

        @Argument(completion: .containers) var container: String
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.call(LearnPolicy.self, .init(container: container)) { Self.text($0) }
        }

        /// A table of intercom.toml that allows what is allowed now, and what was needed.
        static func text(_ reply: LearnPolicy.Reply) -> String {
            let policy = reply.policy
            var lines = ["[[policy]]", "name = \(quoted(policy.name))", "default = \(quoted(policy.default))"]
            lines += list("allow", policy.allow + reply.needed) + list("deny", policy.deny)
            if !policy.types.isEmpty { lines += list("types", policy.types) }
            if !policy.ownNames { lines.append("own-names = false") }
            if policy.strictCname { lines.append("strict-cname = true") }
            if policy.privateAddresses == "deny" { lines.append("private-addresses = \"deny\"") }
            if policy.lock != (policy.default == "deny") { lines.append("lock = \(policy.lock)") }
            if policy.addresses { lines.append("addresses = true") }
            if !policy.cidrs.isEmpty { lines += list("cidrs", policy.cidrs) }
            lines += reply.denied.map { "# asked for, and denied by a rule or by types: \(quoted($0))" }
            return lines.joined(separator: "\n") + "\n"
        }

        private static func list(_ key: String, _ items: [String]) -> [String] {
            guard !items.isEmpty else { return ["\(key) = []"] }
            return ["\(key) = ["] + items.map { "    \(quoted($0))," } + ["]"]
        }

        /// A basic string of TOML; names are printable ASCII in presentation format.
        private static func quoted(_ text: String) -> String {
            "\"" + text.flatMap { $0 == "\\" || $0 == "\"" ? ["\\", $0] : [$0] } + "\""
        }
    }
}

extension Gate {
    /// Lines for people.
    var lines: [String] {
        [
            reason.map { "\(state): \($0)" } ?? state,
            "\(open) \(open == 1 ? "address" : "addresses") open now, \(admitted) let through since the start",
        ] + (madeRoom > 0 ? ["full: addresses made room for others \(madeRoom) times"] : [])
    }
}
