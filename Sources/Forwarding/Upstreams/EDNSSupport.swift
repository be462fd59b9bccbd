// An upstream's understanding of EDNS, as far as its replies show.

/// Observations of an upstream's EDNS.
///
/// A server that answers a question only without an OPT record is asked without from then on (RFC 6891 §7), for 15 minutes:
/// it may be replaced by one that understands.
struct EDNSSupport: Sendable {
    /// Until then it is asked without EDNS.
    private var plainUntil: Moment?
    /// It has sent an OPT record: where it is silent, that has other reasons.
    private(set) var isProven = false
    /// The moment at which a question was first answered after the OPT record had been left out, as the others were met with
    /// silence.
    private var firstSilence: Moment?

    static let memory = Lapse.seconds(900)

    /// True when it is asked with EDNS.
    func isUsed(_ now: Moment) -> Bool { plainUntil.map { $0 <= now } ?? true }

    /// Notes a reply with an OPT record.
    mutating func noteUnderstood() {
        isProven = true
        firstSilence = nil
    }

    /// Notes that it complained of a question with EDNS, and answered the same without.
    mutating func noteComplaint(_ now: Moment) {
        plainUntil = now + Self.memory
        isProven = false
        firstSilence = nil
    }

    /// Notes that it was silent to questions with EDNS, and answered the same without.
    ///
    /// The first time may be chance: a network that has just come up looks the same. A later question decides.
    /// - Parameter began: when that question was first asked.
    mutating func noteSilence(began: Moment, _ now: Moment) {
        guard !isProven else { return }
        guard let first = firstSilence else {
            firstSilence = now
            return
        }
        if began >= first { noteComplaint(now) }
    }
}
