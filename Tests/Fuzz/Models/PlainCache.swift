// A plain model of the cache and of waiting clients: a dictionary and a clock.

import DNSWire

@testable import Forwarding

/// A question as the cache tells it from others.
struct PlainKey: Hashable {
    /// Lower case.
    var name: String
    var type: UInt16
    var dnssecOK: Bool
    var group: UInt32
    /// Number of changes of the group's upstreams.
    var epoch = 0
    /// Namespace from which it is asked; nil: the host's.
    var view: UInt32?

    /// True for another question about the same name, put to the same upstreams.
    func isOfName(of other: PlainKey) -> Bool {
        name == other.name && group == other.group && epoch == other.epoch && view == other.view
    }
}

/// An upstream's reply.
struct PlainSaying: Equatable {
    var code: UInt16 = 0
    /// The last octet of the address.
    var last: UInt8?
    /// Seconds.
    var ttl: UInt32 = 0

    /// Neither an answer nor a "no such name".
    var isFailure: Bool { code != 0 && code != 3 }
    /// Seconds that it is kept: negative ones at most five minutes.
    var life: UInt32 { code == 0 ? min(ttl, 86_400) : min(ttl, 300) }

    init(code: UInt16 = 0, last: UInt8? = nil, ttl: UInt32 = 0) {
        (self.code, self.last, self.ttl) = (code, last, ttl)
    }

    /// Takes a message apart.
    init?(_ message: [UInt8]) {
        var name = FoldedName()
        guard let reply = try? Reply.parse(message.span, name: &name) else { return nil }
        code = reply.responseCode.rawValue
        guard let whole = try? Message(message.span) else { return nil }
        var records = whole.records
        guard let first = try? records.next(), first.type != .opt else { return }
        ttl = first.ttl
        if first.section == .answer { last = message[first.endOffset - 1] }
    }

    /// The reply that says so to what was asked.
    func reply(to asked: [UInt8], isTruncated: Bool = false) -> [UInt8] {
        var name = FoldedName()
        guard let query = try? Query(asked.span, name: &name) else { return [] }
        let isAAAA = query.question.type == .aaaa
        var record: [UInt8] = []
        let time = [UInt8(ttl >> 24), UInt8(ttl >> 16 & 255), UInt8(ttl >> 8 & 255), UInt8(ttl & 255)]
        if code == 0, let last {
            let data = isAAAA ? [UInt8](repeating: 0xFD, count: 15) + [last] : [192, 0, 2, last]
            record = [0xC0, 12, 0, isAAAA ? 28 : 1, 0, 1] + time + [0, UInt8(data.count)] + data
        } else if code == 3 {
            record = [0, 0, 6, 0, 1] + time + [0, 22, 0, 0] + [UInt8](repeating: 0, count: 16) + time
        }
        let hasEDNS = query.edns != nil
        return Array(asked[..<2]) + [isTruncated ? 0x83 : 0x81, 0x80 | UInt8(code), 0, 1, 0, last == nil ? 0 : 1]
            + [0, code == 3 ? 1 : 0, 0, hasEDNS ? 1 : 0] + Array(asked[12..<query.question.endOffset]) + record
            + (hasEDNS ? [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0] : [])
    }
}

/// Cached replies, with times in milliseconds since the start.
struct PlainCache {
    private var kept: [PlainKey: (saying: PlainSaying, born: Int)] = [:]
    /// Until when a question's failure may be told from memory.
    private var failed: [PlainKey: Int] = [:]

    mutating func keep(_ saying: PlainSaying, _ key: PlainKey, now: Int) {
        failed[key] = nil
        kept[key] = saying.life > 0 ? (saying, now) : nil
        // A name that has records of one type is there for all.
        if saying.code == 0 { kept = kept.filter { !($0.value.saying.code == 3 && $0.key.isOfName(of: key)) } }
    }

    /// A failure is remembered for 60 s at most, longer each time (RFC 9520 §3.2).
    mutating func noteFailure(_ key: PlainKey, now: Int) { failed[key] = now + 60_000 }

    mutating func forget(where isGone: (PlainKey) -> Bool) {
        kept = kept.filter { !isGone($0.key) }
        failed = failed.filter { !isGone($0.key) }
    }

    /// True when the cache may answer so; nil: that it has no answer, and upstreams are asked.
    func allows(_ said: PlainSaying?, _ key: PlainKey, now: Int) -> Bool {
        if let known = kept[key], let aged = aged(known, now: now) { return said == aged }
        guard let said else { return true }
        // A name that is not there is not there for any type (RFC 2308 §5).
        let others = kept.filter { $0.value.saying.code == 3 && $0.key.isOfName(of: key) }.values
        if others.contains(where: { aged($0, now: now) == said }) { return true }
        return said.isFailure && now < failed[key] ?? 0
    }

    /// A cached reply, with the remaining TTL; nil after its lifetime.
    private func aged(_ known: (saying: PlainSaying, born: Int), now: Int) -> PlainSaying? {
        guard now < known.born + Int(known.saying.life) * 1000 else { return nil }
        var aged = known.saying
        aged.ttl = known.saying.life - UInt32((now - known.born) / 1000)
        return aged
    }
}
