// aardvark-dns's files: netavark writes one a network, named as it, with a line for each container.

package import DNSWire

/// Contents of a file in `/run/containers/networks/aardvark-dns`.
package struct AardvarkNetwork: Equatable, Sendable {
    /// The most octets of a file, and lines that are taken: what is behind them is left out.
    package static let maximumLength = 4 << 20
    /// The end of an internal network's file name.
    private static let internalSuffix = "%int"

    /// A line: one container on this network.
    package struct Member: Equatable, Sendable {
        /// 64 hexadecimal digits.
        package var id: String
        /// Addresses on this network, of either family.
        package var addresses: [IPAddress]
        /// Its name and aliases, in podman's order.
        package var names: [String]
    }

    /// The network's name.
    package let name: String
    /// True where nothing is forwarded: the file is called `NAME%int`.
    package let isInternal: Bool
    /// The addresses that aardvark-dns answers at: the network's gateways.
    package let servers: [IPAddress]
    /// Containers on this network, in the order of the file.
    package let members: [Member]
    /// Lines that are none of a container.
    package let passedOver: Int

    /// Reads a file; nil of one that is no network's: `aardvark.pid`.
    package init?(file: String, _ octets: [UInt8]) throws(RuntimeWireError) {
        guard file != "aardvark.pid", !file.hasPrefix(".") else { return nil }
        guard octets.count <= Self.maximumLength else {
            throw .tooLong(what: "the file of network \(file)", limit: Self.maximumLength)
        }
        isInternal = file.hasSuffix(Self.internalSuffix)
        name = isInternal ? String(file.dropLast(Self.internalSuffix.count)) : file
        // A file that is being written ends in the middle of a line; it is read again when that is done.
        let text = String(decoding: octets, as: UTF8.self)
        let lines: [Substring] = text.split(separator: "\n", omittingEmptySubsequences: false)
        let gateways = lines.first.map { $0.prefix { $0 != " " } } ?? ""
        servers = Self.list(gateways).compactMap { IPAddress($0) }
        var members: [Member] = []
        var passedOver = 0
        for line in lines.dropFirst() where !line.isEmpty {
            if let member = Member(line) { members.append(member) } else { passedOver += 1 }
        }
        self.members = members
        self.passedOver = passedOver
    }

    fileprivate static func list(_ text: some StringProtocol) -> [String] {
        text.split { $0 == "," }.map { String($0) }
    }
}

extension AardvarkNetwork.Member {
    /// `ID IPV4,… IPV6,… NAME,… [SERVER,…]`; a field may be empty, so that two blanks stand there.
    init?(_ line: Substring) {
        let fields = line.split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count >= 4, !fields[0].isEmpty else { return nil }
        let texts = AardvarkNetwork.list(fields[1]) + AardvarkNetwork.list(fields[2])
        let addresses = texts.compactMap { IPAddress($0) }
        let names = AardvarkNetwork.list(fields[3])
        guard addresses.count == texts.count, !names.isEmpty else { return nil }
        self.init(id: String(fields[0]), addresses: addresses, names: names)
    }
}
