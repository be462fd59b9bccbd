// The way in which changes of the registry come into force: in one order, and with callbacks that are called exactly once.

import DNSWire
import Logging
import Registry
import Testing

@testable import IntercomServer

@Suite("Changes of the registry")
struct PublisherTests {
    /// Record of all that was told, in its order.
    private final class Record: Monitors {
        var entries: [String] = []
        var hasMonitors: Bool { true }

        func tell(_ messages: [[UInt8]]) {
            for message in messages {
                let text = String(decoding: message, as: UTF8.self)
                entries.append(text.contains("added") ? "monitor: added" : "monitor: changed")
            }
        }
    }

    private struct Parts {
        let record = Record()
        let workers: WorkerPool
        let publisher: Publisher

        init() throws {
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            workers = try WorkerPool(count: 2, settings: ServerSettings(Configuration(), workers: 2), logger: logger)
            var registry = Registry(domain: Configuration().server.domain, ttl: 5)
            registry.isWatched = true
            publisher = Publisher(registry, workers: workers, monitors: record)
        }

        /// Adds a network and a callback.
        func change(_ name: String) throws {
            try publisher.registry.createNetwork(NetworkDefinition(name: name, source: .control))
            publisher.whenInForce { [record] in record.entries.append("caller of \(name)") }
        }

        func endTurn() {
            publisher.postNames()
            publisher.postListeners()
            publisher.confirm()
            workers.deliver()
        }

        /// Takes replies of workers until so many entries are there, or none has come for long.
        func wait(for count: Int) -> [String] {
            let end = ContinuousClock.now + .seconds(10)
            while record.entries.count < count, ContinuousClock.now < end { workers.takeReplies { _ in } }
            return record.entries
        }
    }

    @Test("Monitors are told first, then callers in their order, each once, when all workers have the change")
    func order() throws {
        let parts = try Parts()
        defer { parts.workers.stop() }
        parts.publisher.release {}
        try parts.change("a")
        try parts.change("b")
        #expect(parts.record.entries == [])
        parts.endTurn()
        #expect(parts.record.entries == [], "nobody is told before the workers have it")
        let all = ["monitor: added", "monitor: added", "caller of a", "caller of b"]
        #expect(parts.wait(for: 4) == all)
        parts.endTurn()
        try parts.change("c")
        parts.endTurn()
        #expect(parts.wait(for: 6) == all + ["monitor: added", "caller of c"])
    }

    @Test("What waits for the start is called when it ends: its own callback first")
    func start() throws {
        let parts = try Parts()
        defer { parts.workers.stop() }
        try parts.change("a")
        #expect(parts.publisher.isHeld)
        parts.publisher.release { [record = parts.record] in record.entries.append("ready") }
        #expect(!parts.publisher.isHeld)
        parts.endTurn()
        #expect(parts.wait(for: 3) == ["monitor: added", "ready", "caller of a"])
    }

    @Test("A callback is called, too, where nothing has changed, and where no worker is asked")
    func nothing() throws {
        let parts = try Parts()
        defer { parts.workers.stop() }
        parts.publisher.release {}
        parts.publisher.whenInForce { [record = parts.record] in record.entries.append("caller") }
        parts.endTurn()
        #expect(parts.wait(for: 1) == ["caller"])
        var replies: [WorkerReply]?
        parts.workers.ask([], { .fence(token: $0) }) { replies = $0 }
        #expect(replies?.isEmpty == true)
    }
}
