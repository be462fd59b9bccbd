// Work on a connection: an event comes once, and stays noted until nothing is left to do.

import LinuxNet
import Tables
import Testing

@testable import IntercomServer

@Suite("A connection, whose events are told once,")
struct StreamConnectionTests {
    private static let message: [UInt8] = [0, 3, 1, 2, 3]

    /// The client's end of a connection; its FIN is sent when nobody holds it.
    private final class Client: Sendable {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    /// Lends our end of a connection on which a client has sent something, all of which has arrived, and perhaps a FIN.
    private func lend(
        _ sent: [UInt8], thenFIN: Bool = false,
        _ body: (inout StreamConnection, inout [UInt8], Client?) throws -> Void
    ) throws {
        let listener = try TCPSocket.listening(at: SocketAddress(v4: 0x7F00_0001, port: 0))
        var client: Client? = Client(try TCPSocket.connecting(to: try listener.localAddress()))
        #expect(try client?.descriptor.send(sent.span) == sent.count)
        try wait(for: listener, .readable)
        let accepted = try TCPSocket.accept(from: listener)?.release()
        var connection = StreamConnection(
            descriptor: Descriptor(adopting: try #require(accepted)), listener: Ticket(slot: 0, generation: 0),
            now: .now)
        if thenFIN {
            client = nil
            try wait(for: connection.descriptor, .readHangUp)
        }
        var buffer = [UInt8](repeating: 0, count: 64)
        try body(&connection, &buffer, client)
    }

    private func wait(for descriptor: borrowing Descriptor, _ event: Epoll.Events) throws {
        var epoll = try Epoll()
        try epoll.add(descriptor, token: 0, interest: event)
        #expect(try epoll.wait(timeoutMilliseconds: 20_000) == 1)
    }

    /// State of a connection: ready, has a whole message, waits for room to send, has ended, is finished.
    private func state(_ connection: borrowing StreamConnection) -> [String] {
        let all = [
            ("ready", connection.isReady), ("message", connection.hasMessage),
            ("waits for room", connection.wanted.contains(.writable)), ("ended", connection.hasEnded),
            ("finished", connection.isFinished),
        ]
        return all.filter(\.1).map(\.0)
    }

    @Test("is done with when a read has brought less than it could, until the next event")
    func drained() throws {
        try lend(Self.message) { connection, buffer, client in
            #expect(state(connection) == ["ready"], "nobody has looked yet")
            try connection.read(into: &buffer, atMost: 8)
            let first = connection.nextMessage()
            #expect(first == 2..<5 && state(connection) == [])
            #expect(try client?.descriptor.send(Self.message.span) == 5)
            try wait(for: connection.descriptor, .readable)
            try connection.read(into: &buffer, atMost: 8)
            #expect(state(connection) == [], "nobody has told it of more")
            connection.observe(.readable)
            #expect(state(connection) == ["ready"])
            try connection.read(into: &buffer, atMost: 8)
            #expect(state(connection) == ["ready", "message"])
        }
    }

    @Test("has more to read after a whole portion, and reads no more before its messages are answered")
    func portions() throws {
        try lend(Self.message + Self.message) { connection, buffer, _ in
            for _ in 0..<2 {
                try connection.read(into: &buffer, atMost: 5)
                try connection.read(into: &buffer, atMost: 5)
                #expect(state(connection) == ["ready", "message"])
                let bounds = connection.nextMessage()
                #expect(bounds == 2..<5 && state(connection) == ["ready"], "there may be more")
            }
            try connection.read(into: &buffer, atMost: 5)
            #expect(state(connection) == [])
        }
    }

    @Test("reads up to the client's FIN, and is finished when all is sent that it owes")
    func end() throws {
        try lend(Self.message, thenFIN: true) { connection, buffer, _ in
            connection.observe([.readable, .readHangUp])
            try connection.read(into: &buffer, atMost: 64)
            let bounds = connection.nextMessage()
            #expect(bounds == 2..<5)
            connection.send([9], 1)
            #expect(state(connection) == ["ready", "waits for room"])
            try connection.read(into: &buffer, atMost: 64)
            #expect(state(connection) == ["waits for room", "ended"])
            try connection.flush()
            #expect(state(connection) == ["ended", "finished"])
        }
    }

    @Test("has no turn while the client does not take what it is owed")
    func congested() throws {
        try lend(Self.message) { connection, buffer, _ in
            try connection.read(into: &buffer, atMost: 64)
            #expect(state(connection) == ["ready", "message"])
            for _ in 0..<2 { connection.send([UInt8](repeating: 0, count: 65_535), 65_535) }
            #expect(state(connection) == ["message", "waits for room"])
        }
    }
}
