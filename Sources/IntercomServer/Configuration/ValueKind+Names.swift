// Kinds of values that are names: what people, containers and domains may be called.

import DNSWire
import Registry

extension ValueKind<Name> {
    /// The domain that is ours: one that hosts can have names in, and that no RFC gives a meaning of its own.
    static var ownDomain: Self {
        ValueKind<String>.string.map { text throws(Refusal) in
            guard text != "." else { throw Refusal("'.' is every name; expected a domain, as corp.example") }
            let name = try Refusal.of { () throws(RegistryError) in try Registry.domainName(text) }
            try name.checkHostCharacters(of: text)
            return name
        }
    }

    /// A name that the host has on every network: of two labels at least, as single labels are those of containers.
    static var nameOfHost: Self {
        ValueKind<String>.string.map { text throws(Refusal) in
            let name = try Refusal.of { () throws(RegistryError) in try Registry.hostName(text) }
            guard name.labelCount > 1 else {
                throw Refusal("'\(DisplayText.escaped(text))' is a single label; expected a name as host.internal")
            }
            try name.checkHostCharacters(of: text)
            return name
        }
    }

    /// A domain of a search list.
    static var searchDomain: Self { text(Registry.searchDomain) }

    /// A domain that can be asked elsewhere.
    static func routingDomain(beside own: Name) -> Self {
        text { text throws(RegistryError) in try Registry.routingDomain(text, beside: own) }
    }
}

extension ValueKind<String> {
    /// A container's name: one label or several.
    static var containerName: Self { checked(by: Registry.containerName) }
    /// A network's name: one label or several.
    static var networkName: Self { checked(by: Registry.networkName) }
    /// A declared network's name, beside the domain behind all names.
    static func networkName(beside domain: Name) -> Self {
        checked { text throws(RegistryError) in try Registry.networkName(text, beside: domain) }
    }
    /// Name of a network for all hosts; empty: it is not shared.
    static var sharedName: Self {
        checked { text throws(RegistryError) in if !text.isEmpty { _ = try Registry.networkName(text) } }
    }
    /// A container's id in its runtime.
    static var containerID: Self { checked(by: Registry.checkID) }
    /// A further name that is no alias.
    static var hostname: Self { checked(by: Registry.hostName) }
    /// An alias: a name, or `*.` and a name.
    static var alias: Self { checked(by: Registry.alias) }
    /// The name of a record: any name, or `*.` and a name.
    static var recordName: Self { checked(by: Registry.recordName) }
    /// An interface of the host.
    static var interface: Self { checked(by: Registry.checkInterface) }

    /// Text of one character-string of a TXT record (RFC 1035 §3.3).
    static var characterString: Self {
        string.map { text throws(Refusal) in
            guard text.utf8.count <= 255 else {
                throw Refusal("the text takes \(text.utf8.count) octets, more than 255")
            }
            return text
        }
    }
}

extension Name {
    /// Refuses what no name of a host can have, and resolvers refuse to ask for: letters, digits, `-` (RFC 1123 §2.1), and
    /// `_`, which services and Windows domains have.
    /// - Parameter text: the name as it was typed.
    fileprivate func checkHostCharacters(of text: String) throws(Refusal) {
        for label in labels {
            guard label.allSatisfy(\.isHostCharacter) else {
                throw Refusal(
                    "'\(DisplayText.escaped(text))' has a character that names of hosts have not; expected letters, digits, '-' and '_', and other scripts as xn--…"
                )
            }
        }
    }
}

// MARK: - Policies

extension ValueKind<String> {
    /// The name of a policy.
    static var policyName: Self { checked(by: Registry.policyName) }

    /// The name of one of these policies.
    static func policy(among names: [String]) -> Self {
        let known = Set(names)
        return string.map { text throws(Refusal) in
            guard known.contains(text) else {
                let shown = DisplayText.escaped(text)
                throw Refusal("no [[policy]] is named '\(shown)'\(Spelling.hint(for: text, among: names))")
            }
            return text
        }
    }
}

extension ValueKind<PolicyVerdict> {
    /// `"allow"` or `"deny"`.
    static var verdict: Self {
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
    static var policyPattern: Self {
        text { text throws(RegistryError) in try PolicyPattern(text) }
    }
}

extension ValueKind<RecordType> {
    /// A type as text, as `TXT` or `TYPE65280`.
    static var recordType: Self {
        ValueKind<String>.string.map { text throws(Refusal) in
            guard let type = RecordType(text: text) else {
                throw Refusal("'\(DisplayText.escaped(text))' is no type; expected one as A, TXT or TYPE65280")
            }
            return type
        }
    }
}
