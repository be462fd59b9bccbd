// The process: it waits for etcd, the daemon, signals and time, and performs the effects of the bridge.

import Clustering
import ControlAPI
import Curl
import EtcdWire
import LinuxNet
import Systemd

/// Lines on standard error, with their level for the journal.
struct BridgeLog {
    enum Level: Int {
        case warning = 4
        case info = 6
    }

    private let isJournal = Journal.isBehind(.standardError)

    func write(_ level: Level, _ text: String) {
        // sd-daemon(3): a number in angle brackets is the level.
        let start = isJournal ? "<\(level.rawValue)>" : "intercom-etcd: "
        _ = Files.writeUnlessBlocked("\(start)\(Self.printable(text))\n", to: .standardError)
    }

    /// A text of etcd or of another host, in which neither another line begins nor a terminal is controlled.
    static func printable(_ text: String) -> String {
        String(text.unicodeScalars.map { (0x20...0x7E).contains($0.value) ? Character($0) : "?" })
    }
}

/// The bridge with all that it waits for. It runs on one thread.
final class BridgeProcess {
    /// Wait before the daemon is attached to again.
    private static let daemonWait = Duration.milliseconds(200)
    /// Containers that may be written a second: a snapshot waits longer the more there are, five seconds at least, five minutes for 100,000.
    private static let snapshotRate = 350

    private let configuration: EtcdConfiguration
    private let state: StateDirectory
    private let log = BridgeLog()
    private let transport: EtcdTransport
    private var bridge: Bridge
    private var daemon: DaemonConnection?
    private var attachAt = Duration.zero
    private var failure: String?
    private var signals: SignalFD
    /// Revision of the snapshot that was written last.
    private var savedRevision: Int64 = 0
    /// Time at which the next snapshot is due; nil: nothing has changed since the last.
    private var saveAt: Duration?
    /// Interval at which the service manager is told that this process is alive; nil: it does not ask for it.
    private let aliveInterval = ServiceManager.watchdogInterval.map { $0 / 2 }
    private var aliveAt = Duration.zero

    init(_ configuration: EtcdConfiguration, state: StateDirectory) throws {
        self.configuration = configuration
        self.state = state
        guard let loop = CurlLoop() else { throw BridgeFailure(description: "libcurl cannot begin: no memory") }
        signals = try SignalFD([.terminate, .interrupt])
        transport = EtcdTransport(configuration, loop: loop)
        let identity = state.identity()
        let fresh = BridgeIdentity(instance: String(Entropy.word(), radix: 36))
        bridge = Bridge(
            settings: configuration.settings, identity: identity ?? fresh, snapshot: state.snapshot(),
            seed: Entropy.word())
        if identity == nil { save(fresh) }
    }

    private func save(_ identity: BridgeIdentity) {
        do throws(LinuxError) {
            try state.save(identity)
        } catch {
            log.write(.warning, "\(error): after a restart this host waits until its lease is over")
        }
    }

    /// Writes a snapshot, if anything is new.
    private func saveSnapshot() {
        saveAt = nil
        guard bridge.revision != savedRevision, let snapshot = bridge.snapshot else { return }
        do throws(LinuxError) {
            try state.save(snapshot)
            savedRevision = bridge.revision
        } catch {
            log.write(.warning, "\(error): after a restart, names of other hosts are there only when etcd is")
        }
    }

    /// Writes a snapshot when it is due: what was there for a while is there again after a restart, also if etcd is not.
    private func saveOnTime() {
        guard bridge.revision != savedRevision else { return }
        let due = saveAt ?? Self.now + .seconds(5 + bridge.entryCount / Self.snapshotRate)
        saveAt = due
        if due <= Self.now { saveSnapshot() }
    }

    private static var now: Duration { .microseconds(Int64(clamping: MonotonicTime.now.microseconds)) }

    /// Runs until SIGTERM or SIGINT.
    func run() throws {
        try? ServiceManager.tell([.ready])
        while true {
            sayAlive()
            attach()
            bridge.handle(.tick, now: Self.now)
            perform()
            saveOnTime()
            var watched = [CurlLoop.Watched(signals.descriptor)]
            if let daemon {
                watched.append(CurlLoop.Watched(daemon.listening.descriptor, wantsRoom: daemon.listening.hasUnsent))
                watched.append(CurlLoop.Watched(daemon.calling.descriptor, wantsRoom: daemon.calling.hasUnsent))
            }
            guard transport.loop.wait(&watched, milliseconds: waitTime) else {
                throw BridgeFailure(description: "libcurl cannot wait: no memory")
            }
            if watched[0].isReady, signals.read() != nil { return saveSnapshot() }
            handle(transport.events())
            if watched.count > 2 { listen(isTold: watched[1].isReady, isAnswered: watched[2].isReady) }
        }
    }

    private func sayAlive() {
        guard let aliveInterval, aliveAt <= Self.now else { return }
        aliveAt = Self.now + aliveInterval
        try? ServiceManager.tell([.alive])
    }

    private var waitTime: Int {
        let times = [bridge.nextDeadline, saveAt, aliveInterval == nil ? nil : aliveAt, daemon == nil ? attachAt : nil]
            .compactMap(\.self)
        guard let time = times.min() else { return 60_000 }
        return max(0, Int(clamping: Int64(((time - Self.now) / .milliseconds(1)).rounded(.up))))
    }

    private func handle(_ events: [BridgeEvent]) {
        // The daemon's workers may wait for this core.
        var pace = Pace()
        for event in events {
            bridge.handle(event, now: Self.now)
            perform()
            pace.giveWay()
        }
    }

    // MARK: - The daemon

    private func attach() {
        guard daemon == nil, attachAt <= Self.now else { return }
        do {
            daemon = try DaemonConnection(path: configuration.socket, host: configuration.settings.host, log: log)
        } catch {
            detach(error)
        }
    }

    /// - Parameters:
    ///   - isTold: something has come of the containers here.
    ///   - isAnswered: something has come in answer to calls.
    private func listen(isTold: Bool, isAnswered: Bool) {
        guard let daemon, isTold || isAnswered else { return }
        do {
            handle(try daemon.events(isTold: isTold, isAnswered: isAnswered))
            if self.daemon != nil, failure != nil {
                log.write(.info, "attached to the daemon")
                failure = nil
            }
        } catch {
            detach(error)
        }
    }

    private func detach(_ error: any Error) {
        daemon = nil
        attachAt = Self.now + Self.daemonWait
        if failure != "\(error)" { log.write(.warning, "\(error); tried again until it works") }
        failure = "\(error)"
        bridge.handle(.detached, now: Self.now)
    }

    // MARK: - Effects

    private func perform() {
        for effect in bridge.takeEffects() {
            switch effect {
            case .call(let number, let call): transport.call(number, call)
            case .watch(let keys, let revision): transport.watch(keys, from: revision)
            case .askProgress: transport.askProgress()
            case .endWatch: transport.endWatch()
            case .disconnect: transport.disconnect()
            case .save(let identity): save(identity)
            case .log(let isWarning, let text): log.write(isWarning ? .warning : .info, text)
            case .tell(let telling): tell { try $0.tell(telling) }
            case .report(let state, let message, let lag):
                tell { try $0.report(state, message, lag: lag) }
                let text = "\(state.rawValue): hosts: \(bridge.hostCount), containers: \(bridge.entryCount)"
                try? ServiceManager.tell([.status(message.map { "\(text); \($0)" } ?? text)])
            }
        }
    }

    private func tell(_ body: (DaemonConnection) throws -> Void) {
        guard let daemon else { return }
        do { try body(daemon) } catch { detach(error) }
    }
}
