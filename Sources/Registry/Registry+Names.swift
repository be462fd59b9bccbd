// What may be a name of what, and all names that a container answers to.

import DNSWire

extension Registry {
    /// The names of a container on one of its networks, as people write them.
    package func names(of endpoint: Endpoint, _ container: Container) -> [String] {
        Self.names(of: endpoint, container).map(\.name.description)
    }

    /// The container's name, its aliases, hostname, the first 12 characters of its id, and the id; each once.
    static func names(of endpoint: Endpoint, _ container: Container) -> [(name: Name, isAlias: Bool)] {
        let name = [container.dnsName].compactMap { $0 }
        var others = [container.declared?.hostname.flatMap { try? hostName($0) }].compactMap { $0 }
        // Ids of 64 digits are longer than a label: of those only the beginning is a name.
        for id in [container.declared?.id?.prefix(12), container.declared?.id?[...]] {
            if let id, let label = try? Name(labels: [Array(id.utf8)]) { others.append(label) }
        }
        let own = Set(name + others)
        var seen: Set<Name> = []
        return (name + endpoint.aliases.compactMap { try? alias($0) } + others).filter { seen.insert($0).inserted }
            .map { ($0, !own.contains($0)) }
    }

    /// What is behind the `*` of a wildcard; nil for any other name.
    static func wildcardSuffix(of name: Name) -> Name? {
        guard name.labels.first == [UInt8(ascii: "*")] else { return nil }
        return try? Name(labels: Array(name.labels.dropFirst()))
    }

    // MARK: - Checks

    static func containerName(_ text: String) throws(RegistryError) -> Name {
        let octets = Array(text.utf8)
        if octets.isEmpty { throw .invalidName(text, reason: "it is empty") }
        if octets.count > Name.maximumLabelLength {
            throw .invalidName(text, reason: "it has \(octets.count) octets; a container's name has at most 63")
        }
        if octets.contains(UInt8(ascii: ".")) {
            throw .invalidName(text, reason: "a container's name is one label, without dots; give others by --alias")
        }
        if octets.contains(0) { throw .invalidName(text, reason: "it contains a NUL") }
        if octets == [UInt8(ascii: "*")] { throw .invalidName(text, reason: "a wildcard can be an alias only") }
        return try name(text) { () throws(NameError) in try Name(labels: [octets]) }
    }

    static func networkName(_ text: String) throws(RegistryError) -> Name {
        let name = try name(text) { () throws(NameError) in try Name(text) }
        if name.labelCount == 0 { throw .invalidName(text, reason: "the root cannot be a network's name") }
        if name.wire.dropLast().contains(0) { throw .invalidName(text, reason: "it contains a NUL") }
        return name
    }

    /// A hostname, or what a link is called: any name but the root and wildcards.
    static func hostName(_ text: String) throws(RegistryError) -> Name {
        let name = try name(text) { () throws(NameError) in try Name(text) }
        if name.labelCount == 0 { throw .invalidName(text, reason: "the root cannot be a container's name") }
        if name.wire.dropLast().contains(0) { throw .invalidName(text, reason: "it contains a NUL") }
        if name.labels.first == [UInt8(ascii: "*")] {
            throw .invalidName(text, reason: "a wildcard can be an alias only")
        }
        return name
    }

    static func alias(_ text: String) throws(RegistryError) -> Name {
        let name = try name(text) { () throws(NameError) in try Name(text) }
        if name.labelCount == 0 { throw .invalidName(text, reason: "the root cannot be an alias") }
        if name.wire.dropLast().contains(0) { throw .invalidName(text, reason: "it contains a NUL") }
        if name.labelCount == 1, name.labels.first == [UInt8(ascii: "*")] {
            throw .invalidName(text, reason: "it would take every name there is; write what it is under, as *.app.test")
        }
        return name
    }

    static func checkService(_ text: String) throws(RegistryError) {
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

    static func check(_ address: IPAddress, _ network: NetworkDefinition) throws(RegistryError) {
        if address.isUnspecified {
            throw .invalidAddress(address.description, reason: "nobody has the unspecified address")
        }
        guard network.subnets.isEmpty || network.subnets.contains(where: { $0.contains(address) }) else {
            let subnets = network.subnets.map(\.description).joined(separator: ", ")
            throw .invalidAddress(
                address.description,
                reason: "it is outside the subnets of network \(network.name), which are \(subnets)")
        }
    }
}
