// Names and ids as runtimes make them up, and which of them can be names in DNS.

/// Names of containers.
package enum RuntimeName {
    /// The most octets of a label (RFC 1035 §2.3.4).
    private static let longestLabel = 63
    /// The most octets of a name as text (RFC 1035 §2.3.4: 255 on the wire).
    private static let longestName = 253
    /// Characters of an id that are a name, too: as `docker ps` shows it.
    private static let shortLength = 12
    /// Hexadecimal digits of the ids that Docker, podman and nerdctl make up.
    private static let generatedLength = 64

    /// A name for which a container can be asked; nil for anything else, so that a strange name does not keep the container
    /// from being published.
    package static func whole(_ text: String) -> String? {
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isName =
            text.utf8.count <= longestName && labels.allSatisfy { (1...longestLabel).contains($0.count) }
            && !text.utf8.contains { $0 <= 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "\\") }
        return isName ? text : nil
    }

    /// The beginning of an id.
    package static func short(_ id: String) -> String { String(id.prefix(shortLength)) }

    /// True for an id that an engine made up: 64 hexadecimal digits.
    package static func isGenerated(_ id: some StringProtocol) -> Bool {
        id.utf8.count == generatedLength && id.allSatisfy { $0.isHexDigit }
    }
}
