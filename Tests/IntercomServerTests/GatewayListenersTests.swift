// Listeners for guests at the host's addresses: opened, closed and tried again as networks and addresses come and go.

import ControlAPI
import DNSWire
import Synchronization
import SystemPackage
import Systemd
import Testing

@testable import IntercomServer
@testable import LinuxNet
@testable import Registry

@Suite("Listeners for guests")
struct GatewayListenersTests {
    /// Record of what an opener was asked for, and what it made.
    private final class Calls: Sendable {
        private let state = Mutex<(asked: [String], failures: [LinuxError], ports: [SocketAddress])>(([], [], []))

        init(failures: [LinuxError] = []) { state.withLock { $0.failures = failures } }

        var asked: [String] { state.withLock(\.asked) }
        /// Addresses of the sockets that were made.
        var addresses: [SocketAddress] { state.withLock(\.ports) }

        func make(_ address: IPAddress, _ interface: UInt32) throws(LinuxError) -> ListenerSockets {
            let failure = state.withLock { state -> LinuxError? in
                state.asked.append("\(address) on \(interface)")
                return state.failures.isEmpty ? nil : state.failures.removeFirst()
            }
            if let failure { throw failure }
            let sockets = try ListenerSockets.atLoopback()
            let bound = try sockets.udp.localAddress()
            state.withLock { $0.ports.append(bound) }
            return sockets
        }
    }

    private static func lend(
        _ calls: Calls, _ body: (GatewayListeners, OpenerParts) throws -> Void
    ) throws {
        let parts = try OpenerParts(
            StandInOpener(gatewayListener: { address, interface throws(LinuxError) in
                try calls.make(address, interface)
            }))
        defer { parts.workers.stop() }
        let listeners = GatewayListeners(
            requests: parts.requests, publisher: parts.publisher, stored: StoredGateways(), logger: parts.log.logger)
        try body(listeners, parts)
    }

    private static func network(
        _ name: String, _ number: UInt32, on interface: UInt32?, _ addresses: String...,
        unknown: UnknownSources = .refuse
    ) throws -> Registry.Gateway {
        Registry.Gateway(
            network: ScopeID(rawValue: number), name: name, stranger: ViewID(rawValue: 1000 + number),
            interface: interface.map { InterfaceIndex(rawValue: $0) }, interfaceName: "br-\(name)",
            addresses: try addresses.map { try #require(IPAddress($0)) }, subnets: [], unknownSources: unknown)
    }

    /// The listeners of a network, each as `ADDRESS STATE`, with the reason behind it.
    private static func describe(_ listeners: GatewayListeners, _ network: UInt32) -> [String] {
        listeners.describe(ScopeID(rawValue: network)).map {
            [$0.address, $0.state, $0.reason].compactMap(\.self).filter { !$0.isEmpty }.joined(separator: " ")
        }
    }

    @Test(
        "are opened at each address of the host on a network but loopback, and closed with the address or the network")
    func life() throws {
        let calls = Calls()
        try Self.lend(calls) { listeners, parts in
            let front = try Self.network("front", 1, on: 7, "10.1.0.1", "127.0.0.1", "fd00::1")
            let back = try Self.network("back", 2, on: 8, "10.2.0.1")
            listeners.follow([front, back])
            #expect(Self.describe(listeners, 1) == ["10.1.0.1 starting", "fd00::1 starting"])
            try parts.wait { Self.describe(listeners, 1) == ["10.1.0.1 listening", "fd00::1 listening"] }
            try parts.wait { Self.describe(listeners, 2) == ["10.2.0.1 listening"] }
            #expect(calls.asked.sorted() == ["10.1.0.1 on 7", "10.2.0.1 on 8", "fd00::1 on 7"])
            #expect(listeners.warnings.isEmpty && listeners.nextDeadline == nil)
            // Nothing new: nobody is asked.
            listeners.follow([front, back])
            listeners.follow([try Self.network("front", 1, on: 7, "10.1.0.1", unknown: .forward)])
            #expect(Self.describe(listeners, 1) == ["10.1.0.1 listening"] && Self.describe(listeners, 2) == [])
            #expect(calls.asked.count == 3)
            // The workers have closed the two that nobody wants: their ports are free.
            try parts.wait { calls.addresses.filter(Self.isFree).count == 2 }
        }
    }

    private static func isFree(_ address: SocketAddress) -> Bool {
        guard (try? UDPSocket.bound(to: address)) != nil else { return false }
        return true
    }

    @Test("wait for an interface and for an address, and say so with the cure")
    func placeless() throws {
        let calls = Calls()
        try Self.lend(calls) { listeners, parts in
            listeners.follow([try Self.network("front", 1, on: nil), try Self.network("back", 2, on: 8)])
            #expect(
                Self.describe(listeners, 1) == ["no listener interface br-front is not there yet; it is waited for"])
            let cure = "the host has no address on br-back; add one ('ip address add ADDRESS/LENGTH dev br-back')"
            #expect(Self.describe(listeners, 2) == ["no listener \(cure)"])
            #expect(listeners.warnings.contains("network back: no listener for guests: \(cure)"))
            #expect(listeners.warnings.count == 2 && calls.asked.isEmpty)
            listeners.follow([try Self.network("back", 2, on: 8, "10.2.0.1")])
            try parts.wait { Self.describe(listeners, 2) == ["10.2.0.1 listening"] }
            #expect(listeners.warnings.isEmpty)
        }
    }

    @Test(
        "are tried again after a second, and after two, where another program has the port; the reason names the way out"
    )
    func refused() throws {
        let taken = LinuxError(call: "bind", errno: .addressInUse, subject: "10.1.0.1:53")
        let other = LinuxError(call: "bind", errno: .addressNotAvailable, subject: "10.1.0.1:53")
        let calls = Calls(failures: [taken, other])
        try Self.lend(calls) { listeners, parts in
            listeners.follow([try Self.network("front", 1, on: 7, "10.1.0.1")])
            try parts.wait { listeners.nextDeadline != nil }
            let state = try #require(Self.describe(listeners, 1).first)
            #expect(state.hasPrefix("10.1.0.1 no listener \(taken); keep it off this address"))
            #expect(listeners.warnings.count == 1)
            listeners.expire()
            #expect(calls.asked.count == 1, "it is not due yet")
            let first = try #require(listeners.nextDeadline)
            #expect(first < .now + .seconds(1))
            try parts.wait { .now >= first }
            listeners.expire()
            try parts.wait { Self.describe(listeners, 1) == ["10.1.0.1 no listener \(other)"] }
            let second = try #require(listeners.nextDeadline)
            #expect(second > .now + .seconds(1) && second <= .now + .seconds(2))
        }
    }

    @Test("that a worker cannot serve with fail, and are tried again by themselves")
    func lost() throws {
        let calls = Calls()
        try Self.lend(calls) { listeners, parts in
            let error = LinuxError(call: "accept4", errno: .invalidArgument)
            listeners.failed(1, error)
            listeners.follow([try Self.network("front", 1, on: 7, "10.1.0.1")])
            try parts.wait { Self.describe(listeners, 1) == ["10.1.0.1 listening"] }
            listeners.failed(9, error)
            #expect(Self.describe(listeners, 1) == ["10.1.0.1 listening"], "that was another's")
            listeners.failed(1, error)
            #expect(Self.describe(listeners, 1) == ["10.1.0.1 no listener \(error)"])
            #expect(
                listeners.warnings == ["network front: no listener for guests at 10.1.0.1: \(error)"])
            // One that has gone meanwhile is not tried again.
            listeners.follow([])
            #expect(listeners.nextDeadline == nil && Self.describe(listeners, 1) == [])
        }
    }

