// Chains of CNAME records that were followed before: the next answer with one is a look-up and a copy.

package import DNSWire
import Tables

/// Chains that lead to records of ours, by who asked for what, until any table changes.
///
/// To follow a chain takes several look-ups: for containers of its first name, for the record, and for its target in each form
/// that names have. All of them say the same until something changes, and so does what is written: the memo has the CNAME
/// records as they stand in the answer, and behind them the one record that they lead to; of several, which take turns, the place.
/// It is emptied when it is full: who asks for ever new names under a wildcard has his chains followed.
struct ChainMemo: Sendable {
    /// One chain.
    struct Entry: Sendable {
        /// Of name, view and type.
        var hash: UInt32
        var view: UInt32
        var type: UInt16
        /// End of the question in the message: pointers in the chain are to offsets in the answer.
        var questionEnd: UInt16
        /// Place of the name, without its root, in ``ChainMemo/octets``; the chain stands behind it.
        var start: UInt32
        var nameLength: UInt16
        var chainLength: UInt16
        /// Number of records in the chain.
        var count: UInt16
        /// True where the record at the end is one of these; else there are several.
        var isWhole: Bool
        /// Offset in the answer of the name that the records of the end have.
        var owner: UInt16
        /// Scope of the first CNAME record.
        var scope: ScopeID
        /// Number of the name that has the records, in the table of names.
        var end: Int
        /// Position of its records in the table of all runs.
        var run: Int
    }

    /// A container asks for a handful of names; all that are asked for on a machine are some hundreds.
    private static let mostEntries = 1024
    private static let mostOctets = 1 << 17

    private var index = HashIndex()
    private(set) var entries: [Entry] = []
    private(set) var octets: [UInt8] = []

    var isEmpty: Bool { entries.isEmpty }

    /// The number of a chain.
    @inline(__always)
    func find(
        _ name: Span<UInt8>, _ hash: UInt32, view: ViewID, type: RecordType, questionEnd: Int
    ) -> Int? {
        var probe = index.probe(hash)
        while let number = index.next(&probe) {
            if entries[number].view == view.rawValue, entries[number].type == type.rawValue,
                Int(entries[number].questionEnd) == questionEnd, Int(entries[number].nameLength) == name.count,
                octets.span.extracting(place(number)).isEqual(to: name)
            {
                return number
            }
        }
        return nil
    }

    private func place(_ number: Int) -> Range<Int> {
        let start = Int(entries[number].start)
        return start..<start &+ Int(entries[number].nameLength)
    }

    /// Place of the records of a chain in ``octets``.
    func chain(_ number: Int) -> Range<Int> {
        let start = Int(entries[number].start) &+ Int(entries[number].nameLength)
        return start..<start &+ Int(entries[number].chainLength)
    }

    /// Takes in a chain; its name, and the records behind it, are set in its entry here.
    mutating func add(_ entry: Entry, _ name: Span<UInt8>, _ chain: [UInt8]) {
        if entries.count >= Self.mostEntries || octets.count + name.count + chain.count > Self.mostOctets {
            removeAll()
        }
        var entry = entry
        entry.start = UInt32(truncatingIfNeeded: octets.count)
        entry.nameLength = UInt16(truncatingIfNeeded: name.count)
        entry.chainLength = UInt16(truncatingIfNeeded: chain.count)
        octets.append(name)
        octets += chain
        index.insert(entry.hash, entries.count)
        entries.append(entry)
    }

    mutating func removeAll() {
        index = HashIndex()
        entries.removeAll(keepingCapacity: true)
        octets.removeAll(keepingCapacity: true)
    }
}

extension Directory {
    /// Hash of a question.
    @inline(__always)
    private func chainHash(_ name: Span<UInt8>, _ view: ViewID, _ type: RecordType) -> UInt32 {
        index.hash(name, with: UInt64(view.rawValue) << 16 | UInt64(type.rawValue))
    }

