// Answers to one source at a gateway: so many in a tenth of a second, then short ones, then none.

import Forwarding
import Testing

@testable import IntercomServer

@Suite("Answers to one source at a gateway")
struct SourcePacingTests {
    private static let source: UInt128 = 0xFFFF_0A01_0009

    /// The number of each verdict on so many answers at one time.
    private func verdicts(
        _ pacing: inout SourcePacing, _ count: Int, to source: UInt128 = source, at now: Moment
    ) -> (answers: Int, truncated: Int, dropped: Int) {
        var counts = (answers: 0, truncated: 0, dropped: 0)
        for _ in 0..<count {
            switch pacing.judge(source, limit: SourcePacing.answersToUnknown, now: now) {
            case .answer: counts.answers += 1
            case .truncate: counts.truncated += 1
            case .drop: counts.dropped += 1
            }
        }
        return counts
    }

    @Test("are bounded in each tenth of a second; of those too many half are headers with TC, and half are dropped")
    func bounded() {
        var pacing = SourcePacing()
        let first = verdicts(&pacing, 150, at: Moment(nanoseconds: 5_000_000_000))
        #expect(first.answers == 50 && first.truncated == 50 && first.dropped == 50)
        let next = verdicts(&pacing, 40, at: Moment(nanoseconds: 5_100_000_000))
        #expect(next.answers == 40)
    }

    @Test("do not depend on those to others")
    func others() {
        var pacing = SourcePacing()
        let now = Moment(nanoseconds: 7_000_000_000)
        _ = verdicts(&pacing, 1000, at: now)
        // Two sources in 4,096 may share a place of the table; not all of these do.
        let free = (1...8).filter { verdicts(&pacing, 50, to: Self.source + UInt128($0) << 9, at: now).answers == 50 }
        #expect(free.count >= 6)
    }
}
