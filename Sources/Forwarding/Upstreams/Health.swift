// The health of an upstream: it is asked first, or backs off because it did not answer.

/// An upstream that fails again and again rests: others are asked first. When its rest is over it is asked beside the
/// others, by the next question that comes; it rests twice as long if it is silent again. One reply makes all good.
struct Health: Sendable {
    /// Failures without any reply since.
    private(set) var failures = 0
    /// Messages since its last reply that were none: another id, or another question.
    private(set) var wrongReplies: UInt32 = 0
    /// Rests without a reply between them; as many as count. Narrow, like the number before it: an upstream is copied a lot.
    private var rests: UInt8 = 0
    private(set) var restsUntil: Moment?
    private(set) var lastReply: Moment?

    /// So many failures in a row make an upstream rest.
    private static let tolerance = 3
    private static let firstRest = Lapse.seconds(1)
    /// The longest rest is 1 s · 2⁶.
    private static let maximumDoublings: UInt8 = 6

    var isResting: Bool { restsUntil != nil }

    /// It may be asked: it does not rest, or its rest is over.
    func isUsable(_ now: Moment) -> Bool { !isResting || isDue(now) }

    /// It may show whether it is well again.
    func isDue(_ now: Moment) -> Bool { restsUntil.map { $0 <= now } ?? false }

    /// It has replied.
    mutating func replied(_ now: Moment) {
        failures = 0
        wrongReplies = 0
        rests = 0
        restsUntil = nil
        lastReply = now
    }

    /// A message came that is no reply to what was asked: of somebody who guesses, or of a server that mixes questions up.
    mutating func sentWrongReply() { wrongReplies &+= 1 }

    /// A question got no reply in time, or could not even be sent.
    /// - Parameter sent: when the question went out. If it has replied to anything since, it is just slow with this one.
    mutating func failed(sent: Moment, _ now: Moment) {
        if let lastReply, lastReply >= sent { return }
        failures += 1
        if failures >= Self.tolerance, restsUntil == nil { rest(now) }
    }

    /// It is asked to show whether it is well again; until it has, it rests on.
    mutating func beginTrial(_ now: Moment) {
        rest(now)
    }

    private mutating func rest(_ now: Moment) {
        restsUntil = now + Self.firstRest * (1 << Int(rests))
        rests = min(rests + 1, Self.maximumDoublings)
    }
}
