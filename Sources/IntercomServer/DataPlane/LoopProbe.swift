// Finding out whether an upstream asks us: it is asked for a name that nobody else knows, and we listen for it.

import DNSWire

/// The name of a probe: ``TokenName/loopProbe``.
enum LoopProbe {
    static func name(of token: UInt64) throws(NameError) -> Name { try TokenName.loopProbe.name(of: UInt128(token)) }

    /// The token in the name of a probe; nil for any other name.
    static func token(in name: borrowing FoldedName) -> UInt64? {
        TokenName.loopProbe.token(in: name).map { UInt64(truncatingIfNeeded: $0) }
    }
}
