// Sockets over loopback: batches of datagrams, and the control socket's path.

import Testing

@testable import LinuxNet

@Suite("A batch of datagrams")
struct DatagramTests {
    private static let loopback = SocketAddress(v4: 0x7F00_0001, port: 0)

    /// Messages of the next batch, as arrays.
    private func receive(_ receiver: inout UDPReceiver, _ socket: borrowing Descriptor) throws -> [[UInt8]] {
        let count = try receiver.receive(from: socket)
        return (0..<count).map { index in
            let packet = receiver.packet(index)
            return packet.indices.map { packet[$0] }
        }
    }

    @Test("comes in the order and the sizes in which it was sent, with its senders")
    func order() throws {
        let server = try UDPSocket.bound(to: Self.loopback)
        let client = try UDPSocket.connected(to: try server.localAddress())
        let sent: [[UInt8]] = [[1], [], [UInt8](repeating: 7, count: 100), [UInt8](repeating: 9, count: 64)]
        for packet in sent { #expect(try client.send(packet.span) == packet.count) }
        var receiver = UDPReceiver(slots: 3, slotSize: 64)
        #expect(try receive(&receiver, server) == [[1], [], [UInt8](repeating: 7, count: 64)])
        let source = receiver.source(0)
        #expect(try source == client.localAddress())
        #expect(try receive(&receiver, server) == [sent[3]])
        #expect(try receive(&receiver, server) == [])
    }

    @Test("goes back to who sent it, many at once; one that cannot be sent is dropped and the others go")
    func answers() throws {
        let server = try UDPSocket.bound(to: Self.loopback)
        let address = try server.localAddress()
        let clients = [try UDPSocket.connected(to: address).release(), try UDPSocket.connected(to: address).release()]
            .map {
                Handle($0)
            }
        for (number, client) in clients.enumerated() { _ = try client.descriptor.send([UInt8(number)].span) }
        var receiver = UDPReceiver()
        var sender = UDPSender(slots: 4, slotSize: 16)
        #expect(try receive(&receiver, server).count == 2)
        for index in 0..<2 {
            var buffer = sender.nextBuffer
            buffer[0] = 100 + UInt8(index)
            sender.commit(length: 1, toSourceOf: receiver, index: index)
        }
        // Port 0 is nobody's: EINVAL for this one alone.
        sender.commit(length: 1, to: SocketAddress(v4: 0x7F00_0001, port: 0))
        let (sent, dropped) = sender.flush(to: server)
        #expect(sent == 2 && dropped == 1)
        let isEmpty = sender.isEmpty
        #expect(isEmpty)
        for (number, client) in clients.enumerated() {
            var buffer = [UInt8](repeating: 0, count: 16)
            #expect(try client.descriptor.receive(into: &buffer) == 1 && buffer[0] == 100 + UInt8(number))
        }
    }

    @Test("has room for many common answers or some long ones; it says when it has to be sent, and is whole then")
    func longAnswers() throws {
        let server = try UDPSocket.bound(to: Self.loopback)
        let client = try UDPSocket.connected(to: try server.localAddress())
        let address = try client.localAddress()
        let longest = 16_384
        for (length, fitting) in [(100, 32), (1232, 32), (longest, 3)] {
            var sender = UDPSender(slots: 32, slotSize: longest)
            var count = 0
            while !sender.isFull {
                var buffer = sender.nextBuffer
                let room = buffer.count
                #expect(room == longest)
                buffer[0] = UInt8(count)
                buffer[length - 1] = UInt8(count)
                sender.commit(length: length, to: address)
                count += 1
            }
            let room = sender.nextBuffer.count
            #expect(room == 0 && count == fitting)
            #expect(sender.flush(to: server) == (count, 0))
            let isFull = sender.isFull
            #expect(!isFull)
            var received = [UInt8](repeating: 255, count: longest + 1)
            for number in 0..<count {
                #expect(try client.receive(into: &received) == length)
                #expect(received[0] == UInt8(number) && received[length - 1] == UInt8(number))
            }
        }
    }

    @Test("is refused where somebody is bound already: the UDP socket shares its address with nobody")
    func exclusive() throws {
        let first = try UDPSocket.bound(to: Self.loopback)
        let address = try first.localAddress()
        do throws(LinuxError) {
            _ = try UDPSocket.bound(to: address)
            Issue.record("bound twice")
        } catch {
            #expect(error.description == "bind UDP \(address): Address already in use")
        }
    }
}

@Suite("A connection")
struct ConnectionTests {
    private static let loopback = SocketAddress(v4: 0x7F00_0001, port: 0)

