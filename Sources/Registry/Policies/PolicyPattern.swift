// Patterns of a policy's rules: one name, or all names under one.

package import DNSWire

/// Outcome of a policy's rule.
package enum PolicyVerdict: UInt8, Sendable {
    /// The name may be asked for.
    case allow = 1
    /// It may not: NXDOMAIN with EDE 15.
    case deny = 2
}

/// The names that a rule is about: `example.com` is that name alone, `*.example.com` any name under it, however deep, and
/// not `example.com` itself.
package struct PolicyPattern: Hashable, Sendable {
    /// The name, of a wildcard without its `*`; never the root.
    package let name: Name
    /// True for any name under ``name``, and not for that name itself.
    package let isWildcard: Bool

    /// - Parameter text: a name in presentation format (RFC 1035 §5.1), or `*.` and a name.
    /// - Throws: ``RegistryError/invalidName(_:reason:)``.
    package init(_ text: String) throws(RegistryError) {
        let name: Name
        do throws(NameError) {
            name = try Name(text)
        } catch {
            throw .invalidName(text, reason: "\(error)")
        }
        let suffix = Registry.wildcardSuffix(of: name)
        self.name = suffix ?? name
        isWildcard = suffix != nil
        if self.name.labelCount == 0 {
            throw .invalidName(text, reason: "the default of the policy holds for all names; set that to allow or deny")
        }
        if self.name.labels.contains([UInt8(ascii: "*")]) {
            throw .invalidName(text, reason: "a wildcard is the first label alone, as in *.example.com")
        }
    }

    /// - Parameters:
    ///   - name: not the root.
    ///   - isWildcard: true for all names under it.
    init(_ name: Name, isWildcard: Bool) {
        self.name = name
        self.isWildcard = isWildcard
    }
}

extension PolicyPattern: CustomStringConvertible {
    /// As it is typed, without the root's dot.
    package var description: String { (isWildcard ? "*." : "") + name.description }
}

extension PolicyPattern: Comparable {
    /// In the order of names (RFC 4034 §6.1), a name before those under it.
    package static func < (left: PolicyPattern, right: PolicyPattern) -> Bool {
        if left.name == right.name { return !left.isWildcard && right.isWildcard }
        return left.name < right.name
    }
}