    /// The number of the chain that a question was answered with before, and the scope of its first record; nil: nothing is
    /// known, or it may have changed. The number holds until the next change.
    /// - Parameters:
    ///   - name: the whole name of the question, folded.
    ///   - type: its type.
    ///   - questionEnd: the offset behind the question in the message.
    ///   - view: who asks.
    @inline(__always)
    package mutating func recallChain(
        _ name: borrowing FoldedName, _ type: RecordType, questionEnd: Int, view: ViewID
    ) -> (number: Int, scope: ScopeID)? {
        if chains.isEmpty { return nil }
        let octets = name.labels(0, name.labelCount)
        let hash = chainHash(octets, view, type)
        guard let number = chains.find(octets, hash, view: view, type: type, questionEnd: questionEnd) else {
            return nil
        }
        return (number, chains.entries[number].scope)
    }

    /// Keeps a chain that was followed to records of ours.
    /// - Parameters:
    ///   - chain: the CNAME records, that of the question's name first.
    ///   - end: the name that they lead to; nothing is kept where it has no record of the type.
    ///   - name: the whole name of the question, folded.
    ///   - type: its type.
    ///   - questionEnd: the offset behind the question in the message.
    ///   - view: who asks.
    @inline(never)
    package mutating func remember(
        _ chain: [Match], to end: Match, _ name: borrowing FoldedName, _ type: RecordType, questionEnd: Int,
        view: ViewID
    ) {
        guard let first = chain.first,
            let run = index.runs.run(of: end.number).first(where: { index.runs.elements[$0].type == type.rawValue })
        else { return }
        var octets: [UInt8] = []
        var owner = Header.length
        for match in chain {
            let start = octets.count
            let record = records(match, .cname)
            guard record.count == 1, octets.append(record.octets, of: owner) else { return }
            owner = questionEnd + start + RecordBuilder.fixedLength
        }
        // One record takes no turns, and is copied with the chain.
        let isWhole = index.runs.elements[run].count == 1
        if isWhole, !octets.append(records(ofRun: run, of: end.number, .max).octets, of: owner) { return }
        guard owner <= CompressionPointer.maximumOffset, octets.count <= Int(UInt16.max) else { return }
        let labels = name.labels(0, name.labelCount)
        chains.add(
            ChainMemo.Entry(
                hash: chainHash(labels, view, type), view: view.rawValue, type: type.rawValue,
                questionEnd: UInt16(truncatingIfNeeded: questionEnd), start: 0, nameLength: 0, chainLength: 0,
                count: UInt16(truncatingIfNeeded: chain.count + (isWhole ? 1 : 0)), isWhole: isWhole,
                owner: UInt16(truncatingIfNeeded: owner), scope: first.scope, end: end.number, run: run),
            labels, octets)
    }

    /// Number of chains that are kept.
    package var chainCount: Int { chains.entries.count }

    /// The CNAME records of a chain as they stand behind the question; where ``isWhole(chain:)``, the record at its end, too.
    /// - Parameter number: what ``recallChain(_:_:questionEnd:view:)`` gives.
    @_lifetime(&self)
    package mutating func chain(_ number: Int) -> Records {
        Records(chains.octets.span.extracting(chains.chain(number)), count: Int(chains.entries[number].count))
    }

    /// True where the chain leads to one record, which ``chain(_:)`` has as its last one.
    package mutating func isWhole(chain number: Int) -> Bool { chains.entries[number].isWhole }

    /// The offset in the answer of the name that the records at the end of a chain have.
    package mutating func endOwner(ofChain number: Int) -> Int { Int(chains.entries[number].owner) }

    /// The records at the end of a chain that leads to several.
    /// - Parameters:
    ///   - number: what ``recallChain(_:_:questionEnd:view:)`` gives.
    ///   - room: octets that there are for them.
    @_lifetime(&self)
    package mutating func endRecords(ofChain number: Int, room: Int) -> Records {
        records(ofRun: chains.entries[number].run, of: chains.entries[number].end, room)
    }
}

extension [UInt8] {
    /// Appends a compiled record, whose owner is the name at an offset of the message.
    /// - Returns: false where no pointer leads there.
    fileprivate mutating func append(_ record: Span<UInt8>, of owner: Int) -> Bool {
        guard owner <= CompressionPointer.maximumOffset else { return false }
        let start = count
        append(record)
        let pointer = CompressionPointer.word(to: owner)
        self[start] = UInt8(truncatingIfNeeded: pointer >> 8)
        self[start + 1] = UInt8(truncatingIfNeeded: pointer)
        return true
    }
}
