// Notices to the service manager: when we answer, what we do, that we live, that we end.

import LinuxNet
import Logging
import Systemd

/// Notifies the service manager, where there is one (sd_notify(3)).
final class ServiceNotifier {
    private let logger: Logger
    /// Runs where the service manager wants signs of life; else nothing wakes an idle daemon.
    private var heartbeat: Timer?
    /// True while a sign of life waits for the workers to turn.
    private var isBeating = false

    init(logger: Logger) {
        self.logger = logger
    }

    /// Everything that was there before answers again.
    /// - Parameter status: what there is, in one line.
    func ready(_ status: String) { notify(.ready, .status(status)) }

    /// The configuration is read again; ``ready(_:)`` follows.
    func reloading() { notify(.reloading(at: .now)) }

    /// The daemon ends.
    func stopping() { notify(.stopping) }

    private func notify(_ notices: ServiceManager.Notice...) {
        do throws(SystemdError) {
            try ServiceManager.tell(notices)
        } catch {
            logger.warning("the service manager cannot be notified: \(error)")
        }
    }

    // MARK: - Signs of life

    /// Has the loop tell when a sign of life is due, as often as the service manager wants them.
    /// - Throws: ``LinuxError`` when there can be no timer.
    func startHeartbeat(by loop: EventLoop) throws(LinuxError) {
        // Half the time that it waits, as sd_watchdog_enabled(3) recommends.
        guard let interval = ServiceManager.watchdogInterval.map({ $0 / 2 }), interval > .zero else { return }
        let timer = try Timer(every: interval)
        try loop.watch(timer.descriptor, as: .heartbeat)
        heartbeat = consume timer
    }

    /// Gives a sign of life when each worker's loop has turned since this one's last turn: one that is stuck stops it.
    /// - Parameter status: what there is then, in one line.
    func beat(with workers: WorkerPool, status: @escaping () -> String) {
        heartbeat?.drain()
        if isBeating { return }
        isBeating = true
        workers.ask(workers.indices, { .fence(token: $0) }) { [self] _ in
            isBeating = false
            notify(.alive, .status(status()))
        }
    }
}
