// Connections of workers to threads of the opener, by which they let addresses through gates; and the monitor of the gates' tables.

import Attachment
import LinuxNet
import Logging

/// Opens a connection for each worker once there is a gate, and anew where the opener has ended.
final class GateConnections {
    /// Subject of the requests for them, which come before the first gate.
    static let subject = "admissions"

    private let requests: OpenerRequests
    private let loop: EventLoop
    private let workers: WorkerPool
    private let logger: Logger
    private var connected: Set<Int> = []
    private var connecting: Set<Int> = []
    private var backoff = Backoff()
    /// Time at which it is tried again.
    private(set) var retry: ContinuousClock.Instant?
    /// Notices that somebody removes the tables; nil: there is none yet.
    private var monitor: AddressGateMonitor?
    /// Is called when each worker has a connection.
    var opened: () -> Void = {}
    /// Is called with the reason for which one cannot be had.
    var failed: (String) -> Void = { _ in }

    init(requests: OpenerRequests, loop: EventLoop, workers: WorkerPool, logger: Logger) {
        self.requests = requests
        self.loop = loop
        self.workers = workers
        self.logger = logger
    }

    /// True while each worker has one.
    var areOpen: Bool { connected.count == workers.count }

    /// Opens those that are missing.
    func open() {
        guard retry == nil else { return }
        if !hasMonitor { openMonitor() }
        for worker in workers.indices where !connected.contains(worker) && connecting.insert(worker).inserted {
            requests.request(about: Self.subject) { opener in
                Result { () throws(LinuxError) in Handover(try opener.openAdmissions()) }
            } late: { [self] in
                fail(worker, "the opener does not reply")
            } done: { [self] (result: Result<Handover<Descriptor>, LinuxError>) in
                switch result {
                case .success(let connection): take(connection, for: worker)
                case .failure(let error): fail(worker, "\(error)")
                }
            }
        }
    }

    private func take(_ connection: Handover<Descriptor>, for worker: Int) {
        connecting.remove(worker)
        connected.insert(worker)
        backoff = Backoff()
        workers.post(.admissions(connection), to: worker)
        if areOpen { opened() }
    }

    private func fail(_ worker: Int, _ reason: String) {
        connecting.remove(worker)
        if retry == nil { retry = .now + backoff.next() }
        failed(reason)
    }

    /// A worker has lost its own.
    /// - Parameter isNeeded: true while there are gates.
    func lost(by worker: Int, isNeeded: Bool) {
        if connected.remove(worker) != nil, isNeeded { open() }
    }

    /// Tries again what is due.
    func tick(now: ContinuousClock.Instant, isNeeded: Bool) {
        guard let due = retry, due <= now else { return }
        retry = nil
        if isNeeded { open() }
    }

    // MARK: - The tables

    private var hasMonitor: Bool {
        switch monitor {
        case .some: true
        case .none: false
        }
    }

    private func openMonitor() {
        requests.request(about: Self.subject) { opener in
            Result { () throws(LinuxError) in Handover(try opener.monitorGates()) }
        } late: {
            // The next connection is another chance.
        } done: { [self] (result: Result<Handover<AddressGateMonitor>, LinuxError>) in
            do throws(LinuxError) {
                guard let made = try result.get().take() else { return }
                try loop.watch(made.descriptor, as: .gates)
                monitor = consume made
            } catch {
                logger.warning(
                    "changes of the host's nftables are not noticed; gates that somebody removes stay removed: \(error)",
                    metadata: .about(limitedAs: "gates"))
            }
        }
    }

    /// The change of the tables since the last call.
    func takeChange() -> AddressGateMonitor.Change {
        switch monitor {
        case .some(let monitor): monitor.takeChange()
        case .none: .none
        }
    }
}
