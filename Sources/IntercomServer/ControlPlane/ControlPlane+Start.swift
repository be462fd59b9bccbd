// The start: all that was there before is there again when the first question is answered, or as much as can be had soon.

import Attachment
import ControlAPI
import LinuxNet
import Logging

/// How far the start has come.
struct Start {
    /// The opener may be away: listeners that were kept answer after this time with what there is.
    static let patience = Duration.seconds(3)
    /// Time to wait for the opener's socket that observes the kernel, before anything is attached.
    static let patienceForKernel = Duration.seconds(1)

    /// What was declared before, until it is declared anew.
    var before = Declarations()
    /// True when namespaces and processes are told apart as they were then.
    var isSameBoot = false
    /// True when configuration and state have been declared.
    var hasBegun = false
    /// True when questions are answered.
    var hasEnded = false
    /// True when nothing of before is under way any more.
    var isComplete = false
    /// Calls of ``ControlPlane/publish(then:)`` that wait for the first one.
    var waiting: [() -> Void] = []
    /// Calls that wait until nothing that was declared or found is being entered for the first time.
    var unsettled: [() -> Void] = []
    /// Declarations of before that go with containers which are not attached yet.
    var declarations: [Declaration] = []
}

extension ControlPlane {
    /// Begins: the kernel first, so that each namespace is entered once; then everything that is declared and found.
    func begin() throws(LinuxError) {
        let (before, isSameBoot) = try state.load()
        start.before = before
        start.isSameBoot = isSameBoot
        schedule(.declare, after: Start.patienceForKernel)
        schedule(.answer, after: Start.patience)
        discovery.start { [self] in declareAll() }
    }

    /// Declares what configuration and state say, and looks for namespaces.
    func declareAll() {
        tasks[.declare] = nil
        guard !start.hasBegun else { return }
        start.hasBegun = true
        applyConfiguration()
        restore(start.before, isSameBoot: start.isSameBoot)
        start.before = Declarations()
        discovery.watchNamespaces()
        goOn()
    }

    /// Calls `done` when nothing that was declared or found is being entered for the first time, and within a moment.
    func whenSettled(_ done: @escaping () -> Void) {
        start.unsettled.append(done)
        schedule(.settle, after: Start.patienceForKernel)
        goOn()
    }

    /// Goes on with what waited for namespaces to be entered.
    func settle() {
        tasks[.settle] = nil
        let unsettled = start.unsettled
        start.unsettled = []
        for done in unsettled { done() }
    }

    /// Begins to answer, and goes on with what waits, when nothing is being entered any more.
    func goOn() {
        if start.unsettled.isEmpty, start.isComplete { return }
        guard start.hasBegun, !containers.room.isOpening else { return }
        if !start.unsettled.isEmpty { settle() }
        guard !start.isComplete else { return }
        start.isComplete = true
        containers.room.changeKeptListeners()
        containers.carryOut()
        containers.closeUnclaimedListeners()
        answer()
    }

    /// Answers from now on.
    func answer() {
        tasks[.answer] = nil
        guard !start.hasEnded else { return }
        restoreOthers()
        writeState()
        start.hasEnded = true
        do throws(LinuxError) {
            try controlSocket.start(by: epoll, token: ControlToken.control.word) { [unowned self] call, client in
                carryOut(call, of: client)
            }
        } catch {
            logger.error("control calls cannot be taken: \(error)")
        }
        let waiting = start.waiting
        start.waiting = []
        publish { [self] in
            serviceIsReady()
            for done in waiting { done() }
        }
    }
}
