// The lines and the file by which the host itself asks us: intercomctl writes them, intercomd follows them.

/// Edits the text of a resolv.conf: two lines at its beginning, and nothing else.
package enum HostResolverText {
    /// The first of the two lines: a comment, by which both programs know the second as ours.
    private static let comment = "# intercom host: 'intercomctl host disable' removes this line and the next"
    private static let server = "nameserver 127.0.0.11"
    /// Both lines.
    package static let lines = "\(comment)\n\(server)\n"

    /// True where a text has both lines, one behind the other.
    package static func hasLines(_ text: some StringProtocol) -> Bool { range(in: Array(text.utf8)) != nil }

    /// The octets with the lines before them; as they are where they have the lines.
    package static func enabled(_ octets: [UInt8]) -> [UInt8] {
        range(in: octets) == nil ? Array(lines.utf8) + octets : octets
    }

    /// The octets without the lines, wherever they stand and however often.
    package static func disabled(_ octets: [UInt8]) -> [UInt8] {
        var octets = octets
        while let range = range(in: octets) { octets.removeSubrange(range) }
        return octets
    }

    /// The place of both lines: at the beginning of a line; without the last newline at the end of the text.
    private static func range(in octets: [UInt8]) -> Range<Int>? {
        let pattern = Array(lines.utf8)
        let newline = UInt8(ascii: "\n")
        var start = 0
        while octets.count - start >= pattern.count - 1 {
            let end = min(start + pattern.count, octets.count)
            if octets[start..<end].elementsEqual(pattern.prefix(end - start)) { return start..<end }
            guard let next = octets[start...].firstIndex(of: newline) else { return nil }
            start = next + 1
        }
        return nil
    }
}

/// The file that delegates the domain of containers to us, for systemd-resolved (systemd.dns-delegate(5), systemd 258). Before that
/// systemd-resolved does not read it, and a link has the same servers and domain; for us it says the same of both.
package enum HostDelegate {
    /// Path of the file.
    package static let path = "/etc/systemd/dns-delegate.d/intercom.dns-delegate"

    /// Contents of the file.
    /// - Parameter domain: domain that names of containers end in.
    package static func text(domain: String) -> String {
        """
        # intercom host: 'intercomctl host disable' removes this file
        [Delegate]
        DNS=127.0.0.11
        Domains=~\(domain)

        """
    }

    /// True for the contents of a file that leads questions of the host to us.
    package static func isOurs(_ text: some StringProtocol) -> Bool {
        text.split(whereSeparator: \.isNewline).contains { $0 == "DNS=127.0.0.11" }
    }
}
