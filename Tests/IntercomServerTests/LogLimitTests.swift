// Messages that a container could cause without end: few of them pass, and none is forgotten.

import Testing

@testable import IntercomServer

@Suite("Messages of one kind")
struct LogLimitTests {
    @Test("pass in a burst, and then one each 10 s, which says how many did not")
    func burst() {
        let limits = LogLimits()
        let start = ContinuousClock.now
        #expect((0..<10).map { _ in limits.pass("accept", at: start) } == Array(repeating: 0, count: 10))
        #expect((0..<5).allSatisfy { _ in limits.pass("accept", at: start + .seconds(9)) == nil })
        #expect(limits.pass("accept", at: start + .seconds(10)) == 5)
        #expect(limits.pass("accept", at: start + .seconds(10)) == nil)
        #expect(limits.pass("accept", at: start + .seconds(20)) == 1)
        #expect(limits.pass("other", at: start) == 0, "another kind has a burst of its own")
        #expect((0..<10).allSatisfy { _ in limits.pass("accept", at: start + .seconds(1000)) == 0 })
    }

    @Test("take bounded memory, whatever kinds there are")
    func kinds() {
        let limits = LogLimits()
        let now = ContinuousClock.now
        for number in 0..<(10 * LogLimits.maximumKinds) { #expect(limits.pass("kind \(number)", at: now) == 0) }
    }
}
