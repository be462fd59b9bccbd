// resolv.conf: what the host's says, and the one that we write for a container. Text in, text out.

import ControlAPI
package import DNSWire

/// Contents of a resolv.conf (resolv.conf(5)).
package struct ResolverConfiguration: Sendable, Equatable {
    /// In the order in which they are asked.
    ///
    /// All that the file has, though libc asks only the first three. Empty: a libc would ask the machine's own server.
    /// 127.0.0.11 is a server like any other: in a container of Docker's, where the daemon itself may run, it is Docker's.
    package var nameservers: [ServerAddress] = []
    /// The domains that short names are tried in.
    package var search: [String] = []
    /// As they are spelled, `ndots:1` or `edns0`.
    package var options: [String] = []

    /// True when the file has the lines that `intercomctl host enable` puts there: the host itself asks us at 127.0.0.11.
    package var servesHost = false

    package init(nameservers: [ServerAddress] = [], search: [String] = [], options: [String] = []) {
        self.nameservers = nameservers
        self.search = search
        self.options = options
    }

    /// Reads a resolv.conf as libc does: a keyword must begin its line, and lines that make no sense are passed over.
    package init(_ text: some StringProtocol) {
        servesHost = HostResolverText.hasLines(text)
        for line in text.split(whereSeparator: \.isNewline) {
            guard let first = line.first, first != "#", first != ";", !first.isWhitespace else { continue }
            let words = line.split { $0 == " " || $0 == "\t" }.map { String($0) }
            // Text behind the values is a comment to most authors, whatever their libc makes of it.
            let values = words.dropFirst().prefix { !$0.hasPrefix("#") && !$0.hasPrefix(";") }
            guard let value = values.first else { continue }
            switch words.first {
            case "nameserver":
                if let server = Self.nameserver(value) { nameservers.append(server) }
            // Of several `search` and `domain` lines the last one counts.
            case "search": search = Array(values)
            case "domain": search = [value]
            case "options": options += values
            default: break
            }
        }
    }

    /// Seconds that a libc waits for each server: `timeout:n`, at most 30; nil where nothing is said, or nonsense.
    package var timeout: Int? {
        options.last { $0.hasPrefix("timeout:") }.flatMap { Int($0.dropFirst("timeout:".count)) }
            .flatMap { $0 > 0 ? min($0, 30) : nil }
    }

    /// Names with fewer dots are tried with the search domains first: `ndots:n`, 1 where nothing is said, at most 15
    /// (resolv.conf(5)).
    package var dots: Int {
        options.last { $0.hasPrefix("ndots:") }.flatMap { Int($0.dropFirst("ndots:".count)) }
            .map { min(max($0, 0), 15) } ?? 1
    }

    /// An address with its scope, if it has one. libc knows no ports here; it reads IPv4 addresses by inet_aton(3).
    private static func nameserver(_ text: String) -> ServerAddress? {
        if let address = IPv4Address(traditional: text) { return ServerAddress(address: .v4(address)) }
        guard !text.hasPrefix("["), let server = try? ServerAddress(text) else { return nil }
        if case .v4 = server.address, text.contains(":") { return nil }
        return server
    }
}

extension ResolverConfiguration {
    /// Beginning of the first line of every file that we write.
    private static let mark = "# Written by intercom"

    /// True when a file's text is one of ours, which we may replace and remove.
    package static func isOurs(_ text: some StringProtocol) -> Bool {
        guard text.hasPrefix(mark) else { return false }
        // `intercomd` or another word that begins like ours is somebody else.
        return text.dropFirst(mark.count).first.map { !$0.isLetter && !$0.isNumber } ?? true
    }

    /// The resolv.conf of a container, where this one is the host's: 127.0.0.11 as the only server, search list and options as here.
    ///
    /// `ndots:0` takes the place of the host's own, as on a Docker network: a container's name is tried as it is, first.
    /// - Parameter carryingSearch: false leaves the search list out (`no-search`).
    package func render(carryingSearch: Bool = true) -> String {
        var lines = [
            "\(Self.mark): \(IPv4Address.intercom) answers container names and forwards the rest.",
            "nameserver \(IPv4Address.intercom)",
        ]
        if carryingSearch, !search.isEmpty { lines.append("search " + search.joined(separator: " ")) }
        let carried = options.filter { $0 != "ndots" && !$0.hasPrefix("ndots:") }
        lines.append("options " + (["ndots:0"] + carried).joined(separator: " "))
        return lines.joined(separator: "\n") + "\n"
    }
}
