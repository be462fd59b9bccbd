// Port 53 led to another port inside one namespace, so that whoever serves DNS there on all addresses keeps the port.

internal import SystemPackage

/// Rules of nftables that lead the port of an IPv4 address to another port of it, and the answers back.
package struct PortRedirection: Hashable, Sendable {
    /// The only table of nftables that is touched.
    package static let table = "intercom"

    /// Where clients ask, 127.0.0.11:53.
    package let address: SocketAddress
    /// The port that their questions are led to.
    package let port: UInt16

    /// Leads what comes to an address and port to another port of that address.
    package init(of address: SocketAddress, to port: UInt16) {
        self.address = address
        self.port = port
    }

    // MARK: - In a namespace

    /// Sets the rules in a namespace.
    /// - Returns: what tells of it when somebody removes them.
    /// - Throws: ``LinuxError``; of kind ``LinuxError/Kind/noNftables`` when there can be no rules.
    package func set(in namespace: borrowing NetworkNamespace) throws(LinuxError) -> NftablesMonitor {
        try NamespaceEntry.run(in: namespace) { () throws(LinuxError) in
            // First the ears: what is removed from the first moment on is noticed.
            let monitor = try NftablesMonitor()
            try set(monitor)
            return monitor
        }
    }

    /// Sets the rules anew in the namespace of a monitor, if some are missing.
    /// - Returns: whether some were.
    /// - Throws: ``LinuxError``, as at first.
    package func repair(_ monitor: borrowing NftablesMonitor) throws(LinuxError) -> Bool {
        let ears = try monitor.duplicate()
        return try NamespaceEntry.run(in: try NetworkNamespace(of: ears.descriptor)) { () throws(LinuxError) in
            if isSet { return false }
            try set(ears)
            return true
        }
    }

    /// Removes the table in the namespace of a monitor.
    /// - Throws: ``LinuxError``, for example when it is gone with all of nftables.
    package func remove(_ monitor: borrowing NftablesMonitor) throws(LinuxError) {
        try NamespaceEntry.run(in: try NetworkNamespace(of: monitor.descriptor)) { () throws(LinuxError) in
            _ = try Nftables.run(Self.removal)
        }
    }

    /// In the namespace that this thread is in.
    private func set(_ monitor: borrowing NftablesMonitor) throws(LinuxError) {
        try Nftables.run(rules)
        // What was heard until now was our own doing; whether it was that alone is seen.
        _ = monitor.takeRemovals(from: Self.table)
        guard isSet else {
            throw LinuxError(
                call: "nftables", errno: .interrupted, subject: "the rules were removed while they were set")
        }
    }

    private var isSet: Bool {
        guard let text = try? Nftables.run("list table ip \(Self.table)\n") else { return false }
        let translations = text.split(whereSeparator: \.isNewline).filter { $0.hasSuffix(":\(port)") }
        return translations.count == 2 && text.contains("hook output")
    }

    // MARK: - In the words of nft(8)

    /// A table is added before it is deleted, so that there is one to be deleted.
    private static var removal: String { "add table ip \(table)\ndelete table ip \(table)\n" }

    /// The translation is at the place of all others of destinations (`dstnat`). Connection tracking brings the answers back
    /// under the address and port that were asked.
    private var rules: String {
        let host = address.description.prefix { $0 != ":" }
        let translations = ["udp", "tcp"].map { transport in
            "ip daddr \(host) \(transport) dport \(address.port) dnat to \(host):\(port)"
        }
        return """
            \(Self.removal)
            table ip \(Self.table) {
                chain output {
                    type nat hook output priority -100; policy accept;
                    \(translations.joined(separator: "\n        "))
                }
            }

            """
    }
}
