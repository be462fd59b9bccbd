// A record of the operator: one name, one type, one piece of data; and the checks that it passes.

package import DNSWire

/// A record that somebody has added, for all containers or for those on one network.
package struct RecordDefinition: Sendable, Hashable {
    /// The owner, with A-labels; the first label of a wildcard is `*`.
    package var name: Name
    /// One of the types that ``DNSWire/RecordText`` takes.
    package var type: RecordType
    /// RDATA; names in it are uncompressed.
    package var data: [UInt8]
    /// The network whose containers see it; nil: all do.
    package var network: Name?
    /// Seconds that it may be kept; nil: as the network says, else as configured.
    package var ttl: UInt32?
    /// Source of the declaration: the configuration, the control socket or a hosts file.
    package var source: Source

    /// A record whose parts were checked, for as long as is configured.
    init(name: Name, type: RecordType, data: [UInt8], network: Name?, source: Source) {
        self.name = name
        self.type = type
        self.data = data
        self.network = network
        self.source = source
    }

    /// Checks and reads a record.
    /// - Parameters:
    ///   - name: the owner as text, which may begin with `*.`.
    ///   - type: the type as text, as `MX` or `TYPE65280`.
    ///   - data: the data as ``DNSWire/RecordText`` takes them.
    ///   - network: the network's name; nil: for all.
    ///   - ttl: seconds, at most 2147483647; nil: as configured.
    ///   - source: source of the declaration.
    /// - Throws: ``RegistryError/invalidName(_:reason:)``, ``RegistryError/invalidValue(_:of:reason:)``.
    package init(
        name: String, type: String, data: [String], network: String? = nil, ttl: UInt32? = nil, source: Source
    ) throws(RegistryError) {
        guard let known = RecordType(text: type) else {
            throw .invalidValue(type, of: "type", reason: "expected a type, as A, CNAME, TXT or TYPE65280")
        }
        self.name = try Registry.recordName(name)
        self.type = known
        self.network = try network.map { text throws(RegistryError) in try Registry.networkName(text) }
        self.ttl = ttl
        self.source = source
        do throws(RecordTextError) {
            self.data = try RecordText.data(of: known, data)
        } catch {
            switch error {
            case .badType(_, let reason): throw .invalidValue(type, of: "type", reason: reason)
            case .badData(_, let reason):
                throw .invalidValue(data.joined(separator: " "), of: "\(known) data", reason: reason)
            }
        }
        try check(data)
    }

    /// Refuses addresses that nobody can have, data that no answer has room for, and aliases of names that RFCs define.
    private func check(_ texts: [String]) throws(RegistryError) {
        let text = texts.joined(separator: " ")
        try Registry.check(data.count, Registry.Limits.recordData, "octets of data of one record")
        guard type == .cname, let target else { return }
        if target == name { throw .invalidValue(text, of: "CNAME data", reason: "the record leads to itself") }
        if let domain = SpecialUseDomain(of: target) {
            throw .invalidValue(
                text, of: "CNAME data", reason: "names under '\(domain.name)' have a meaning of their own (RFC 6761)")
        }
    }

    /// The name that a CNAME record leads to.
    package var target: Name? { type == .cname ? try? Name(wire: data.span) : nil }

    /// The data as text, as in a zone file.
    package var text: String { RecordText.text(of: data, type) }
}

extension Registry {
    /// The name of a record: any name, or `*.` and a name; also reverse names of addresses that are not loopback.
    package static func recordName(_ text: String) throws(RegistryError) -> Name {
        if let name = try? Name(text), name.isSubdomain(of: .arpa), !name.isSubdomain(of: .homeARPA) {
            return try reverseName(name, text)
        }
        let name = try alias(text)
        if name.labels.dropFirst().contains([UInt8(ascii: "*")]) {
            throw .invalidName(text, reason: "a wildcard is the first label alone, as in *.app.test")
        }
        return name
    }

    private static func reverseName(_ name: Name, _ text: String) throws(RegistryError) -> Name {
        var folded = FoldedName()
        folded.set(name)
        guard let block = folded.reverseBlock else {
            throw .invalidName(text, reason: "expected the reverse name of an address, as 9.1.0.10.in-addr.arpa")
        }
        if block.isLoopback { throw .invalidName(text, reason: "every namespace has its own loopback addresses") }
        return name
    }
}
