// The lines in the host's resolv.conf by which the host itself asks us: intercomctl writes them, intercomd follows them.

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