    @Test("tell all who wait of the first question of a guest, once")
    func asked() throws {
        try Self.lend(Calls()) { listeners, _ in
            var told: [Int] = []
            let (vm, other) = (ContainerID(of: ViewID(rawValue: 3)), ContainerID(of: ViewID(rawValue: 4)))
            for number in 1...2 { listeners.whenAsked(by: vm) { told.append(number) } }
            listeners.whenAsked(by: other) { told.append(3) }
            listeners.asked(by: vm.view)
            #expect(told == [1, 2])
            listeners.asked(by: vm.view)
            #expect(told == [1, 2])
        }
    }

    @Test("are kept under a name of their address and interface, which no container's listener has")
    func names() throws {
        let names = try [("10.1.0.1", 7), ("10.1.0.1", 8), ("10.1.0.2", 7), ("fd00::1", 7)].map { address, interface in
            StoredGateways.name(of: try #require(IPAddress(address)), on: UInt32(interface))
        }
        #expect(Set(names).count == 4)
        for name in names {
            #expect(StoredGateways.isName(name) && StoredListenerName(name) == nil)
            // sd_pid_notify_with_fds(3): at most 255 characters, and none that the list of names uses.
            #expect(name.utf8.count < 64 && !name.contains(":"))
        }
        #expect(!StoredGateways.isName("\(StoredListenerName(inode: 0xF000_0007))"))
    }

    @Test("that were kept are taken where they are whole and at the same place, and closed where nobody takes them")
    func kept() throws {
        var stored = StoredGateways()
        let (first, second) = (IPAddress.v4(.loopback), try #require(IPAddress("127.0.0.2")))
        for address in [first, second] {
            let name = StoredGateways.name(of: address, on: 7)
            let sockets = try ListenerSockets.atLoopback()
            stored.add(NamedDescriptor(name: name, descriptor: try sockets.udp.duplicate()))
            if address == first { stored.add(NamedDescriptor(name: name, descriptor: try sockets.tcp.duplicate())) }
        }
        // No socket that anybody could serve with is kept under its name all the same.
        let event = try EventFD()
        stored.add(NamedDescriptor(name: "gateway.none", descriptor: try event.descriptor.duplicate()))
        for address in [first, second] {
            // Bound to no interface, at another port; without TCP.
            switch stored.take(address, on: 7) {
            case .some: Issue.record("\(address) was taken")
            case .none: break
            }
        }
        let names = [first, second].map { StoredGateways.name(of: $0, on: 7) }
        let isNew = stored.keep(names[0])
        #expect(!isNew)
        let wasKept = [stored.letGo(of: names[0]), stored.letGo(of: names[0])]
        #expect(wasKept == [true, false])
        let closed = stored.closeAll(but: [names[1]])
        #expect(closed == ["gateway.none"])
        let isStillKept = stored.keep(names[1])
        #expect(!isStillKept)
    }
}
