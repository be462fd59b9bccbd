// Numbers of questions by type, and by the network of the container that asked.

import DNSWire
import Forwarding
import LinuxNet
import Registry
import Tables

/// Numbers of questions by type.
struct QuestionCounts: Sendable {
    /// Types that are counted each. All others together are the last count.
    static let types: [RecordType] = [
        .a, .aaaa, .ptr, .srv, .mx, .txt, .ns, .soa, .cname, .https, .svcb, .ds, .dnskey, .naptr, .any,
    ]
    private static var others: Int { 15 }

    private(set) var counts = InlineArray<16, UInt64>(repeating: 0)

    /// Counts a question.
    mutating func count(_ type: RecordType) { counts[Self.position(of: type)] &+= 1 }

    /// Adds questions for addresses.
    @inline(__always)
    mutating func add(a: UInt64, aaaa: UInt64) {
        counts[0] &+= a
        counts[1] &+= aaaa
    }

    /// Adds those of another.
    mutating func add(_ other: QuestionCounts) {
        for position in counts.indices { counts[position] &+= other.counts[position] }
    }

    /// All questions.
    var total: UInt64 {
        var total: UInt64 = 0
        for position in counts.indices { total &+= counts[position] }
        return total
    }

    /// The types that somebody has asked for; `other` for those that are not counted each.
    var rows: [(type: String, count: UInt64)] {
        counts.indices.compactMap { position in
            guard counts[position] > 0 else { return nil }
            return (position < Self.types.count ? "\(Self.types[position])" : "other", counts[position])
        }
    }

    /// Without a table: this is on the way of a query.
    private static func position(of type: RecordType) -> Int {
        switch type {
        case .a: 0
        case .aaaa: 1
        case .ptr: 2
        case .srv: 3
        case .mx: 4
        case .txt: 5
        case .ns: 6
        case .soa: 7
        case .cname: 8
        case .https: 9
        case .svcb: 10
        case .ds: 11
        case .dnskey: 12
        case .naptr: 13
        case .any: 14
        default: others
        }
    }
}

/// Questions that have come to one listener.
struct ListenerQuestions {
    var datagrams = QuestionCounts()
    var messages = QuestionCounts()
}

/// Questions of containers by their first network, of listeners that are closed or whose container has changed its network.
struct QuestionLedger {
    /// A kind of questions.
    struct Key: Hashable {
        /// The first network of the container that asked; nil: it was on none.
        let network: ScopeID?
        /// True at ::1.
        let isV6: Bool
        /// True over TCP.
        let isStream: Bool
    }

    private(set) var counts: [Key: QuestionCounts] = [:]

    /// Adds what has come to a listener.
    mutating func add(_ questions: ListenerQuestions, of network: ScopeID?, isV6: Bool) {
        for (isStream, new) in [(false, questions.datagrams), (true, questions.messages)] where new.total > 0 {
            counts[Key(network: network, isV6: isV6, isStream: isStream), default: QuestionCounts()].add(new)
        }
    }

    /// Forgets a network that is removed: its number will be another's.
    mutating func forget(_ network: ScopeID) {
        counts = counts.filter { $0.key.network != network }
    }
}

/// All that a worker has counted, as ``ControlAPI/Metrics`` shows it.
struct WorkerMeasures: Sendable {
    /// Questions of one kind.
    struct Questions: Sendable {
        /// Name of the network; empty: none.
        let network: String
        let isV6: Bool
        let isStream: Bool
        let counts: QuestionCounts
    }

    var counters: WorkerCounters
    var questions: [Questions] = []
    /// Questions of each container that is served, where that is wanted.
    var containers: [(view: ViewID, count: UInt64)] = []
    var servers: [ServerTraffic] = []
}
