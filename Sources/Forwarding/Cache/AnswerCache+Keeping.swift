// Adding to the cache, evicting, and flushing.

import DNSWire
import Tables

extension AnswerCache {
    /// The most entries that are spared for one that comes, which bounds the time that it takes. Far above what stands
    /// in a row by chance, so that hardly ever somebody popular goes for it.
    private static let sparedAtOnce = 1000
    /// No entry takes more than this part of the ring.
    private static let largestPart = 8

    /// Keeps an answer for the time that it holds, instead of what was kept before. NXDOMAIN is kept for all types of the name.
    /// - Parameters:
    ///   - life: seconds; 0: what was kept before goes, and nothing comes.
    ///   - asked: how many have asked for it.
    mutating func keep(_ body: AnswerBody, under key: AnswerKey, life: UInt32, asked: Int, _ now: Moment) {
        // The name exists now, or does not any more: what says otherwise is out of date.
        let (key, other) = body.deniesName ? (key.ofEveryType, key) : (key, key.ofEveryType)
        if let outdated = keptExactly(other) { remove(outdated.place) }
        store(body, under: key, life: life, asked: asked, failures: 0, now)
    }

    private mutating func store(
        _ body: AnswerBody, under key: AnswerKey, life: UInt32, asked: Int, failures: UInt8, _ now: Moment
    ) {
        let old = keptExactly(key)
        var entry = CacheEntry(
            body, hash: key.hash(hash), key.circumstances, life: life, now: milliseconds(now))
        entry.asked = UInt8(clamping: min(asked, Int(CacheEntry.maximumAsked)))
        entry.failures = failures
        guard life > 0, Int(entry.size) <= ring.capacity / Self.largestPart else {
            if let old { remove(old.place) }
            return
        }
        if let old {
            entry.rounds = old.entry.rounds
            if entry.size <= old.entry.size {
                entry.size = old.entry.size
                put(entry, body, key, at: old.place)
                return
            }
        }
        if let old { remove(old.place) }
        while index.isFull { dropOldest(sparing: false) }
        let offset = makeRoom(Int(entry.size))
        index.insert(entry.hash, AnswerRing.number(of: offset))
        counters.entries += 1
        counters.octets += Int(entry.size)
        put(entry, body, key, at: offset)
    }

    private mutating func put(_ entry: CacheEntry, _ body: AnswerBody, _ key: AnswerKey, at offset: Int) {
        ring.set(entry, at: offset)
        ring.setOctets(body, key, of: entry, at: offset)
    }

    /// Remembers that nobody could say anything (RFC 9520 §3.2), longer each time in a row. What is kept from better times
    /// stays: it serves in the meantime, and is not renewed.
    mutating func keepFailure(_ body: AnswerBody, under key: AnswerKey, _ life: FailureLife, _ now: Moment) {
        let time = milliseconds(now)
        let old = kept(key, time)
        let failures = old?.entry.recentFailures(time) ?? 0
        let seconds = life.seconds(after: failures)
        if let old, !old.entry.isFailure, time < old.entry.expiry || mayServeStale(old.entry, time) {
            var entry = old.entry
            entry.hold = time + UInt64(seconds) * 1000
            entry.failures = failures == .max ? failures : failures + 1
            if entry.state == .refreshing { entry.state = .alive }
            ring.set(entry, at: old.place)
            return
        }
        let count = failures == .max ? failures : failures + 1
        store(body, under: key, life: seconds, asked: 1, failures: count, now)
    }

    /// Notes that an answer is being renewed, so that nobody else begins it.
    mutating func noteRefresh(of place: Int) {
        ring.octets[place + CacheEntry.Field.state] = CacheEntry.State.refreshing.rawValue
    }

    /// Notes that an answer is not being renewed any more: it may be tried again.
    mutating func endRefresh(_ key: AnswerKey, _ now: Moment) {
        guard let kept = kept(key, milliseconds(now)), kept.entry.state == .refreshing else { return }
        ring.octets[kept.place + CacheEntry.Field.state] = CacheEntry.State.alive.rawValue
    }

    // MARK: - Going

    private mutating func remove(_ place: Int) {
        forget(ring.entry(place), at: place)
        ring.octets[place + CacheEntry.Field.state] = CacheEntry.State.dead.rawValue
    }

    private mutating func forget(_ entry: CacheEntry, at offset: Int) {
        index.remove(entry.hash, AnswerRing.number(of: offset))
        counters.entries -= 1
        counters.octets -= Int(entry.size)
    }

    /// Takes room in the ring: its oldest entries go, but those that were asked for since they came around last are spared
    /// (CLOCK).
    private mutating func makeRoom(_ size: Int) -> Int {
        var spared = 0
        while true {
            if let offset = ring.reserve(size) { return offset }
            if dropOldest(sparing: spared < Self.sparedAtOnce) { spared += 1 }
        }
    }

    /// Takes the oldest entry away; gives whether it was spared and is the youngest now.
    @discardableResult
    private mutating func dropOldest(sparing: Bool) -> Bool {
        guard let offset = ring.oldest else { return false }
        var entry = ring.entry(offset)
        ring.dropOldest(Int(entry.size))
        if entry.state == .dead { return false }
        // There is room for it: at least where it has just been.
        guard sparing, entry.rounds > 0, let target = ring.reserve(Int(entry.size)) else {
            forget(entry, at: offset)
            counters.evictions += 1
            return false
        }
        entry.rounds -= 1
        ring.move(from: offset, to: target, Int(entry.size))
        ring.set(entry, at: target)
        index.move(entry.hash, from: AnswerRing.number(of: offset), to: AnswerRing.number(of: target))
        return true
    }

    // MARK: - Flushing

    /// Forgets answers; gives how many.
    mutating func flush(_ selection: CacheSelection) -> Int {
        let before = counters.entries
        var offset = ring.oldest
        while let place = offset {
            let entry = ring.entry(place)
            offset = ring.next(place, size: Int(entry.size))
            if entry.state != .dead, isIncluded(entry, at: place, in: selection) {
                remove(place)
            }
        }
        return before - counters.entries
    }

    /// True when an entry is about a name that is meant.
    func isIncluded(_ entry: CacheEntry, at offset: Int, in selection: CacheSelection) -> Bool {
        let message = ring.octets.span.extracting(entry.message(offset))
        return selection.includes(message.extracting(Header.length..<Int(entry.questionEnd) - Question.fixedLength))
    }
}
