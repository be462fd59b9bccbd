// Rules for names, and all names of a container.

package import DNSWire

extension Registry {
    /// The names of a container on one of its networks, as people write them.
    package func names(of endpoint: Endpoint) -> [String] { endpoint.names.map(\.name.description) }

    /// The container's name, its aliases, hostname, the first 12 characters of its id, and the id; each once.
    ///
    /// A name in another script is found by its A-labels, and by its UTF-8 octets, which most programs send as they are.
    static func names(of endpoint: Endpoint, _ container: Container) -> [EndpointName] {
        names(
            dnsNames: container.dnsNames, aliases: endpoint.aliases,
            container.definitions.map { IdentifyingTexts(name: $0.name, hostname: $0.hostname, id: $0.id) })
    }

    /// Texts of a definition that are names of a container.
    struct IdentifyingTexts {
        let name: String
        let hostname: String?
        let id: String?
    }

    static func names(dnsNames: [Name], aliases: [String], _ definitions: [IdentifyingTexts]) -> [EndpointName] {
        var name = dnsNames
        var others: [Name] = []
        for definition in definitions {
            name += raw(definition.name)
            others += [definition.hostname.flatMap { try? hostName($0) }].compactMap { $0 } + raw(definition.hostname)
            guard let id = definition.id, (try? checkID(id)) != nil else { continue }
            // Ids of 64 digits are longer than a label: of those only the beginning is a name.
            others += [id.prefix(12), id[...]].compactMap { try? Name(labels: [Array($0.utf8)]) }
        }
        var all = name
        for text in aliases {
            if let alias = try? alias(text) { all.append(alias) }
            all += raw(text)
        }
        all += others
        // A handful is compared faster than it is hashed.
        guard all.count > 16 else {
            return all.indices.filter { !all[..<$0].contains(all[$0]) }.map { position in
                let found = all[position]
                return EndpointName(name: found, isAlias: !name.contains(found) && !others.contains(found))
            }
        }
        let own = Set(name + others)
        var seen: Set<Name> = []
        return all.filter { seen.insert($0).inserted }.map { EndpointName(name: $0, isAlias: !own.contains($0)) }
    }

    /// A declared name as its UTF-8 octets; nothing where it is ASCII.
    private static func raw(_ text: String?) -> [Name] {
        guard let text, text.utf8.contains(where: { $0 >= 0x80 }) else { return [] }
        return [try? Name(text)].compactMap { $0 }
    }

    /// The name behind the `*` of a wildcard; nil for any other name.
    static func wildcardSuffix(of name: Name) -> Name? {
        guard name.wire.starts(with: [1, UInt8(ascii: "*")]) else { return nil }
        return try? Name(wire: name.wire.span.extracting(droppingFirst: 2))
    }

    // MARK: - Checks

    /// The name of a container. It may have dots, as `db.1`; no octet is an escape.
    package static func containerName(_ text: String) throws(RegistryError) -> Name {
        if text.isEmpty { throw .invalidName(text, reason: "it is empty") }
        try refuseAddress(text)
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { Array($0) }
        for label in labels where label.count > Name.maximumLabelLength {
            throw .invalidName(text, reason: "it has \(label.count) octets without a dot; a label has at most 63")
        }
        if labels.first == [UInt8(ascii: "*")] { throw .invalidName(text, reason: "a wildcard can be an alias only") }
        return try checked(try name(text) { () throws(NameError) in try Name(labels: labels) }, text)
    }

    /// The name of a network, with A-labels: one label or several.
    package static func networkName(_ text: String) throws(RegistryError) -> Name {
        let name = try anyName(text)
        if name == .local {
            throw .invalidName(text, reason: "names under 'local' are those of multicast DNS (RFC 6762)")
        }
        return name
    }

    /// The name of a network that somebody declares, which the domain must not take for its own.
    /// - Parameters:
    ///   - text: the name.
    ///   - domain: the domain behind all names: under it `web.internal` is a container on any network.
    package static func networkName(_ text: String, beside domain: Name) throws(RegistryError) -> Name {
        let name = try networkName(text)
        if name == domain {
            throw .invalidName(text, reason: "it is the domain behind all names; expected another name")
        }
        if name.isSubdomain(of: domain) {
            throw .invalidName(text, reason: "the domain '\(domain)' stands behind all names; leave it out")
        }
        return name
    }

    /// A domain for the names of hosts: any name but the root and wildcards.
    package static func domainName(_ text: String) throws(RegistryError) -> Name { try hostName(text) }

    /// A hostname, or the name of a link: any name but the root and wildcards.
    package static func hostName(_ text: String) throws(RegistryError) -> Name {
        let name = try anyName(text)
        if name.labels.first == [UInt8(ascii: "*")] {
            throw .invalidName(text, reason: "a wildcard can be an alias only")
        }
        return name
    }

