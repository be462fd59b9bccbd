// Gates that wait for the opener: how many go together, and which outcome is whose.

import Registry
import Synchronization
import SystemPackage
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("Gates that are to be set")
struct GateQueueTests {
    /// An opener's side: it holds requests until it is told to go on.
    private final class Kernel: Sendable {
        private struct State {
            var requests: [[UInt64]] = []
            var underWay = 0
            var most = 0
            var isHeld = true
        }

        private let state = Mutex(State())
        private let failing: Set<UInt64>

        init(failing: Set<UInt64> = []) { self.failing = failing }

        /// Cookies of each request, in their order.
        var requests: [[UInt64]] { state.withLock(\.requests) }
        /// The most requests at once.
        var most: Int { state.withLock(\.most) }

        func goOn() { state.withLock { $0.isHeld = false } }

        func set(_ gates: [GateOrder]) -> [LinuxError?] {
            state.withLock {
                $0.requests.append(gates.map(\.cookie))
                $0.underWay += 1
                $0.most = max($0.most, $0.underWay)
            }
            let end = ContinuousClock.now + .seconds(5)
            while state.withLock(\.isHeld), ContinuousClock.now < end { Thread.pause(milliseconds: 1) }
            state.withLock { $0.underWay -= 1 }
            return gates.map {
                failing.contains($0.cookie)
                    ? LinuxError(call: "nftables", errno: .invalidArgument, subject: "\($0.cookie)") : nil
            }
        }
    }

    private static func lend(_ kernel: Kernel, _ body: (GateQueue, OpenerParts) throws -> Void) throws {
        let parts = try OpenerParts(StandInOpener(setGates: { kernel.set($0) }))
        defer { parts.workers.stop() }
        try body(GateQueue(requests: parts.requests), parts)
    }

    private static func order(_ cookie: UInt64, weight: Int = 1) -> GateOrder {
        GateOrder(cookie: cookie, devices: Array(repeating: 1, count: weight), terms: GateTerms())
    }

    @Test("go in two requests at once, each of as many as wait and 32 at most; each is told its own outcome")
    func together() throws {
        let kernel = Kernel(failing: [7, 40])
        try Self.lend(kernel) { queue, parts in
            var outcomes: [UInt64: String] = [:]
            for cookie in 1...100 as ClosedRange<UInt64> {
                queue.set(Self.order(cookie), about: "gate of \(cookie)") {
                    #expect(outcomes[cookie] == nil)
                    outcomes[cookie] = $0?.subject ?? ""
                }
            }
            try parts.wait { kernel.requests.count == 2 }
            kernel.goOn()
            try parts.wait { outcomes.count == 100 }
            #expect(outcomes.filter { $0.value != "" } == [7: "7", 40: "40"])
            #expect(kernel.requests.flatMap(\.self).sorted() == Array(1...100))
            #expect(kernel.requests.map(\.count).sorted() == [1, 1, 2, 32, 32, 32])
            #expect(kernel.most == 2)
        }
    }

    @Test("go alone where one has as much as a message has room for")
    func heavy() throws {
        let kernel = Kernel()
        try Self.lend(kernel) { queue, parts in
            var done = 0
            // Two that are under way; then three, of which no two have room together.
            for (cookie, weight) in [(1, 1), (2, 1), (3, 600), (4, 600), (5, 5000)] as [(UInt64, Int)] {
                queue.set(Self.order(cookie, weight: weight), about: "gate of \(cookie)") { _ in done += 1 }
            }
            kernel.goOn()
            try parts.wait { done == 5 }
            #expect(kernel.requests.sorted { $0[0] < $1[0] } == [[1], [2], [3], [4], [5]])
        }
    }

    @Test("of one container are set one after another, in their order")
    func sameContainer() throws {
        let kernel = Kernel()
        try Self.lend(kernel) { queue, parts in
            var done: [Int] = []
            for weight in 1...3 {
                queue.set(Self.order(1, weight: weight), about: "gate of 1") { _ in done.append(weight) }
            }
            try parts.wait { kernel.requests.count == 1 }
            kernel.goOn()
            try parts.wait { done.count == 3 }
            #expect(done == [1, 2, 3] && kernel.requests == [[1], [1], [1]] && kernel.most == 1)
        }
    }
}

@Suite("Workers' connections to the opener")
struct GateConnectionsTests {
    /// An opener that fails so often before it connects.
    private static func lend(
        failures: Int = 0, _ body: (GateConnections, OpenerParts, _ calls: () -> Int) throws -> Void
    ) throws {
        let count = Atomic<Int>(0)
        let parts = try OpenerParts(
            StandInOpener(admissions: { () throws(LinuxError) in
                guard count.add(1, ordering: .relaxed).newValue > failures else { throw StandInOpener.refusal }
                return try UnixSocket.pairForMessages().takeFirst()
            }))
        defer { parts.workers.stop() }
        let connections = GateConnections(
            requests: parts.requests, loop: parts.loop, workers: parts.workers, logger: parts.log.logger)
        try body(connections, parts) { count.load(ordering: .relaxed) }
    }

    @Test("are opened for all workers once, and anew for one that has lost its own while there are gates")
    func life() throws {
        try Self.lend { connections, parts, calls in
            var opened = 0
            connections.opened = { opened += 1 }
            connections.open()
            connections.open()
            #expect(!connections.areOpen)
            try parts.wait { connections.areOpen }
            #expect(opened == 1 && calls() == 2)
            connections.lost(by: 1, isNeeded: false)
            #expect(!connections.areOpen)
            connections.lost(by: 1, isNeeded: true)
            #expect(calls() == 2, "it was lost already")
            connections.open()
            try parts.wait { connections.areOpen }
            connections.lost(by: 0, isNeeded: true)
            try parts.wait { connections.areOpen }
            #expect(opened == 3 && calls() == 4)
        }
    }

    @Test("that cannot be had are tried again after a pause, and the reason is told")
    func refused() throws {
        try Self.lend(failures: 2) { connections, parts, calls in
            var reasons: [String] = []
            connections.failed = { reasons.append($0) }
            connections.open()
            try parts.wait { reasons.count == 2 }
            #expect(Set(reasons) == ["\(StandInOpener.refusal)"])
            let retry = try #require(connections.retry)
            connections.open()
            connections.tick(now: retry - .milliseconds(1), isNeeded: true)
            #expect(connections.retry == retry && calls() == 2, "the pause is not over")
            connections.tick(now: retry, isNeeded: true)
            try parts.wait { connections.areOpen }
            #expect(connections.retry == nil && calls() == 4)
        }
    }

    @Test("are not tried again where nobody has a gate any more")
    func notNeeded() throws {
        try Self.lend(failures: 2) { connections, parts, calls in
            connections.open()
            try parts.wait { connections.retry != nil && parts.requests.isIdle }
            connections.tick(now: .now + .seconds(60), isNeeded: false)
            #expect(connections.retry == nil && !connections.areOpen && calls() == 2)
        }
    }
}
