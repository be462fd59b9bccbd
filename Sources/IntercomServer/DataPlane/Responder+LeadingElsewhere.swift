// CNAME records of upstreams: those that lead to a name of ours, or into another upstream group.

import DNSWire
import Registry

extension Responder {
    /// True when a CNAME record of an upstream's answer leads to a name of ours or into another upstream group, so that the
    /// chain is followed there: ``chain`` is empty then, as nothing goes before it.
    /// - Parameters:
    ///   - errand: view and upstream group of the question.
    ///   - buffer: begins with the answer.
    @inline(never)
    mutating func leadsElsewhere(_ errand: Errand, in buffer: consuming MutableSpan<UInt8>) -> Bool {
        let buffer = buffer
        guard leadingRecord(in: buffer.span, errand) != nil else { return false }
        chain.removeAll(keepingCapacity: true)
        return true
    }

    /// A chain with the records of an upstream's answer, as far as one leads elsewhere; nil where none does.
    /// - Parameters:
    ///   - splice: the chain so far.
    ///   - answer: begins with the answer to the question for its last target.
    ///   - errand: view and upstream group of that question.
    mutating func extend(_ splice: Splice, by answer: [UInt8], _ errand: Errand) -> Splice? {
        let message = answer.span
        guard let last = leadingRecord(in: message, errand) else { return nil }
        var splice = splice
        do throws(WireError) {
            var records = try Message(message).records
            while let record = try records.next(), record.section == .answer {
                guard record.type == .cname else { continue }
                guard try splice.add(record, of: message) else { return nil }
                if record.nameOffset == last { return splice }
            }
        } catch {
            return nil
        }
        return nil
    }

    /// The offset of the first CNAME record that leads elsewhere.
    private mutating func leadingRecord(in message: Span<UInt8>, _ errand: Errand) -> Int? {
        guard let whole = try? Message(message) else { return nil }
        let header = whole.header
        var records = whole.records
        var position: UInt16 = 0
        while let record = try? records.next(), record.section == .answer {
            position &+= 1
            guard record.type == .cname, (try? target.read(message, at: record.rdataOffset)) != nil else { continue }
            // A server that knows more of the target than its name has the whole answer.
            let isLast = position == header.answerCount && header.authorityCount == 0
            if leadsElsewhere(errand, isUnfinished: isLast) { return record.nameOffset }
        }
        return nil
    }

    /// True when ``target`` is a name of ours, or one of another upstream group: of a routing domain, or any where the
    /// answer says nothing of it.
    private mutating func leadsElsewhere(_ errand: Errand, isUnfinished: Bool) -> Bool {
        if directory.find(target, from: 0, view: errand.view) != nil { return true }
        if directory.hasRecords, directory.findRecord(target, view: errand.view) != nil { return true }
        swap(&name, &target)
        defer { swap(&name, &target) }
        guard SpecialUseName(name).content == nil else { return false }
        switch rulingOnOthers(errand.view, isDelegation: false) {
        case .answer(.records, _): return true
        case .forward(let group) where group != errand.group:
            // Former servers know the names of their networks, and what those lead to.
            if errand.group == UpstreamGroupID.neighbours.rawValue { return false }
            return isUnfinished || directory.routeDomain(of: group) != nil
        default: return false
        }
    }
}