    /// An alias, with A-labels: a name, or `*.` and a name.
    package static func alias(_ text: String) throws(RegistryError) -> Name {
        let name = try anyName(text)
        if name.labelCount == 1, name.labels.first == [UInt8(ascii: "*")] {
            throw .invalidName(text, reason: "it would take every name there is; write what it is under, as *.app.test")
        }
        return name
    }

    /// A name that somebody looks up; nil where it cannot be one.
    static func lookedUp(_ text: String) -> Name? { (try? Name(text)).flatMap { try? $0.withALabels() } }

    /// Refuses an id that cannot be a name: an id is one, and so are its first 12 characters.
    package static func checkID(_ text: String) throws(RegistryError) {
        if text.isEmpty { throw .invalidValue(text, of: "id", reason: "it is empty; leave it out where there is none") }
        try refuseAddress(text)
        for part in [text[...], text.prefix(12)] {
            if part == "*" { throw .invalidName(text, reason: "a wildcard can be an alias only") }
            // A long id is no label, and so no name.
            guard let label = try? Name(labels: [Array(part.utf8)]) else { continue }
            try checkMeaning(of: label, text)
        }
    }

    private static func anyName(_ text: String) throws(RegistryError) -> Name {
        try refuseAddress(text)
        return try checked(try name(text) { () throws(NameError) in try Name(text) }, text)
    }

    /// Refuses an address as a name: programs never look it up.
    private static func refuseAddress(_ text: String) throws(RegistryError) {
        guard IPAddress(text.hasSuffix(".") ? String(text.dropLast()) : text) != nil else { return }
        throw .invalidName(
            text, reason: "it is an address, which nobody looks up; expected a name (ip=ADDR gives addresses)")
    }

    /// A name with A-labels that something can be called by.
    private static func checked(_ name: Name, _ text: String) throws(RegistryError) -> Name {
        try checkMeaning(of: name, text)
        return try self.name(text) { () throws(NameError) in try name.withALabels() }
    }

    /// Refuses a name that somebody else gives a meaning.
    private static func checkMeaning(of name: Name, _ text: String) throws(RegistryError) {
        if name.labelCount == 0 { throw .invalidName(text, reason: "the root is nobody's name") }
        if name.wire.dropLast().contains(0) { throw .invalidName(text, reason: "it contains a NUL") }
        if let domain = SpecialUseDomain(of: name) {
            throw .invalidName(text, reason: "names under '\(domain.name)' have a meaning of their own (RFC 6761)")
        }
        if name.isSubdomain(of: .arpa), !name.isSubdomain(of: .homeARPA) {
            throw .invalidName(text, reason: "names under 'arpa' are those of addresses and protocols (RFC 3172)")
        }
    }

    /// Refuses what cannot be a service's name: one label behind an underscore (RFC 2782).
    package static func checkService(_ text: String) throws(RegistryError) {
        let octets = Array(text.utf8)
        guard !octets.isEmpty, octets.count < Name.maximumLabelLength, !octets.contains(UInt8(ascii: ".")),
            !octets.contains(0)
        else { throw .invalidName(text, reason: "a service's name has 1 to 62 octets, without dots") }
    }

    private static func name(
        _ text: String, _ make: () throws(NameError) -> Name
    ) throws(RegistryError) -> Name {
        do throws(NameError) {
            return try make()
        } catch {
            throw .invalidName(text, reason: error.description)
        }
    }

    /// Refuses an address that no container can have, or has alone.
    package static func check(_ address: IPAddress) throws(RegistryError) {
        let reason: String
        if address.isUnspecified {
            reason = "nobody has the unspecified address"
        } else if address.isLoopback {
            reason = "every namespace has it for itself (loopback)"
        } else if !address.isOneHost {
            reason = "it is no single host's (multicast, broadcast or reserved)"
        } else if case .v6(let v6) = address, v6.bits >> 32 == 0xFFFF {
            // RFC 4291 §2.5.5.2.
            reason = "it is an IPv4 address; write it as one"
        } else {
            return
        }
        throw .invalidAddress(address.description, reason: reason)
    }

    /// Refuses an address that is outside of a network.
    static func check(_ address: IPAddress, _ network: NetworkDefinition) throws(RegistryError) {
        guard network.subnets.isEmpty || network.subnets.contains(where: { $0.contains(address) }) else {
            let subnets = network.subnets.map(\.description).joined(separator: ", ")
            throw .invalidAddress(
                address.description,
                reason: "it is outside the subnets of network \(network.name), which are \(subnets)")
        }
    }
}

extension Name {
    /// Reverse names and other infrastructure of the Internet (RFC 3172 §2).
    package static let arpa = (try? Name("arpa")) ?? .root
    /// The domain of homes, under `arpa` and yet for names of hosts (RFC 8375).
    package static let homeARPA = (try? Name("home.arpa")) ?? .root
    /// Multicast DNS (RFC 6762 §3).
    static let local = (try? Name("local")) ?? .root
}
