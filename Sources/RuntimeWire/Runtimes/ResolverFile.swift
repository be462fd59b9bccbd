// The servers in a container's resolv.conf, for a source that can read the file before the container can.

package import DNSWire

/// A resolv.conf (resolv.conf(5)).
package enum ResolverFile {
    /// The most servers that are taken: libc asks 3, musl too.
    package static let mostServers = 8

    /// The servers that a file names, in its order, at most ``mostServers``. A line that makes no sense is passed over, and so
    /// is an address with a scope, which means a link.
    package static func servers(_ text: some StringProtocol) -> [IPAddress] {
        var servers: [IPAddress] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split { $0 == " " || $0 == "\t" }
            // As libc reads it: the keyword begins its line.
            guard line.hasPrefix("nameserver"), words.count > 1, words[0] == "nameserver" else { continue }
            let address = IPv4Address(traditional: String(words[1])).map(IPAddress.v4) ?? IPAddress(String(words[1]))
            if let address, !servers.contains(address) { servers.append(address) }
            if servers.count == mostServers { break }
        }
        return servers
    }
}
