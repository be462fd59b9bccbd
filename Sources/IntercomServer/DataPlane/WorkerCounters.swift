// Counters of a worker: plain additions, as workers share nothing.

import DNSWire
import Forwarding
import LinuxNet
import Tables

/// Counters of one worker since it started.
struct WorkerCounters: Sendable {
    var worker = 0
    /// Namespaces that it serves.
    var listeners = 0
    /// Messages that were read.
    var queries: UInt64 = 0
    /// Questions that upstreams were asked.
    var forwarded: UInt64 = 0
    /// Messages that were no queries, and answers that could not be sent.
    var dropped: UInt64 = 0
    var policies = PolicyCounts()
    /// Messages that have come to gateways.
    var guests = GuestCounts()
    var answers = AnswerCounts()
    var latency = Latency()
    var tcpConnections = 0
    var inFlight = 0
    var cache = CacheCounters()
    var upstreams: [UpstreamReport] = []

    /// Answers of our own with data, or without where the name has none of that type.
    var local: UInt64 { answers.records }
    /// Answers of our own that deny a name, or that it has any data.
    var negative: UInt64 { answers.empty &+ answers.denied }
    /// Answers from the cache.
    var cached: UInt64 { answers.cached &+ answers.cachedDenials &+ answers.cachedFailures }
    /// Answers with an error.
    var failed: UInt64 {
        answers.malformed &+ answers.notImplemented &+ answers.badVersion &+ answers.refused &+ answers.unanswered
    }
}

/// Counts of what policies have done.
struct PolicyCounts: Sendable {
    /// Questions that were denied.
    var denials: UInt64 = 0
    /// Questions that were answered although a policy denies them.
    var audits: UInt64 = 0
    /// Records with private addresses that were dropped from answers.
    var droppedAddresses: UInt64 = 0
    /// Addresses that containers may reach through gates.
    var gates = GateCounters()
}

/// Messages that have come to the listeners of gateways, by who sent them and what became of them.
struct GuestCounts: Sendable {
    /// From the address of a container on the network.
    var ofContainers: UInt64 = 0
    /// From an address on the network that no container has.
    var ofStrangers: UInt64 = 0
    /// From an address that is not on the network: they get no answer.
    var offLink: UInt64 = 0
    /// Past the pace of their source: they got a header with TC, or nothing.
    var paced: UInt64 = 0

    /// Adds those of another worker.
    mutating func add(_ other: GuestCounts) {
        ofContainers &+= other.ofContainers
        ofStrangers &+= other.ofStrangers
        offLink &+= other.offLink
        paced &+= other.paced
    }
}

extension WorkerCounters {
    /// Counts an answer of the forwarder's to a container, and its time.
    mutating func note(_ answer: Answer, after time: Lapse, to client: WaitingClient) {
        if case .control = client { return }
        answers.count(answer)
        latency.forwarded.add(time.nanoseconds)
    }
}

/// Answers by who gave them and by their response code.
struct AnswerCounts: Sendable {
    /// NOERROR of our own for a name of ours.
    var records: UInt64 = 0
    /// NOERROR of our own for a name without any records, which has names beneath it.
    var empty: UInt64 = 0
    /// NXDOMAIN of our own.
    var denied: UInt64 = 0
    /// NOERROR from the cache.
    var cached: UInt64 = 0
    /// NXDOMAIN from the cache.
    var cachedDenials: UInt64 = 0
    /// Other codes from the cache, as SERVFAIL.
    var cachedFailures: UInt64 = 0
    /// FORMERR.
    var malformed: UInt64 = 0
    /// NOTIMP.
    var notImplemented: UInt64 = 0
    /// BADVERS.
    var badVersion: UInt64 = 0
    /// REFUSED.
    var refused: UInt64 = 0
    /// SERVFAIL, as no upstream answered or none may be asked.
    var unanswered: UInt64 = 0
    /// Answers of upstreams, those past their life (RFC 8767) included, by response code; all above 15 are at 16.
    var ofUpstreams = [UInt64](repeating: 0, count: lastCode + 1)

    /// The position of codes that do not fit into a header.
    static let lastCode = 16

    /// Answers of our own that take the way of a local answer.
    var local: UInt64 { records &+ empty &+ denied }

    /// Counts an answer of the forwarder's.
    mutating func count(_ answer: Answer) {
        if answer.source == .nobody {
            unanswered &+= 1
        } else {
            ofUpstreams[min(Int(answer.responseCode.rawValue), Self.lastCode)] &+= 1
        }
    }

    /// Adds those of another worker.
    mutating func add(_ other: AnswerCounts) {
        for path in Self.paths { self[keyPath: path] &+= other[keyPath: path] }
        for code in ofUpstreams.indices { ofUpstreams[code] &+= other.ofUpstreams[code] }
    }

    private static var paths: [WritableKeyPath<AnswerCounts, UInt64>] {
        [
            \.records, \.empty, \.denied, \.cached, \.cachedDenials, \.cachedFailures, \.malformed, \.notImplemented,
            \.badVersion, \.refused, \.unanswered,
        ]
    }

    /// The counts with the response code of each, and who answered: `local`, `cache`, `upstream`; `none` where nobody did.
    var rows: [(code: ResponseCode, source: String, count: UInt64)] {
        [
            (.noError, "local", records &+ empty), (.nameError, "local", denied), (.formatError, "local", malformed),
            (.notImplemented, "local", notImplemented), (.badVersion, "local", badVersion),
            (.refused, "local", refused), (.noError, "cache", cached), (.nameError, "cache", cachedDenials),
            (.serverFailure, "cache", cachedFailures), (.serverFailure, "none", unanswered),
        ]
            + ofUpstreams.enumerated().filter { $0.element > 0 }.map {
                (ResponseCode(rawValue: UInt16($0.offset)), "upstream", $0.element)
            }
    }
}

/// Times from the reading of a question to the sending of its answer.
///
/// Answers of our own and from the cache are timed for one batch of datagrams of ``interval``, all answers of which go out
/// together: two readings of the clock cost 200 instructions, for a batch of one 13 an answer, for a full one less than one.
/// Answers of upstreams are timed each.
struct Latency: Sendable {
    var local = DurationHistogram()
    var cached = DurationHistogram()
    var forwarded = DurationHistogram()
    private var batches: UInt64 = 0

    /// Batches of which one is timed; a power of two.
    private static var interval: UInt64 { 16 }

    /// Counts a batch; true when it is to be timed, as the first one is.
    mutating func isDue() -> Bool {
        batches &+= 1
        return batches & (Self.interval - 1) == 1
    }

    /// Has the next batch timed, as nothing in this one was answered here.
    mutating func putOff() { batches &-= 1 }

    /// Adds those of another worker.
    mutating func add(_ other: Latency) {
        local.add(other.local)
        cached.add(other.cached)
        forwarded.add(other.forwarded)
    }
}

/// The start of a batch that is timed, and how many answers there were before.
struct TimedBatch {
    let began: Moment
    let local: UInt64
    let cached: UInt64
}
