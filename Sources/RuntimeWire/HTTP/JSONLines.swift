// A stream of JSON, one value a line, as `/events` sends it.

/// Cuts a body that goes on for ever into lines.
package struct JSONLines: Sendable {
    /// The most octets of one line: an event carries a container's labels, of which there may be many.
    static let maximumLine = 1 << 20

    private var rest: [UInt8] = []

    package init() {}

    /// Takes some more of the body.
    /// - Returns: the lines that are complete now, without those that are empty.
    /// - Throws: ``RuntimeWireError/tooLong(what:limit:)``.
    package mutating func receive(_ octets: [UInt8]) throws(RuntimeWireError) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var pieces = octets.split(separator: 0x0A, omittingEmptySubsequences: false)
        let last = pieces.popLast() ?? []
        for piece in pieces {
            let line = rest + piece
            rest.removeAll()
            guard line.count <= Self.maximumLine else { throw .tooLong(what: "an event", limit: Self.maximumLine) }
            if line.contains(where: { $0 > 0x20 }) { lines.append(line) }
        }
        rest += last
        guard rest.count <= Self.maximumLine else { throw .tooLong(what: "an event", limit: Self.maximumLine) }
        return lines
    }
}
