// What the service manager hears from us: when we answer, what we do, that we live, that we end.

import Attachment
import LinuxNet
import Logging
import Registry
import Systemd

extension ControlPlane {
    /// What is done now, in one line.
    private var statusLine: String {
        "\(registry.networkCount) networks, \(registry.containerCount) containers, \(containers.room.listenerCount) listeners"
    }

    /// Everything that was there before answers again.
    func serviceIsReady() {
        tell(.ready, .status(statusLine))
        logger.info("ready: \(statusLine), \(workers.count) workers", metadata: .about(.ready))
    }

    func serviceReloads() { tell(.reloading(at: .now)) }

    /// Also where the reload was refused: the configuration before is in force then.
    func serviceHasReloaded() { tell(.ready, .status(statusLine)) }

    func serviceStops() { tell(.stopping) }

    private func tell(_ notices: ServiceManager.Notice...) {
        do throws(SystemdError) {
            try ServiceManager.tell(notices)
        } catch {
            logger.warning("the service manager cannot be told: \(error)")
        }
    }

    // MARK: - Signs of life

    /// Gives signs of life as often as the service manager wants them, if it does; else nothing wakes an idle daemon.
    func startHeartbeat() throws(LinuxError) {
        // Half the time that it waits, as sd_watchdog_enabled(3) recommends.
        guard let interval = ServiceManager.watchdogInterval.map({ $0 / 2 }), interval > .zero else { return }
        let timer = try Timer(every: interval)
        try epoll.add(timer.descriptor, token: ControlToken.heartbeat.word, interest: [.readable])
        heartbeat = consume timer
    }

    /// A sign of life is given when each worker's loop has turned since this one's last turn: one that is stuck stops it.
    func beat() {
        heartbeat?.drain()
        if isBeating { return }
        isBeating = true
        workers.ask(workers.indices, { .fence(token: $0) }) { [self] _ in
            isBeating = false
            tell(.alive, .status(statusLine))
        }
    }
}
