// Files in the form of hosts(5): addresses and their names, as records of the operator.

package import DNSWire

/// The records of one file: A and AAAA for each name, and PTR for each address with the first name of its first line, as
/// gethostbyaddr(3) finds it.
package struct HostsFile: Sendable {
    /// Each once, in the order of the file.
    package private(set) var records: [RecordDefinition] = []
    /// Sentences about the first lines that are not in force, as `line 3: …`; at most ``reportedFaults``.
    package private(set) var faults: [String] = []

    /// Octets that a file, or all files of a directory, may have.
    package static let maximumLength = 10 << 20
    /// Faults that are reported of one file: more would only fill the log.
    package static let reportedFaults = 5

    /// Reads a file. Addresses of the loopback interface are left out, as every container has its own; multicast and link-local
    /// ones are nobody's.
    /// - Parameters:
    ///   - text: its content; a comment goes from `#` to the end of the line.
    ///   - path: its path, which becomes the records' source.
    ///   - network: the network whose containers see them; nil: all do.
    package init(_ text: String, path: String, network: Name?) {
        var seen: Set<RecordDefinition> = []
        var named: Set<Name> = []
        var number = 0
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let content = line.prefix { $0 != UInt8(ascii: "#") }
            let words = content.split {
                $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r")
            }
            .map { String(Substring($0)) }
            guard let first = words.first else { continue }
            do throws(RegistryError) {
                for record in try Self.records(first, words.dropFirst(), .hostsFile(path), network)
                where seen.insert(record).inserted {
                    // A file may give one address to each of 100,000 names.
                    if record.type == .ptr, !named.insert(record.name).inserted { continue }
                    records.append(record)
                }
            } catch {
                if faults.count < Self.reportedFaults { faults.append("line \(number): \(error)") }
            }
        }
    }

    private static func records(
        _ text: String, _ names: ArraySlice<String>, _ source: Source, _ network: Name?
    ) throws(RegistryError) -> [RecordDefinition] {
        // An address with a zone, as fe80::1%eth0, is link-local.
        if text.utf8.contains(UInt8(ascii: "%")) { return [] }
        guard let address = IPAddress(text) else {
            throw .invalidAddress(text, reason: "expected an IPv4 or IPv6 address, then names")
        }
        guard !address.isLoopback, !address.isForOneLink else { return [] }
        let (type, data) = RecordBuilder.data(address)
        var records: [RecordDefinition] = []
        for name in names {
            let owner = try Registry.recordName(name)
            if records.isEmpty, !address.isUnspecified {
                records.append(RecordDefinition(address.reverseName, .ptr, owner.wire, network, source))
            }
            records.append(RecordDefinition(owner, type, data, network, source))
        }
        return records
    }
}

extension RecordDefinition {
    /// A record whose parts were checked.
    fileprivate init(_ name: Name, _ type: RecordType, _ data: [UInt8], _ network: Name?, _ source: Source) {
        self.init(name: name, type: type, data: data, network: network, source: source)
    }
}

extension IPAddress {
    /// True for multicast (RFC 5771, RFC 4291 §2.7) and link-local addresses (RFC 3927, RFC 4291 §2.5.6).
    fileprivate var isForOneLink: Bool {
        switch self {
        case .v4(let address):
            address.octets[0] >= 224 && address.octets[0] < 240 || address.octets.starts(with: [169, 254])
        case .v6(let address):
            address.octets[0] == 0xFF || address.octets[0] == 0xFE && address.octets[1] & 0xC0 == 0x80
        }
    }
}
