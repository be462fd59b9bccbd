// `intercomd --opener`: the process that has the privileges, and does for the daemon what they are needed for.
//
// It trusts the daemon with nothing more. It takes calls of the daemon's user and of root alone; it enters network
// namespaces, never the host's, and binds nothing but 127.0.0.11 there; it writes one file of a checked name, whose text it
// makes itself. It ends when nobody has called for a while, and the next call starts it again.

import LinuxNet
package import Logging
import Synchronization
import Systemd
import Tables
import Varlink

/// Serves the opener's socket.
///
/// Whoever calls may be hostile: the daemon, were it taken over, or by it a container's root who holds locks of the kernel.
/// So every wait has an end, a call has a thread, and threads are counted.
package struct OpenerService: ~Copyable {
    /// `FileDescriptorName=` of the opener's socket in its unit.
    private static let socketName = "opener"
    /// Time for which a connection may say nothing.
    private static let silence = Duration.seconds(5)
    /// Connections that have not said anything yet. More wait in the socket.
    private static let maximumConnections = 16

    private static let listenerToken: UInt64 = 1 << 60

    /// A connection whose call has not come. (Not private: swiftc 6.3 breaks on the metadata of a private type in a table.)
    struct Caller: ~Copyable {
        let connection: Descriptor
        /// The process that has connected.
        let process: Int32
        let accepted: ContinuousClock.Instant

        consuming func takeConnection() -> Descriptor { connection }
    }

    private let logger: Logger
    private let listener: Descriptor
    private let host: NamespaceIdentity
    private var epoll: Epoll
    private var callers = SlotTable<Caller>()
    private var buffer = [UInt8](repeating: 0, count: OpenerCalls.maximumMessage)
    private let work: OpenerWork

    /// Takes the socket that the service manager hands over, else makes one at this path.
    /// - Throws: `LinuxError`, ``OpenerServiceError``.
    package init(path: String?, logger: Logger) throws {
        Memory.share(heaps: 2)
        let host = try NetworkNamespace.current().identity
        let work = try OpenerWork()
        let listener = try Self.takeSocket(orMakeAt: path)
        let epoll = try Epoll()
        try epoll.add(listener, token: Self.listenerToken, interest: [.readable])
        self.logger = logger
        self.host = host
        self.listener = listener
        self.epoll = epoll
        self.work = work
    }

    private static func takeSocket(orMakeAt path: String?) throws -> Descriptor {
        var inherited = try InheritedDescriptors()
        while let named = inherited.next() {
            if named.name == socketName, UnixSocket.adopt(named.descriptor) { return named.takeDescriptor() }
        }
        guard let path else { throw OpenerServiceError.noSocket }
        return try UnixSocket.listenForMessages(path: path)
    }

    /// Answers until it is told to end (SIGTERM). It does not end by itself while nobody calls: a daemon that restarts asks at
    /// once, and among many namespaces systemd takes a while to make the next one's sandbox.
    package mutating func run() throws {
        try ServiceManager.tell([.ready])
        // Twice as often as it is expected, and often enough to end silent connections in time.
        let watchdog = ServiceManager.watchdogInterval
        let turn = min(watchdog.map { $0 / 2 } ?? Self.silence, Self.silence)
        // Each beat wakes the service manager: not one for each call. At the latest one comes five quarters of a turn after another.
        var nextBeat = ContinuousClock.now
        while true {
            let count = try epoll.wait(timeoutMilliseconds: Int(turn / .milliseconds(1)))
            let now = ContinuousClock.now
            // Without a beat the service manager starts another (WatchdogSec=).
            if watchdog != nil, now >= nextBeat, !work.isStuck(now) {
                try ServiceManager.tell([.alive])
                nextBeat = now + turn / 4
            }
            for index in 0..<count {
                let (token, _) = epoll.event(index)
                if token == Self.listenerToken { accept(now) } else { serve(Ticket(word: token)) }
            }
            endSilent(now)
        }
    }

    private mutating func accept(_ now: ContinuousClock.Instant) {
        do throws(LinuxError) {
            while callers.count < Self.maximumConnections,
                let accepted = try UnixSocket.accept(from: listener)
            {
                let peer = try UnixSocket.peerCredentials(of: accepted)
                guard peer.uid == 0 || peer.uid == UnixSocket.owner(of: listener) else {
                    logger.warning("user \(peer.uid) may not call the opener", metadata: .about(limitedAs: "peer"))
                    continue
                }
                let ticket = callers.insert(Caller(connection: accepted, process: peer.pid, accepted: now))
                guard let position = callers.position(of: ticket) else { continue }
                try epoll.add(callers[position].connection, token: ticket.word, interest: [.readable])
            }
        } catch {
            logger.warning("a call cannot be accepted: \(error)", metadata: .about(limitedAs: "accept"))
        }
    }

    /// Closes the connections that have said nothing for too long: others may call.
    private mutating func endSilent(_ now: ContinuousClock.Instant) {
        for position in (0..<callers.count).reversed()
        where callers[position].accepted.duration(to: now) >= Self.silence {
            _ = callers.remove(callers.ticket(at: position))
        }
    }

    /// Carries out one call; the connection is for no more. It has a thread of its own, so that one that waits for a lock,
    /// which a container's root can hold, does not have the others wait.
    private mutating func serve(_ ticket: Ticket) {
        guard let caller = callers.remove(ticket) else { return }
        let process = caller.process
        let connection = caller.takeConnection()
        do throws(LinuxError) {
            guard let received = try connection.receivePassed(into: &buffer), received.count > 0 else { return }
            let message = Array(buffer[..<received.count].prefix { $0 != 0 })
            // The first: of several the daemon asks only while it has many to open.
            let namespace = received.descriptors.nextNamespace
            let passed = Handover(received.takeDescriptors())
            let errand = Handover(OpenerErrand(host: host, caller: process, connection: connection))
            do throws(LinuxError) {
                try work.carryOut(in: namespace) { [logger] in
                    do throws(LinuxError) {
                        try errand.take()?.carryOut(message, passed.take())
                    } catch {
                        logger.warning("a call cannot be answered: \(error)", metadata: .about(limitedAs: "call"))
                    }
                }
            } catch {
                try errand.take()?.refuse(error)
                throw error
            }
        } catch {
            logger.warning("a call cannot be carried out: \(error)", metadata: .about(limitedAs: "call"))
        }
    }
}

/// Why the opener does not start.
package enum OpenerServiceError: Error, CustomStringConvertible {
    /// Nobody handed one over, and no path was given.
    case noSocket

    package var description: String {
        "the opener has no socket: start intercom-opener.socket, or give --opener-socket"
    }
}
