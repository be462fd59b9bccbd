// Clients of the control socket that are no good: what they send is no call, is too long, or they do not read.

import ControlAPI
import LinuxNet
import Testing
import Varlink

@testable import IntercomServer

@Suite("A client of the control socket")
struct ControlSocketTests {
    private func connect(_ plane: Plane) throws -> Descriptor {
        try UnixSocket.connect(path: plane.socket, timeout: .seconds(10))
    }

    /// Sends everything, or as much as is taken before the connection ends.
    private func send(_ octets: [UInt8], by client: borrowing Descriptor) {
        var sent = 0
        while sent < octets.count, let count = try? client.write(octets.span.extracting(sent..<octets.count)) {
            sent += count
        }
    }

    /// The next message.
    private func message(from client: borrowing Descriptor) throws -> [UInt8] {
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while octets.last != 0 {
            let count = try #require(try client.read(into: &buffer))
            try #require(count > 0, "the connection has ended")
            octets += buffer[..<count]
        }
        return octets.dropLast()
    }

    /// Octets that come until the connection ends.
    private func rest(of client: borrowing Descriptor) -> [UInt8] {
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while let count = try? client.read(into: &buffer), count > 0 { octets += buffer[..<count] }
        return octets
    }

    @Test(
        "that sends what is no call is closed, and others are served",
        arguments: [Array("GET / HTTP/1.1\r\n\r\n\0".utf8), Array("{\"method\": 7}\0".utf8), [0, 0, 0]])
    func nonsense(octets: [UInt8]) throws {
        try Plane.lend { plane in
            let client = try connect(plane)
            send(octets, by: client)
            #expect(rest(of: client) == [])
            #expect(try plane.call(Status.self, Nothing()).containers == 0)
        }
    }

    @Test("that sends a call longer than a message may be is told so")
    func tooLong() throws {
        try Plane.lend { plane in
            let client = try connect(plane)
            let aliases = Array(repeating: String(repeating: "a", count: 60), count: 40_000)
            let call = VarlinkCall.encode(
                method: AddContainer.name,
                parameters: AddContainer.Parameters(name: "web", networks: [.init(name: "n", aliases: aliases)]))
            #expect(call.count > VarlinkFramer.maximumMessage)
            send(call, by: client)
            let reply = try VarlinkResponse(message: message(from: client))
            #expect(reply.error == "intercom.Control.MessageTooLong")
        }
    }

    @Test("loses its place to another where it has not called, or has called half, once there are as many as may be")
    func crowd() throws {
        try Plane.lend { plane in
            // The first has called once, and waits: it keeps its place.
            let waiting = try PlaneStream(Monitor.self, .init(), at: plane.socket)
            #expect(try waiting.next().ready == true)
            var silent = SocketBatch()
            let kind = SocketKind(isStream: true, isV6: false)
            for _ in 0..<ControlSocketLimits.connections + 20 {
                let client = try connect(plane)
                send(Array("{\"method\"".utf8), by: client)
                silent.add(client, kind)
            }
            _ = try plane.call(CreateNetwork.self, .init(name: "front"))
            #expect(try waiting.next().change?.network == "front")
            // Those who have kept it waiting for longest.
            for _ in 1...20 {
                if let client = silent.take(kind) { #expect(rest(of: client) == []) }
            }
            #expect(silent.count(of: kind) == ControlSocketLimits.connections)
        }
    }

    @Test("that watches and does not read misses what has no room, and is told how much; then it has everything again")
    func missed() throws {
        try Plane.lend { plane in
            let watcher = try PlaneStream(Monitor.self, .init(), at: plane.socket)
            #expect(try watcher.next().ready == true)
            let count = 3_000
            let networks = (0..<count).map {
                PublishedNetwork(name: "network-\($0)-\(String(repeating: "x", count: 50))")
            }
            for part in 0..<6 {
                let some = networks[part * count / 6..<(part + 1) * count / 6]
                _ = try plane.call(Update.self, .init(source: "test", networks: Array(some)))
            }
            _ = try plane.call(CreateNetwork.self, .init(name: "last"))
            var told = 0
            var missed = 0
            while missed == 0 || told + missed < count + 1 {
                let reply = try watcher.next()
                told += reply.change == nil ? 0 : 1
                missed += reply.missed ?? 0
            }
            #expect(missed > 0 && told > 0 && told + missed == count + 1)
            _ = try plane.call(RemoveNetwork.self, Named(name: "last"))
            let change = try watcher.next().change
            #expect(change?.action == "removed" && change?.network == "last")
        }
    }
}
