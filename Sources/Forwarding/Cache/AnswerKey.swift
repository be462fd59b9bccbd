// Keys of the cache.

import DNSWire

/// A question as the cache knows it, lent.
struct AnswerKey: ~Escapable {
    /// The folded name on the wire, root included.
    let name: Span<UInt8>
    let type: RecordType
    let recordClass: RecordClass
    /// The other things that the answer depends on.
    let circumstances: Circumstances

    @_lifetime(copy name)
    init(_ name: Span<UInt8>, _ type: RecordType, _ recordClass: RecordClass, _ circumstances: Circumstances) {
        self.name = name
        self.type = type
        self.recordClass = recordClass
        self.circumstances = circumstances
    }

    /// The key of NXDOMAIN for all types of the name.
    var ofEveryType: AnswerKey {
        @_lifetime(copy self)
        get { AnswerKey(name, .everyType, recordClass, circumstances) }
    }

    func hash(_ hash: NameHash) -> UInt32 {
        let rest = UInt64(type.rawValue) << 48 | UInt64(recordClass.rawValue) << 32 | UInt64(circumstances.scope)
        let mixed = hash.mix(hash.hash(name) &+ UInt64(circumstances.bits), rest)
        return UInt32(truncatingIfNeeded: mixed)
    }
}

extension RecordType {
    /// The type that NXDOMAIN is kept under: it holds for the name and class, whatever the type (RFC 2308 §5). 0 is the type of
    /// no data (RFC 6895 §3.1).
    static var everyType: RecordType { RecordType(rawValue: 0) }
}

/// The same, owned.
struct QuestionKey: Hashable, Sendable {
    /// The folded name, type and class on the wire.
    let question: [UInt8]
    let circumstances: Circumstances
    /// Of all that; found out once.
    private let hash: UInt32

    init(_ name: borrowing FoldedName, _ question: Question, _ circumstances: Circumstances, _ hash: NameHash) {
        let key = AnswerKey(name.span, question.type, question.recordClass, circumstances)
        self.hash = key.hash(hash)
        var octets: [UInt8] = []
        octets.reserveCapacity(name.length + 4)
        octets.append(name.span, 0..<name.length)
        octets.append(word: question.type.rawValue)
        octets.append(word: question.recordClass.rawValue)
        self.question = octets
        self.circumstances = circumstances
    }

    func hash(into hasher: inout Hasher) { hasher.combine(hash) }

    static func == (left: QuestionKey, right: QuestionKey) -> Bool {
        left.hash == right.hash && left.circumstances == right.circumstances && left.question == right.question
    }

    var lent: AnswerKey {
        @_lifetime(borrow self)
        get {
            let octets = question.span
            let end = octets.count - 4
            return AnswerKey(
                octets.extracting(0..<end), RecordType(rawValue: octets.word16(end)),
                RecordClass(rawValue: octets.word16(end + 2)), circumstances)
        }
    }
}

/// The things beside its question that an answer depends on.
struct Circumstances: Hashable, Sendable {
    /// The upstreams that were asked, see ``Scopes``.
    let scope: UInt32
    /// DO and CD of the query; that RD is missing, for who was asked without: what is kept was asked for with RD.
    let bits: UInt8

    private static let withoutRecursion: UInt8 = 4

    /// The circumstances of a query, as a cached answer depends on them.
    init(scope: UInt32, _ client: ClientQuery) {
        self.init(scope: scope, bits: (client.dnssecOK ? 1 : 0) | (client.flags.cd ? 2 : 0))
    }

    /// The circumstances of a query, as an upstream's answer depends on them.
    init(scope: UInt32, asking client: ClientQuery) {
        let kept = Circumstances(scope: scope, client)
        self.init(scope: scope, bits: kept.bits | (client.flags.rd ? 0 : Self.withoutRecursion))
    }

    init(scope: UInt32, bits: UInt8) {
        self.scope = scope
        self.bits = bits
    }
}
