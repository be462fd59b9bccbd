// Room for a new connection: which one is closed for it, and when none is.

import Forwarding
import LinuxNet
import Registry
import Tables
import Testing

@testable import IntercomServer

@Suite("A worker's TCP connections")
struct StreamConnectionsTests {
    /// A worker with room for 4 connections of a namespace and 8 in all, and what it is asked.
    private struct Town: ~Copyable {
        var listeners = Listeners()
        var connections = StreamConnections(perNamespace: 4, perWorker: 8)
        private var clock: Int64 = 0

        private mutating func ticket(_ namespace: UInt32) throws -> Ticket {
            if let ticket = listeners.ticket(of: ViewID(rawValue: namespace)) { return ticket }
            let anywhere = SocketAddress(v4: 0x7F00_0001, port: 0)
            let sockets = ListenerSockets(
                udp: try UDPSocket.bound(to: anywhere), tcp: try UDPSocket.bound(to: anywhere), cookie: 0)
            return listeners.insert(Listener(sockets: sockets, view: ViewID(rawValue: namespace)))
        }

        /// Adds connections, each later than the one before: `i`dle, `s`talled, `o`wed an answer.
        mutating func add(_ kinds: String, of namespace: UInt32) throws {
            let owner = try ticket(namespace)
            for kind in kinds {
                clock += 1
                let socket = try UDPSocket.bound(to: SocketAddress(v4: 0x7F00_0001, port: 0))
                var connection = StreamConnection(
                    descriptor: socket, listener: owner, now: Moment(nanoseconds: clock))
                switch kind {
                case "o": connection.inFlight = 1
                case "s": connection.send([0], 1)
                default: break
                }
                _ = connections.insert(connection)
                if let position = listeners.position(of: owner) { listeners[position].connections += 1 }
            }
        }

        /// Result of one more connection of a namespace, in words.
        mutating func room(for namespace: UInt32) throws -> String {
            switch connections.room(for: try ticket(namespace), listeners) {
            case .free: return "free"
            case .none(.namespaceIsFull): return "waits for its own"
            case .none(.workerIsFull): return "waits for the worker"
            case .inPlaceOf(let victim):
                guard let position = connections.position(of: victim),
                    let owner = listeners.position(of: connections[position].listener)
                else { return "in place of nobody" }
                let time = connections[position].lastActive.nanoseconds
                return "in place of \(time) of \(listeners[owner].view.rawValue)"
            }
        }
    }

    @Test(
        "of a namespace that is full make room themselves: idle ones, then stalled ones, never one that is owed an answer",
        arguments: [
            ("iii", "free"), ("oioi", "in place of 2 of 1"), ("osoi", "in place of 4 of 1"),
            ("osso", "in place of 2 of 1"),
            ("oooo", "waits for its own"),
        ])
    func namespaceIsFull(kinds: String, expected: String) throws {
        var town = Town()
        try town.add(kinds, of: 1)
        #expect(try town.room(for: 1) == expected)
    }

    @Test(
        "of a full worker make room for a namespace that has fewer, of the one that has most; owed an answer at last",
        arguments: [
            // Of namespace 1, of 2, of 3, which wants another one.
            ("oooo", "ooi", "i", "in place of 7 of 2"),
            ("oooo", "oos", "o", "in place of 7 of 2"),
            ("oooo", "ooo", "o", "in place of 1 of 1"),
            ("ooi", "ooo", "oi", "in place of 3 of 1"),
            ("ooo", "ooo", "oi", "in place of 8 of 3"),
            ("ooo", "ooo", "oo", "waits for the worker"),
        ])
    func workerIsFull(first: String, second: String, third: String, expected: String) throws {
        var town = Town()
        try town.add(first, of: 1)
        try town.add(second, of: 2)
        try town.add(third, of: 3)
        #expect(try town.room(for: 3) == expected)
    }

    @Test("make room for a shortage within their own namespace alone")
    func shortage() throws {
        var town = Town()
        try town.add("iii", of: 1)
        try town.add("os", of: 2)
        try town.add("oo", of: 3)
        for (namespace, least) in [(2, 5), (3, nil)] as [(UInt32, Int64?)] {
            guard let ticket = town.listeners.ticket(of: ViewID(rawValue: namespace)) else { continue }
            let victim = town.connections.leastNeeded(of: ticket, town.listeners)
            let position = victim.flatMap { town.connections.position(of: $0) }
            #expect(position.map { town.connections[$0].lastActive.nanoseconds } == least)
        }
    }
}