    /// Accepts, once there is something to accept.
    private func accept(_ listener: borrowing Descriptor) throws -> Handle {
        var epoll = try Epoll()
        try epoll.add(listener, token: 0, interest: .readable)
        #expect(try epoll.wait(timeoutMilliseconds: 20_000) == 1)
        let accepted = try TCPSocket.accept(from: listener)?.release()
        return Handle(try #require(accepted))
    }

    @Test("comes with what is asked on it, which is there to be read at once")
    func asks() throws {
        let listener = try TCPSocket.listening(at: Self.loopback)
        let client = try TCPSocket.connecting(to: try listener.localAddress())
        let early = try TCPSocket.accept(from: listener)?.release()
        #expect(early == nil, "it has asked for nothing yet")
        #expect(try client.send([1, 2, 3].span) == 3)
        let accepted = try accept(listener)
        var buffer: [UInt8] = [0, 0, 0]
        #expect(try accepted.descriptor.receive(into: &buffer, atMost: 2) == 2 && buffer == [1, 2, 0])
        #expect(try accepted.descriptor.receive(into: &buffer) == 1 && buffer == [3, 2, 0])
        #expect(try accepted.descriptor.receive(into: &buffer) == nil)
    }

    @Test("that says nothing comes all the same, a little later")
    func saysNothing() throws {
        let listener = try TCPSocket.listening(at: Self.loopback)
        let client = try TCPSocket.connecting(to: try listener.localAddress())
        let accepted = try accept(listener)
        var buffer: [UInt8] = [0]
        #expect(try accepted.descriptor.receive(into: &buffer) == nil)
        #expect(TCPSocket.connectionResult(of: client) == nil)
    }
}

/// A descriptor that an array can hold.
final class Handle: Sendable {
    let descriptor: Descriptor
    init(_ rawValue: Int32) { descriptor = Descriptor(adopting: rawValue) }
}

@Suite("The control socket's path")
struct UnixSocketTests {
    private static func path() -> String { "/tmp/intercom-test-\(ProcessDescriptor.own)-\(Entropy.word())/deep/socket" }

    @Test("is made with its directories, replaced when stale, left alone when in use or something else")
    func paths() throws {
        let path = Self.path()
        defer { try? Files.unlink(path) }
        do {
            let listener = try UnixSocket.listen(path: path, mode: 0o660, group: nil)
            #expect(throws: LinuxError.self) { _ = try UnixSocket.listen(path: path, mode: 0o660, group: nil).rawValue }
            // The second one looked whether somebody listens.
            _ = try UnixSocket.accept(from: listener)?.rawValue
            let client = try UnixSocket.connect(path: path)
            guard let connection = try UnixSocket.accept(from: listener) else {
                Issue.record("no connection")
                return
            }
            let accepted = Handle(connection.release())
            let peer = try UnixSocket.peerCredentials(of: accepted.descriptor)
            #expect(peer.pid == ProcessDescriptor.own && peer.uid == Users.own)
            var buffer = [UInt8](repeating: 0, count: 4)
            let early = try accepted.descriptor.read(into: &buffer)
            #expect(early == nil, "nothing has come: it does not wait")
            let taken = try client.write([1, 2].span)
            let read = try accepted.descriptor.read(into: &buffer)
            #expect(taken == 2 && read == 2 && buffer == [1, 2, 0, 0])
        }
        // Its listener is closed: nobody listens there any more.
        do { _ = try UnixSocket.listen(path: path, mode: 0o660, group: "no-such-group").rawValue }
        try Files.unlink(path)
        try Files.writeAtomically(path, "somebody's file", mode: 0o600)
        #expect(throws: LinuxError.self) { _ = try UnixSocket.listen(path: path, mode: 0o660, group: nil).rawValue }
        #expect(try Files.readText(path, limit: 100) == "somebody's file")
    }

    @Test(
        "that is too long, empty or has a NUL is refused", arguments: ["", String(repeating: "x", count: 200), "a\0b"])
    func badPaths(path: String) {
        #expect(throws: LinuxError.self) { _ = try UnixSocket.connect(path: path).rawValue }
    }
}
