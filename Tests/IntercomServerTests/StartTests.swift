// The steps of the daemon's start, by what is known and by the time.

import Testing

@testable import IntercomServer

@Suite("The start")
struct StartTests {
    private let began = ContinuousClock.now

    /// All steps that follow from a situation, as the control plane takes them.
    private func steps(
        of start: inout Start, kernel: Bool, opening: Bool, hosts: Start.OtherHosts = .known, after seconds: Double
    ) -> [Start.Step] {
        var steps: [Start.Step] = []
        while let step = start.next(
            isKernelKnown: kernel, isOpening: opening, otherHosts: hosts, now: began + .seconds(seconds))
        {
            steps.append(step)
        }
        return steps
    }

    @Test("Everything is declared when the kernel is observed, and answered when all of it was tried")
    func usual() {
        var start = Start(now: began)
        #expect(steps(of: &start, kernel: false, opening: false, after: 0) == [])
        #expect(start.nextDeadline == began + Start.patienceForKernel)
        #expect(steps(of: &start, kernel: true, opening: true, after: 0.1) == [.declare])
        #expect(start.nextDeadline == began + Start.patience)
        #expect(steps(of: &start, kernel: true, opening: true, after: 0.2) == [])
        #expect(steps(of: &start, kernel: true, opening: false, after: 0.3) == [.complete, .answer])
        #expect(start.nextDeadline == nil)
        #expect(steps(of: &start, kernel: true, opening: true, after: 9) == [])
    }

    @Test(
        "An opener that is away delays declarations by one second and answers by three; the rest follows when it is back"
    )
    func openerAway() {
        var start = Start(now: began)
        #expect(steps(of: &start, kernel: false, opening: true, after: 1) == [.declare])
        #expect(steps(of: &start, kernel: false, opening: true, after: 2.9) == [])
        #expect(steps(of: &start, kernel: false, opening: true, after: 3) == [.answer])
        #expect(steps(of: &start, kernel: true, opening: false, after: 60) == [.complete])
    }

    @Test(
        "Questions wait until other hosts are known: one second for a bridge to attach, three for it to tell everything"
    )
    func otherHosts() {
        var alone = Start(now: began)
        #expect(steps(of: &alone, kernel: true, opening: false, hosts: .untold, after: 0) == [.declare, .complete])
        #expect(alone.nextDeadline == began + Start.patienceForBridge)
        #expect(steps(of: &alone, kernel: true, opening: false, hosts: .untold, after: 0.9) == [])
        #expect(steps(of: &alone, kernel: true, opening: false, hosts: .untold, after: 1) == [.answer])
        #expect(alone.nextDeadline == nil)
        var attended = Start(now: began)
        #expect(steps(of: &attended, kernel: true, opening: false, hosts: .untold, after: 0) == [.declare, .complete])
        #expect(steps(of: &attended, kernel: true, opening: false, hosts: .beingTold, after: 0.5) == [])
        #expect(attended.nextDeadline == began + Start.patience)
        #expect(steps(of: &attended, kernel: true, opening: false, hosts: .beingTold, after: 2.9) == [])
        var slow = attended
        #expect(steps(of: &attended, kernel: true, opening: false, hosts: .known, after: 2.9) == [.answer])
        #expect(steps(of: &slow, kernel: true, opening: false, hosts: .beingTold, after: 3) == [.answer])
    }

    @Test("What waits until all is entered is called then, or a second later, once")
    func settling() {
        var start = Start(now: began)
        #expect(steps(of: &start, kernel: true, opening: false, after: 0) == [.declare, .complete, .answer])
        var calls: [String] = []
        start.whenSettled(now: began + .seconds(10)) { calls.append("first") }
        start.whenSettled(now: began + .seconds(10.5)) { calls.append("second") }
        #expect(start.nextDeadline == began + .seconds(11))
        #expect(steps(of: &start, kernel: true, opening: true, after: 10.9) == [])
        #expect(steps(of: &start, kernel: true, opening: true, after: 11) == [.settle])
        for call in start.takeUnsettled() { call() }
        #expect(calls == ["first", "second"] && start.takeUnsettled().isEmpty && start.nextDeadline == nil)
        start.whenSettled(now: began + .seconds(20)) { calls.append("third") }
        #expect(steps(of: &start, kernel: true, opening: false, after: 20) == [.settle])
    }
}
