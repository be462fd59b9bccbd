// Listeners whose sockets were taken from under them, and what accept(2) says of them.

import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import LinuxNet

@Suite("A listener's sockets")
struct ListenerSocketsTests {
    /// Listens at a port that the kernel chooses, the same for both.
    private func makeSockets() throws -> ListenerSockets {
        let udp = try UDPSocket.bound(to: SocketAddress(v4: 0x7F00_000B, port: 0))
        let tcp = try TCPSocket.listening(at: try udp.localAddress())
        return ListenerSockets(udp: udp, tcp: tcp, cookie: 0)
    }

    /// Sends a datagram and a TCP message there; gives what arrives of both.
    private func ask(_ sockets: borrowing ListenerSockets) throws -> [Int?] {
        let address = try sockets.tcp.localAddress()
        _ = try UDPSocket.connected(to: address).send([1, 2, 3].span)
        var buffer = [UInt8](repeating: 0, count: 8)
        let datagram = try sockets.udp.receive(into: &buffer)
        let client = try TCPSocket.connecting(to: address)
        _ = try client.send([1, 2].span)
        var epoll = try Epoll()
        try epoll.add(sockets.tcp, token: 0, interest: .readable)
        #expect(try epoll.wait(timeoutMilliseconds: 5_000) == 1)
        guard let accepted = try TCPSocket.accept(from: sockets.tcp) else { return [datagram, nil] }
        return [datagram, try accepted.receive(into: &buffer)]
    }

    @Test("are left as they are while they serve")
    func sound() throws {
        let sockets = try makeSockets()
        #expect(try !sockets.repair())
        #expect(try ask(sockets) == [3, 2])
    }

    @Test("serve again after TCP was closed: until then accept fails, whatever is queued, and the loop is told")
    func closedStream() throws {
        let sockets = try makeSockets()
        // For TCP the same as SOCK_DESTROY.
        sockets.tcp.shutDown()
        var epoll = try Epoll()
        try epoll.add(sockets.tcp, token: 0, interest: [])
        #expect(try epoll.wait(timeoutMilliseconds: 0) == 1)
        #expect(epoll.event(0).events.contains(.hangUp))
        let failure = #expect(throws: LinuxError.self) { _ = try TCPSocket.accept(from: sockets.tcp) }
        #expect(failure?.errno == .invalidArgument && failure?.acceptFailure == .listener)
        #expect(try sockets.repair())
        #expect(try epoll.wait(timeoutMilliseconds: 0) == 0)
        #expect(try ask(sockets) == [3, 2])
        #expect(try !sockets.repair())
    }

    /// The address that datagrams of a listener come from, for a client beside it.
    private static func source(of sockets: borrowing ListenerSockets) throws -> SocketAddress? {
        let client = try UDPSocket.bound(to: SocketAddress(v4: 0x7F00_0001, port: 0))
        var receiver = UDPReceiver(slots: 1, slotSize: 8)
        var sender = UDPSender(slots: 1, slotSize: 8)
        let deadline = ContinuousClock.now + .seconds(5)
        // The interface may not be up yet.
        while ContinuousClock.now < deadline {
            sender.commit(length: 1, to: try client.localAddress())
            _ = sender.flush(to: sockets.udp)
            if try receiver.receive(from: client) == 1 { return receiver.source(0) }
        }
        return nil
    }

    /// The same of a listener that the calling thread makes in a namespace, without its port.
    private static func sourceOfListener(in name: String, whenAllAreThere start: () -> Void) throws -> SocketAddress? {
        try NetworkNamespace(path: "/run/netns/\(name)").enter()
        start()
        let sockets = try NamespaceEntry.makeListener(at: SocketAddress(v4: 0x7F00_000B, port: 0))
        return try source(of: sockets)?.withPort(0)
    }

    /// Results of two threads, which begin at the same time.
    private final class Sources: Sendable {
        private let arrived = Atomic<Int>(0)
        private let sources = Mutex<[SocketAddress]>([])

        var all: [SocketAddress] { sources.withLock(\.self) }

        /// Waits, busily, until both threads do, and for a while then.
        func wait(and delay: Duration) {
            arrived.add(1, ordering: .sequentiallyConsistent)
            let deadline = ContinuousClock.now + .seconds(5)
            while arrived.load(ordering: .sequentiallyConsistent) < 2, ContinuousClock.now < deadline {}
            let end = ContinuousClock.now + delay
            while ContinuousClock.now < end {}
        }

        func add(_ body: () throws -> SocketAddress?) {
            guard let source = try? body() else { return }
            sources.withLock { $0.append(source) }
        }
    }

    @Test("answer from their own address, whoever else brings the loopback interface up meanwhile", .needsRoot)
    func loopbackRace() throws {
        try Scratch.lend(namespaces: 200) { names in
            for (number, name) in names.enumerated() {
                // An interface that is being brought up says that it is up before it has an address. The kernel gives a socket
                // that is bound then no address to send from: what it sends comes from 127.0.0.1, and reaches no client.
                let sources = Sources()
                let threads = try (0..<2).map { thread in
                    // The second tries all moments of the first.
                    let delay = Duration.microseconds(thread * number)
                    return try Thread.start(name: "race") {
                        sources.add { try Self.sourceOfListener(in: name) { sources.wait(and: delay) } }
                    }
                }
                for thread in threads { thread.join() }
                let own = SocketAddress(v4: 0x7F00_000B, port: 0)
                #expect(sources.all == Array(repeating: own, count: threads.count))
            }
        }
    }

    @Test("are not repaired where another socket has the port by now")
    func taken() throws {
        let sockets = try makeSockets()
        let address = try sockets.tcp.localAddress()
        sockets.tcp.shutDown()
        let other = try TCPSocket.listening(at: address)
        let failure = #expect(throws: LinuxError.self) { _ = try sockets.repair() }
        #expect(failure?.errno == .addressInUse)
        _ = try other.localAddress()
    }

    @Test(
        "accept(2): errors of one connection, of the machine, and of the listener",
        arguments: [
            (AcceptFailure.connection, [103, 71, 92, 112, 64, 113, 95, 100, 101, 110, 1] as [Int32]),
            (.shortage, [24, 23, 105, 12]),
            (.listener, [9, 22, 88, 14, 99]),
        ])
    func failures(meaning: AcceptFailure, numbers: [Int32]) {
        for number in numbers {
            let error = LinuxError(call: "accept4", errno: Errno(rawValue: number))
            #expect(error.acceptFailure == meaning, "\(error)")
        }
    }
}

extension Descriptor {
    /// shutdown(2), both directions: a listener is closed for good.
    fileprivate func shutDown() { #expect(shutdown(rawValue, Int32(SHUT_RDWR)) == 0) }
}
