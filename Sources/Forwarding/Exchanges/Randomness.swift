// Numbers that nobody can guess: ids, the spelling of names.

/// Random bits, fetched many at a time.
struct Randomness {
    private let fill: @Sendable (inout [UInt8]) -> Void
    /// So many that getrandom(2) is called for one question in a hundred or so, and so few that they fit into the cache.
    private var octets = [UInt8](repeating: 0, count: 512)
    private var next: Int

    /// - Parameter fill: fills an array with octets that nobody can guess.
    init(_ fill: @escaping @Sendable (inout [UInt8]) -> Void) {
        self.fill = fill
        next = octets.count
    }

    mutating func octet() -> UInt8 {
        if next == octets.count {
            fill(&octets)
            next = 0
        }
        defer {
            // What was used is known to others now, or will be.
            octets[next] = 0
            next += 1
        }
        return octets[next]
    }

    mutating func word16() -> UInt16 { UInt16(octet()) << 8 | UInt16(octet()) }
}
