// Holds an answer, as it came, against what its row promises.

import DNSWire

extension PromiseTable.Row {
    /// Faults of a local answer; empty: it is as promised.
    /// - Parameters:
    ///   - answer: the message; nil where none came.
    ///   - query: the message that asked.
    ///   - whole: the answer over TCP to the same octets; over TCP this one.
    ///   - other: where the answer is to be that of another question, that answer.
    package func faults(
        of answer: [UInt8]?, to query: [UInt8], _ manner: Manner, whole: [UInt8]?, other: [UInt8]? = nil
    ) -> [String] {
        switch expectation {
        case .forwarded: return ["an answer of our own"]
        case .dropped: return answer == nil ? [] : ["an answer"]
        case .same(let question):
            guard let answer, let other else { return ["no answer"] }
            return Self.tail(of: answer) == Self.tail(of: other) ? [] : ["another answer than to \(question)"]
        case .answer(let promised):
            guard let answer else { return ["no answer"] }
            do throws(WireError) {
                let seen = try ReadAnswer(answer)
                return compare(seen, promised, to: query, manner) + fit(answer, seen, promised, manner, whole)
            } catch {
                return ["an answer that cannot be read: \(error)"]
            }
        }
    }

    /// The header and what is behind the name: all that can differ between names that nobody has.
    private static func tail(of answer: [UInt8]) -> [UInt8] {
        let span = answer.span
        let end = (try? Message(span).firstQuestion())?.map { $0.endOffset } ?? Header.length
        return Array(answer[..<min(Header.length, answer.count)]) + Array(answer[end...])
    }

    private func compare(
        _ seen: ReadAnswer, _ promised: Expectation.Promised, to query: [UInt8], _ manner: Manner
    ) -> [String] {
        var faults: [String] = []
        func hold(_ what: String, _ seen: Any, _ promised: Any) {
            if "\(seen)" != "\(promised)" { faults.append("\(what): \(seen), not \(promised)") }
        }
        hold("code", seen.code, promised.code)
        hold("id", seen.id, Array(query.prefix(2)))
        hold("flags", seen.flags.filter { $0 != "tc" }, ["qr"] + promised.flags)
        if Expectation.headerAlone.contains(promised.code) {
            hold("octets", seen.octetCount, Header.length)
            return faults
        }
        hold("question", seen.question, question.echo(in: query))
        let owners = [question.asked?.name.wire] + seen.targets
        hold("owners", seen.owners.filter { !owners.contains($0) }.count, 0)
        hold("authority", seen.authority, promised.negativeOwner.map { ["\($0) 5 SOA . . 1 3600 600 86400 5"] } ?? [])
        // A datagram may have fewer: that is looked at where its length is.
        if !seen.flags.contains("tc") { hold("records", seen.records, promised.records) }
        hold("others", seen.others, [String]())
        let edns = manner.edns == .none ? nil : ReadAnswer.EDNS(dnssecOK: manner.edns == .dnssecOK)
        hold("EDNS", seen.edns.map { "\($0)" } ?? "none", edns.map { "\($0)" } ?? "none")
        hold(
            "extended errors", seen.extendedErrors,
            manner.edns == .none ? [] : [promised.extendedError].compactMap { $0 })
        hold("explanation", seen.explanation, manner.edns == .none ? "" : promised.explanation)
        return faults
    }

    /// Checks that an answer that does not fit has TC, and as many records as fit.
    private func fit(
        _ answer: [UInt8], _ seen: ReadAnswer, _ promised: Expectation.Promised, _ manner: Manner, _ whole: [UInt8]?
    ) -> [String] {
        let limit = question.limit(manner)
        guard let whole else { return ["no answer over TCP"] }
        guard answer.count <= limit else { return ["\(answer.count) octets, more than the \(limit) that may be"] }
        guard seen.flags.contains("tc") else {
            return answer.count == whole.count ? [] : ["\(answer.count) octets, and \(whole.count) over TCP"]
        }
        guard whole.count > limit else { return ["TC, though it fits"] }
        guard Set(seen.records).isSubset(of: promised.records), Set(seen.records).count == seen.records.count else {
            return ["records: \(seen.records)"]
        }
        // Records of one name and type have nearly one length.
        let each = (whole.count - answer.count) / max(1, promised.records.count - seen.records.count)
        return answer.count + each > limit ? [] : ["\(answer.count) octets, though another record fits"]
    }
}

extension AskedQuestion {
    /// The octets of the question in the query, as they are to be echoed.
    func echo(in query: [UInt8]) -> [UInt8] {
        guard let asked else { return [] }
        return Array(query[Header.length..<Header.length + asked.name.wire.count + 4])
    }
}
