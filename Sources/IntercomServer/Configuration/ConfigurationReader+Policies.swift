// Reads policies: which names containers may ask for.

import DNSWire
import Registry
import TOML

extension ConfigurationReader {
    /// Reads the tables `[[policy]]`.
    mutating func readPolicies(_ tables: [TableReader]) -> [PolicyDefinition] {
        var policies: [PolicyDefinition] = []
        var places = FirstPlaces<String>()
        for var table in tables {
            let name = table.require("name", .placed(.policyName))
            var policy = PolicyDefinition(name: name?.value ?? "", source: .configuration)
            table.read("default", .verdict, into: &policy.default)
            for pattern in table.read("allow", .list(of: .policyPattern)) ?? [] { policy.add(.allow, pattern) }
            for pattern in table.read("deny", .list(of: .policyPattern)) ?? [] { policy.add(.deny, pattern) }
            table.read("types", .list(of: .recordType), into: &policy.types)
            table.read("audit", .boolean, into: &policy.isAudit)
            table.read("own-names", .boolean, into: &policy.allowsOwnNames)
            table.read("strict-cname", .boolean, into: &policy.isStrictAboutAliases)
            policy.dropsPrivateAddresses = table.read("private-addresses", .verdict) == .deny
            if let name {
                places.claim(name.value, at: name.position, in: &table, "name: policy '\(name.value)'")
                do throws(RegistryError) {
                    try Registry.check(policy)
                } catch {
                    table.refuse(at: table.position, "policy '\(name.value)': \(error)")
                }
                policies.append(policy)
            }
            mistakes += table.finish()
        }
        return policies
    }
}

extension ValueKind<String> {
    /// The name of a policy.
    fileprivate static var policyName: Self { checked(by: Registry.policyName) }

    /// The name of one of these policies.
    static func policy(among names: [String]) -> Self {
        string.map { text throws(Refusal) in
            guard names.contains(text) else {
                let shown = DisplayText.escaped(text)
                throw Refusal("no [[policy]] is named '\(shown)'\(Spelling.hint(for: text, among: names))")
            }
            return text
        }
    }
}

extension ValueKind<PolicyVerdict> {
    /// `"allow"` or `"deny"`.
    fileprivate static var verdict: Self {
        ValueKind<String>.string.map { text throws(Refusal) in
            guard let verdict = PolicyVerdict(text: text) else {
                throw Refusal("'\(DisplayText.escaped(text))' is neither \"allow\" nor \"deny\"")
            }
            return verdict
        }
    }
}

extension ValueKind<PolicyPattern> {
    /// A name, or `*.` and a name.
    fileprivate static var policyPattern: Self {
        text { text throws(RegistryError) in try PolicyPattern(text) }
    }
}

extension ValueKind<RecordType> {
    /// A type as text, as `TXT` or `TYPE65280`.
    fileprivate static var recordType: Self {
        ValueKind<String>.string.map { text throws(Refusal) in
            guard let type = RecordType(text: text) else {
                throw Refusal("'\(DisplayText.escaped(text))' is no type; expected one as A, TXT or TYPE65280")
            }
            return type
        }
    }
}
