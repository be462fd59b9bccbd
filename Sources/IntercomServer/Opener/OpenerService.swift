// `intercomd --opener`: the process that has the privileges, and does for the daemon what they are needed for.
//
// It trusts the daemon with nothing more. It takes calls of the daemon's user and of root alone; it enters network
// namespaces, never the host's, and binds nothing but 127.0.0.11 there; it writes one file of a checked name, whose text it
// makes itself. It ends when nobody has called for a while, and the next call starts it again.

import LinuxNet
package import Logging
import Synchronization
import Systemd
import Varlink

/// Serves the opener's socket.
package struct OpenerService: ~Copyable {
    /// `FileDescriptorName=` of the opener's socket in its unit.
    private static let socketName = "opener"
    /// How long it waits for a call before it ends, in milliseconds.
    private static let idleTime = 30_000
    /// Callers at the same time, and calls that are carried out: the daemon is one. More wait.
    private static let maximumConnections = 16

    private static let listenerToken: UInt64 = 1 << 60

    private let logger: Logger
    private let listener: Descriptor
    private let host: NamespaceIdentity
    private var epoll: Epoll
    private var connections = SlotTable<Descriptor>()
    private var buffer = [UInt8](repeating: 0, count: OpenerCalls.maximumMessage)
    private let work = OpenerWork()

    /// Takes the socket that the service manager hands over, else makes one at this path.
    /// - Throws: `LinuxError`, ``OpenerServiceError``.
    package init(path: String?, logger: Logger) throws {
        let host = try NetworkNamespace.current().identity
        let listener = try Self.takeSocket(orMakeAt: path)
        let epoll = try Epoll()
        try epoll.add(listener, token: Self.listenerToken, interest: [.readable])
        self.logger = logger
        self.host = host
        self.listener = listener
        self.epoll = epoll
    }

    private static func takeSocket(orMakeAt path: String?) throws -> Descriptor {
        var inherited = try InheritedDescriptors()
        while let named = inherited.next() {
            if named.name == socketName, UnixSocket.adopt(named.descriptor) { return named.takeDescriptor() }
        }
        guard let path else { throw OpenerServiceError.noSocket }
        return try UnixSocket.listenForMessages(path: path)
    }

    /// Answers until nobody has called for a while.
    package mutating func run() throws {
        try ServiceManager.tell([.ready])
        while true {
            let count = try epoll.wait(timeoutMilliseconds: Self.idleTime)
            if count == 0, connections.isEmpty, work.count == 0 { return }
            for index in 0..<count {
                let (token, _) = epoll.event(index)
                if token == Self.listenerToken { accept() } else { serve(Ticket(word: token)) }
            }
        }
    }

    private mutating func accept() {
        do throws(LinuxError) {
            while connections.count < Self.maximumConnections,
                let accepted = try UnixSocket.accept(from: listener)
            {
                let peer = try UnixSocket.peerCredentials(of: accepted)
                guard peer.uid == 0 || peer.uid == UnixSocket.owner(of: listener) else {
                    logger.warning("user \(peer.uid) may not call the opener", metadata: .about(limitedAs: "peer"))
                    continue
                }
                let ticket = connections.insert(accepted)
                guard let position = connections.position(of: ticket) else { continue }
                try epoll.add(connections[position], token: ticket.word, interest: [.readable])
            }
        } catch {
            logger.warning("a call cannot be accepted: \(error)", metadata: .about(limitedAs: "accept"))
        }
    }

    /// Carries out one call; the connection is for no more. It has a thread of its own, so that one that waits for a lock,
    /// which a container's root can hold, does not have the others wait.
    private mutating func serve(_ ticket: Ticket) {
        guard let connection = connections.remove(ticket) else { return }
        do throws(LinuxError) {
            guard var received = try connection.receivePassed(into: &buffer), received.count > 0 else { return }
            let message = Array(buffer[..<received.count].prefix { $0 != 0 })
            var passed: Handover<Descriptor>?
            if let descriptor = received.descriptors.next() { passed = Handover(descriptor) }
            let errand = Handover(OpenerErrand(host: host, connection: connection))
            try work.carryOut(upTo: Self.maximumConnections) { [passed, logger] in
                do throws(LinuxError) {
                    try errand.take()?.carryOut(message, passed?.take())
                } catch {
                    logger.warning("a call cannot be answered: \(error)", metadata: .about(limitedAs: "call"))
                }
            }
        } catch {
            logger.warning("a call cannot be carried out: \(error)", metadata: .about(limitedAs: "call"))
        }
    }
}

/// The calls that are being carried out.
private final class OpenerWork: Sendable {
    private let running = Mutex(0)

    var count: Int { running.withLock { $0 } }

    /// Runs a call on a thread of its own; where there are so many already, on this one.
    func carryOut(upTo limit: Int, _ call: @escaping @Sendable () -> Void) throws(LinuxError) {
        guard count < limit else { return call() }
        running.withLock { $0 += 1 }
        do throws(LinuxError) {
            try Thread.start(name: "call") { [self] in
                call()
                running.withLock { $0 -= 1 }
            }
        } catch {
            running.withLock { $0 -= 1 }
            throw error
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
