// Calls that the opener is carrying out, each on a thread that has no other: counted, in all and for each namespace.

import LinuxNet
import Synchronization
import SystemPackage

/// The threads of the opener. A thread may wait in the kernel for a lock that a container's root holds, and cannot be ended
/// meanwhile: so many of them wait that others still find one.
final class OpenerWork: Sendable {
    /// Calls at the same time: the daemon is one caller, with a few containers at once.
    static let limit = 16
    /// Calls at the same time in one namespace.
    static let limitOfNamespace = 4
    /// Time for which all threads may be busy before the opener counts as stuck.
    static let patience = Duration.seconds(60)

    fileprivate struct Calls {
        var count = 0
        var inNamespace: [NamespaceIdentity: Int] = [:]
        /// Since when there is no thread for another call.
        var fullSince: ContinuousClock.Instant?
    }

    private let calls = Mutex(Calls())
    private let threads: LingeringThreads

    /// - Throws: ``LinuxError`` when the process has too many open files.
    init() throws(LinuxError) {
        threads = try LingeringThreads(name: "call", limit: Self.limit)
    }

    /// Calls that are being carried out.
    var count: Int { calls.withLock { $0.count } }

    /// True when there has been no thread for another call for ``patience``.
    func isStuck(_ now: ContinuousClock.Instant) -> Bool {
        calls.withLock { $0.fullSince.map { $0.duration(to: now) > Self.patience } ?? false }
    }

    /// Runs a call on a thread that has no other. It never waits; to be called by one thread alone.
    /// - Parameter namespace: the one that the call is about, if any.
    /// - Throws: ``LinuxError``: `resourceBusy` where so many calls are being carried out already.
    func carryOut(in namespace: NamespaceIdentity?, _ call: @escaping @Sendable () -> Void) throws(LinuxError) {
        let isAccepted = calls.withLock { $0.begin(in: namespace) }
        guard isAccepted else {
            throw LinuxError(
                call: "opener", errno: .resourceBusy,
                subject: namespace.map { "too many calls for \($0)" } ?? "too many calls")
        }
        do throws(LinuxError) {
            try threads.run { [self] in
                call()
                calls.withLock { $0.end(in: namespace) }
            }
        } catch {
            calls.withLock { $0.end(in: namespace) }
            throw error
        }
    }
}

extension OpenerWork.Calls {
    fileprivate mutating func begin(in namespace: NamespaceIdentity?) -> Bool {
        guard count < OpenerWork.limit else { return false }
        if let namespace {
            guard inNamespace[namespace, default: 0] < OpenerWork.limitOfNamespace else { return false }
            inNamespace[namespace, default: 0] += 1
        }
        count += 1
        if count == OpenerWork.limit { fullSince = .now }
        return true
    }

    fileprivate mutating func end(in namespace: NamespaceIdentity?) {
        count -= 1
        fullSince = nil
        guard let namespace, let others = inNamespace[namespace].map({ $0 - 1 }) else { return }
        inNamespace[namespace] = others > 0 ? others : nil
    }
}
