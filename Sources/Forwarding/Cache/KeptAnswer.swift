// Kept answers, described for people: `intercomctl cache ls` and `explain`.

package import DNSWire

/// A kept answer without its records.
package struct KeptAnswer: Sendable, Equatable {
    /// The name in question, in lower case.
    package let name: Name
    /// Its type; nil: NXDOMAIN, which holds for all types.
    package let type: RecordType?
    /// Its response code.
    package let responseCode: ResponseCode
    /// The upstream group that said it.
    package let group: UInt32
    /// The view whose namespace it was asked from; nil: the host's, for all views.
    package let view: UInt32?
    /// True for who asks without DNSSEC OK and Checking Disabled.
    package let isPlain: Bool
    /// Seconds since it came.
    package let age: UInt32
    /// Seconds of its life; 0: it serves only while nobody answers.
    package let left: UInt32
    /// Memory that it takes.
    package let octets: Int
}

/// Kept answers, as many as were wanted.
package struct KeptAnswers: Sendable, Equatable {
    /// In the order in which they came.
    package var answers: [KeptAnswer] = []
    /// Number of those that are left out.
    package var further = 0

    package init() {}
}

extension AnswerCache {
    /// Describes answers that may serve; changes nothing.
    /// - Parameters:
    ///   - selection: the names that are meant.
    ///   - limit: the most that are described.
    ///   - now: the time.
    ///   - place: gives group and view of a scope; nil: nobody is given its answers any more.
    func keptAnswers(
        in selection: CacheSelection, limit: Int, _ now: Moment,
        _ place: (UInt32) -> (group: UInt32, view: UInt32?)?
    ) -> KeptAnswers {
        let time = milliseconds(now)
        var kept = KeptAnswers()
        var offset = ring.oldest
        while let position = offset {
            let entry = ring.entry(position)
            offset = ring.next(position, size: Int(entry.size))
            guard entry.state != .dead, time < entry.expiry || mayServeStale(entry, time),
                isIncluded(entry, at: position, in: selection), let origin = place(entry.circumstances.scope),
                let answer = describe(entry, at: position, origin, time)
            else { continue }
            if kept.answers.count < limit { kept.answers.append(answer) } else { kept.further += 1 }
        }
        return kept
    }

    private func describe(
        _ entry: CacheEntry, at position: Int, _ origin: (group: UInt32, view: UInt32?), _ time: UInt64
    ) -> KeptAnswer? {
        let message = ring.octets.span.extracting(entry.message(position))
        let nameEnd = Int(entry.questionEnd) - Question.fixedLength
        guard let name = try? Name(wire: message.extracting(Header.length..<nameEnd)) else { return nil }
        let type = RecordType(rawValue: message.word16(nameEnd))
        return KeptAnswer(
            name: name, type: type == .everyType ? nil : type, responseCode: entry.responseCode, group: origin.group,
            view: origin.view, isPlain: entry.circumstances.bits == 0,
            age: UInt32(clamping: (time - min(entry.born, time)) / 1000),
            left: UInt32(clamping: (entry.expiry - min(time, entry.expiry)) / 1000), octets: Int(entry.size))
    }
}
