// Questions of the last seconds, counted by container, name and upstream server: a value, fed with questions and seconds.

import ControlAPI

/// Counts of a window of seconds, in bounded memory.
struct TopCounts {
    /// Seconds that are counted.
    static let window = 10
    /// Rows of each kind in one second; a container can ask for any number of names. What is beyond is one row.
    static let mostRows = 2000
    /// Name of that row.
    static let others = "(others)"

    /// Counts of one container, name or server.
    struct Tally: Equatable {
        var questions = 0
        /// Answers from the cache.
        var hits = 0
        /// SERVFAIL and every other code but NOERROR and NXDOMAIN.
        var failures = 0
        /// Answers by their time, in quarters of octaves of microseconds: a time is known within 19 %.
        private var times: [Int: Int] = [:]

        mutating func add(_ question: Monitor.Question) {
            questions += 1
            if question.decidedBy.hasPrefix("cache") { hits += 1 }
            if !["NOERROR", "NXDOMAIN"].contains(question.rcode) { failures += 1 }
            times[Self.quarter(question.microseconds), default: 0] += 1
        }

        mutating func add(_ other: Tally) {
            questions += other.questions
            hits += other.hits
            failures += other.failures
            times.merge(other.times, uniquingKeysWith: +)
        }

        /// Time within which this part of the answers were given, in microseconds, rounded up to a quarter of an octave.
        /// - Parameter part: 0...1.
        func time(of part: Double) -> Int {
            var rest = Int((Double(questions) * part).rounded(.up))
            for (quarter, count) in times.sorted(by: { $0.key < $1.key }) {
                rest -= count
                if rest <= 0 { return Self.bound(quarter) }
            }
            return 0
        }

        private static func quarter(_ microseconds: Int) -> Int {
            let value = max(1, microseconds)
            let octave = Int.bitWidth - 1 - value.leadingZeroBitCount
            return octave < 2 ? value : 4 * octave + (value >> (octave - 2)) & 3
        }

        /// The largest time of a quarter.
        private static func bound(_ quarter: Int) -> Int {
            let (octave, part) = (quarter / 4, quarter % 4)
            return octave < 2 ? quarter : ((5 + part) << (octave - 2)) - 1
        }
    }

    /// Things that are counted.
    enum Kind: CaseIterable {
        case container, name, upstream
    }

    private struct Second {
        var all = Tally()
        var rows: [Kind: [String: Tally]] = [:]

        mutating func add(_ question: Monitor.Question, to kind: Kind, _ key: String) {
            let isKnown = rows[kind]?[key] != nil || (rows[kind]?.count ?? 0) < TopCounts.mostRows
            rows[kind, default: [:]][isKnown ? key : TopCounts.others, default: Tally()].add(question)
        }
    }

    /// The last is the present one.
    private var seconds = [Second()]
    /// Seconds that are over.
    private(set) var elapsed = 0
    /// Questions that were not seen, as there were too many.
    private(set) var missed = 0

    mutating func add(_ question: Monitor.Question) {
        let last = seconds.count - 1
        seconds[last].all.add(question)
        seconds[last].add(question, to: .container, question.container ?? "-")
        if let name = question.name { seconds[last].add(question, to: .name, name) }
        let mark = "upstream "
        if question.decidedBy.hasPrefix(mark) {
            seconds[last].add(question, to: .upstream, String(question.decidedBy.dropFirst(mark.count)))
        }
    }

    mutating func addMissed(_ count: Int) { missed += count }

    /// A second is over.
    mutating func tick() {
        elapsed += 1
        seconds.append(Second())
        // The present one is counted beside the window's.
        if seconds.count > Self.window + 1 { seconds.removeFirst() }
    }

    /// Seconds that the counts are about, at least 1.
    var span: Int { max(1, seconds.count - 1) }

    /// Sum of the whole seconds.
    var all: Tally { whole.reduce(into: Tally()) { $0.add($1.all) } }

    /// Counts by key, in an order.
    func rows(_ kind: Kind, by order: TopOrder) -> [(key: String, tally: Tally)] {
        var sums: [String: Tally] = [:]
        for second in whole {
            for (key, tally) in second.rows[kind] ?? [:] { sums[key, default: Tally()].add(tally) }
        }
        return sums.map { (key: $0.key, tally: $0.value, weight: order.weight(of: $0.value)) }
            .sorted { ($1.weight, $1.tally.questions, $0.key) < ($0.weight, $0.tally.questions, $1.key) }
            .map { (key: $0.key, tally: $0.tally) }
    }

    /// Seconds that are over.
    private var whole: ArraySlice<Second> { seconds.dropLast() }
}

/// Column that rows are sorted by, the largest first.
enum TopOrder: String, CaseIterable {
    case questions, hits, failures, p99

    /// The key that chooses it; `q` ends the program.
    var key: Character {
        switch self {
        case .questions: "n"
        case .hits: "h"
        case .failures: "f"
        case .p99: "p"
        }
    }

    fileprivate func weight(of tally: TopCounts.Tally) -> Int {
        switch self {
        case .questions: tally.questions
        case .hits: tally.hits
        case .failures: tally.failures
        case .p99: tally.time(of: 0.99)
        }
    }
}
