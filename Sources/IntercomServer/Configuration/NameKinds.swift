// Kinds of values that are names: what people, containers and domains may be called.

import DNSWire
import Registry

extension ValueKind<Name> {
    /// Any name, the root too.
    static var name: Self {
        ValueKind<String>.string.map { text throws(Refusal) in try Name(checked: text) }
    }

    /// The domain that is ours: one that hosts can have names in, and that no RFC gives a meaning of its own.
    static var ownDomain: Self {
        name.map { name throws(Refusal) in
            guard name.labelCount > 0 else { throw Refusal("'.' is every name; expected a domain, as corp.example") }
            try name.checkDeclarable()
            try name.checkHostCharacters()
            guard !name.isSubdomain(of: .arpa) || name.isSubdomain(of: .homeARPA) else {
                throw Refusal(
                    "names of addresses are under 'arpa'; expected a domain of names, as internal or home.arpa")
            }
            return name
        }
    }
}

extension ValueKind<String> {
    /// A container's name: one label.
    static var containerName: Self {
        string.map { text throws(Refusal) in try text.checkedLabel }
    }

    /// A network's name: one label or several.
    static var dnsName: Self {
        string.map { text throws(Refusal) in
            let name = try Name(checked: text)
            guard name.labelCount > 0 else { throw Refusal("'.' is not a name of one's own") }
            try name.checkDeclarable()
            return text
        }
    }

    /// A further name that is no alias: a hostname, or what a link is called.
    static var hostname: Self {
        dnsName.map { text throws(Refusal) in try text.checkedNoWildcard }
    }

    /// An alias: a name, or `*.` and a name.
    static var alias: Self {
        dnsName.map { text throws(Refusal) in
            guard text != "*", text != "*." else {
                throw Refusal("'*' is every name; expected a name behind it, as *.app.test")
            }
            return text
        }
    }

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
    /// Reads a name; says what is wrong in the words of ``NameError``.
    init(checked text: some StringProtocol) throws(Refusal) {
        do throws(NameError) {
            try self.init(text)
        } catch {
            throw Refusal("\(error)")
        }
        // Escapes can say it (RFC 1035 §5.1); no host has it in its name.
        guard !wire.dropLast().contains(0) else { throw Refusal("the name contains a NUL") }
    }
}

extension Name {
    /// Refuses a name that nobody can have: it has its meaning from an RFC, and is answered before any name of ours.
    func checkDeclarable() throws(Refusal) {
        if let special = SpecialUseDomain(of: self) {
            throw Refusal("names under '\(special.name)' have a meaning of their own; nobody can be called '\(self)'")
        }
    }

    /// Refuses what no name of a host can have, and resolvers refuse to ask for: letters, digits, `-` (RFC 1123 §2.1), and
    /// `_`, which services and Windows domains have.
    func checkHostCharacters() throws(Refusal) {
        for label in labels {
            guard label.allSatisfy(\.isHostCharacter) else {
                throw Refusal(
                    "'\(self)' has a character that names of hosts have not; expected letters, digits, '-' and '_', and other scripts as xn--…"
                )
            }
        }
    }

    fileprivate static let arpa = (try? Name("arpa")) ?? .root
    fileprivate static let homeARPA = (try? Name("home.arpa")) ?? .root
}

extension UInt8 {
    fileprivate var isHostCharacter: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}

extension StringProtocol {
    /// This name, which must not begin with `*`.
    var checkedNoWildcard: String {
        get throws(Refusal) {
            guard self != "*", !hasPrefix("*.") else {
                throw Refusal("'\(self)' is a wildcard, which only an alias can be")
            }
            return String(self)
        }
    }

    /// This text, which must be one label.
    var checkedLabel: String {
        get throws(Refusal) {
            guard !isEmpty else { throw Refusal("the name is empty") }
            guard !contains(".") else { throw Refusal("'\(self)' has a dot; expected one label, as web") }
            guard utf8.count <= Name.maximumLabelLength else {
                throw Refusal("'\(self)' takes \(utf8.count) octets, more than \(Name.maximumLabelLength)")
            }
            try (try? Name(labels: [Array(utf8)]))?.checkDeclarable()
            return try checkedNoWildcard
        }
    }
}
