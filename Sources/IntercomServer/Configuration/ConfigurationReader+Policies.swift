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
            policy.locksPorts = table.read("lock", .boolean)
            table.read("addresses", .boolean, into: &policy.gatesAddresses)
            table.read("cidrs", .list(of: .subnet), into: &policy.blocks)
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
