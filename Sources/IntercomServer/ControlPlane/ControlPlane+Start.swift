// The start and the end of the daemon: the steps of ``Start`` carried out, and files and rules removed.

import Attachment
import ControlAPI
import DNSWire
import LinuxNet
import Logging
import Varlink

extension ControlPlane {
    /// Time until the first proofs of 1,000 containers are done, and what the start has used is free.
    private static let timeOfStart = Duration.seconds(3)

    /// Takes up the state of the daemon before, and begins to observe the kernel.
    /// - Throws: why it cannot start, for example as another daemon uses the state directory.
    package func begin() throws {
        // A local opener makes threads, which would inherit the limit.
        if requests.opener is RemoteOpener { limitThread(to: AllowedSystemCalls.controlPlane, logger) }
        try state.load()
        discovery.subscribe()
    }

    /// Goes on with the start as far as it can be gone on with.
    func goOnWithStart() {
        while let step = start.next(
            isKernelKnown: discovery.hasBeenTried, isOpening: containers.room.isOpening,
            otherHosts: containers.room.listenerCount > 0 ? cluster.knowledge : .known, now: .now)
        {
            switch step {
            case .declare:
                applyConfiguration()
                state.restore(by: self)
                namespaces.start()
                cluster.start(by: loop)
            case .complete: containers.completeStart()
            case .answer: answer()
            case .settle:
                gateways.closeUnclaimed()
                for done in start.takeUnsettled() { done() }
            }
        }
    }

    /// Answers questions and takes calls from now on.
    private func answer() {
        state.restoreOthers(by: self)
        state.write()
        do throws(LinuxError) {
            try controlSocket.start(by: loop)
            try resolveHook.socket?.start(by: loop)
        } catch {
            logger.error("control calls cannot be taken: \(error)")
        }
        upstreams.followHost()
        publisher.release { [self] in
            service.ready(statusLine)
            let workers = DisplayText.counted(workers.count, "worker")
            logger.info("ready: \(statusLine), \(workers)", metadata: .about(.ready))
            gates.begin()
            Memory.trim()
            loop.schedule(.trimMemory, after: Self.timeOfStart)
        }
    }

    /// Ends all parts.
    /// - Parameter isReplaced: whether the next daemon begins at once, with what this one leaves.
    func shutDown(isReplaced: Bool) {
        service.stopping()
        controlSocket.endMonitors(with: VarlinkReply.encode(Monitor.Reply()))
        questions.log.end()
        workers.stop()
        // Questions that come meanwhile are answered by the next daemon.
        if !isReplaced {
            containers.removeFilesAndRules()
            requests.finishAll(within: .seconds(3))
        }
        controlSocket.removePath()
        cluster.socket?.removePath()
    }
}
