// The log of questions: what goes to the journal, what to a reader of dnstap, and what is missing.

import ControlAPI
import DNSWire
import Forwarding
import Foundation
import Logging
import Registry
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("The log of questions")
struct QueryLogTests {
    private static let clock = WallClock(bootTime: 0)

    /// `app` on `front`, `db` on `back`; with the views of both, and one that nobody has.
    private static func town() throws -> (registry: Registry, app: ViewID, db: ViewID, nobody: ViewID) {
        let text = """
            [[network]]
            name = "front"
            [[network]]
            name = "back"
            [[container]]
            name = "app"
            networks = ["front"]
            [[container]]
            name = "db"
            networks = ["back"]
            """
        let registry = try CompiledTown(text).registry
        func view(_ name: String) throws -> ViewID { try registry.container(named: name).id.view }
        return (registry, try view("app"), try view("db"), ViewID(rawValue: 9999))
    }

    private static func question(
        _ name: String?, of view: ViewID, _ transport: Transport = .datagram, message: [UInt8] = []
    ) -> ObservedQuestion {
        ObservedQuestion(
            answered: Moment(nanoseconds: 3_000_500_000), view: view, transport: transport,
            asked: name.map { .init(name: $0, type: .aaaa) }, responseCode: .nameError, decision: "domain",
            duration: Lapse(nanoseconds: 42_000), message: message)
    }

    private static func observed(_ questions: [ObservedQuestion], missed: [ViewID: Int] = [:]) -> [ObservedQuestions] {
        [ObservedQuestions(questions: questions, missed: missed)]
    }

    @Test("has a line for each question of networks that want one: their own way comes before that of all")
    func journal() throws {
        let town = try Self.town()
        let questions = [
            Self.question("a.example", of: town.app), Self.question("b.example", of: town.db, .stream),
            Self.question(nil, of: town.app), Self.question("c.example", of: town.nobody),
        ]
        let lines = [
            "info: app asked a.example AAAA over udp: NXDOMAIN, 42 µs, domain",
            "info: db asked b.example AAAA over tcp: NXDOMAIN, 42 µs, domain",
            "info: app asked - - over udp: NXDOMAIN, 42 µs, domain",
            "info: - asked c.example AAAA over udp: NXDOMAIN, 42 µs, domain",
        ]
        let rows: [(way: QueryLogWay, networks: [String: QueryLogWay], lines: [Int], dropped: Int)] = [
            (.off, [:], [], 0), (.journal, [:], [0, 1, 2, 3], 5), (.off, ["front": .journal], [0, 2], 3),
            (.journal, ["back": .off], [0, 2, 3], 3), (.off, ["other": .journal], [], 0),
        ]
        for row in rows {
            let record = LogRecord()
            let log = QueryLog(logger: record.logger)
            log.configure(Configuration.Log(queries: row.way, networks: row.networks))
            #expect(log.isOn == (row.way != .off || !row.networks.isEmpty) && !log.needsMessages)
            log.write(
                Self.observed(questions, missed: [town.app: 3, town.db: 2]), of: town.registry, Self.clock)
            #expect(record.messages == row.lines.map { lines[$0] })
            #expect(log.droppedInAll == row.dropped)
        }
    }

    // MARK: - dnstap

    /// A reader of dnstap, which speaks when the test says so.
    private final class Reader {
        let path: String
        private let listener: Descriptor
        private var connection: Descriptor?
        private var input: [UInt8] = []

        init() throws {
            path = FileManager.default.temporaryDirectory.appendingPathComponent("icq-\(UUID().uuidString)").path
            listener = try UnixSocket.listen(path: path, mode: 0o600, group: "")
        }

        deinit { try? Files.unlink(path) }

        func accept() throws { connection = try UnixSocket.accept(from: listener) }

        func hangUp() { connection = nil }

        func send(_ octets: [UInt8]) throws { _ = try connection?.write(octets.span) }

        /// All octets that have come.
        func receive() throws -> [UInt8] {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while let count = try connection?.read(into: &buffer), count > 0 { input += buffer[..<count] }
            defer { input = [] }
            return input
        }
    }

    /// ACCEPT of a reader that takes dnstap.
    private static let accept: [UInt8] =
        [0, 0, 0, 0, 0, 0, 0, 34, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 22] + Array("protobuf:dnstap.Dnstap".utf8)

    @Test("gives a reader of dnstap a frame for each question, and counts those that none has got")
    func dnstap() throws {
        let town = try Self.town()
        let reader = try Reader()
        let record = LogRecord()
        let log = QueryLog(logger: record.logger)
        log.configure(Configuration.Log(queries: .dnstap, dnstap: reader.path))
        #expect(log.isOn && log.needsMessages)
        let answer: [UInt8] = [0xAB, 0xCD, 1, 2]
        func write(_ name: String, of view: ViewID) {
            log.write(
                Self.observed([Self.question(name, of: view, message: answer)]), of: town.registry, Self.clock)
        }
        write("early.example", of: town.app)
        try reader.accept()
        #expect(try reader.receive() == FrameStream.ready)
        #expect(log.droppedInAll == 1)
        try reader.send(Self.accept)
        log.write([], of: town.registry, Self.clock)
        write("a.example", of: town.app)
        write("b.example", of: town.nobody)
        let frames = try reader.receive()
        #expect(log.droppedInAll == 1)
        // START comes first, then the frames with their lengths.
        #expect(frames.starts(with: [0, 0, 0, 0, 0, 0, 0, 34, 0, 0, 0, 2]))
        let texts = [
            "container=app network=front", Release.text,
        ]
        for text in texts { #expect(frames.firstRange(of: Array(text.utf8)) != nil, "\(text)") }
        #expect(frames.ranges(of: answer).count == 2)
        log.end()
        #expect(try reader.receive() == FrameStream.stop)
        #expect(record.messages.isEmpty)
    }

    @Test("says once that there is no reader, and when there is one again; an ended one is missed at once")
    func lost() throws {
        let town = try Self.town()
        let reader = try Reader()
        let record = LogRecord()
        let log = QueryLog(logger: record.logger)
        let path = reader.path
        log.configure(Configuration.Log(queries: .dnstap, dnstap: path))
        func turn() { log.write(Self.observed([Self.question("a", of: town.app)]), of: town.registry, Self.clock) }
        turn()
        try reader.accept()
        try reader.send(Self.accept)
        turn()
        reader.hangUp()
        turn()
        #expect(record.messages.count == 1)
        #expect(
            record.messages.first?.hasPrefix("warning: queries are not logged: no dnstap reader at \(path) (") == true)
        // It is tried again after a second.
        let end = ContinuousClock.now + .seconds(10)
        while record.messages.count < 2, ContinuousClock.now < end {
            turn()
            try? reader.accept()
            try? reader.send(Self.accept)
        }
        #expect(record.messages.last == "info: queries are logged to \(path) again")
        log.configure(Configuration.Log(queries: .off))
        #expect(!log.isOn && log.droppedInAll > 0)
    }

    @Test("has fields of dnstap.proto in a frame: the times to the nanosecond, the transport, the answer")
    func message() throws {
        let question = Self.question("a", of: ViewID(rawValue: 1), .stream, message: [7, 8])
        let encoded = DnstapMessage(identity: "host", version: "v").encode(question, extra: "e", Self.clock)
        let answered = Self.clock.microseconds(at: 3_000_500_000)
        func varint(_ value: Int) -> [UInt8] {
            var (left, octets): (Int, [UInt8]) = (value, [])
            while left > 127 {
                octets.append(UInt8(left & 127) | 128)
                left >>= 7
            }
            return octets + [UInt8(left)]
        }
        func fixed(_ value: Int) -> [UInt8] { [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value >> $0) } }
        let asked = answered - 42
        let inner: [UInt8] =
            [1 << 3, 6, 2 << 3, 1, 3 << 3, 2, 5 << 3 | 2, 4, 127, 0, 0, 11, 7 << 3, 53, 8 << 3]
            + varint(asked / 1_000_000) + [9 << 3 | 5] + fixed(asked % 1_000_000 * 1000) + [12 << 3]
            + varint(answered / 1_000_000) + [13 << 3 | 5] + fixed(answered % 1_000_000 * 1000)
            + [14 << 3 | 2, 2, 7, 8]
        let expected: [UInt8] =
            [1 << 3 | 2, 4] + Array("host".utf8) + [2 << 3 | 2, 1] + Array("v".utf8) + [3 << 3 | 2, 1]
            + Array("e".utf8) + [14 << 3 | 2, UInt8(inner.count)] + inner + [15 << 3, 1]
        #expect(encoded == expected)
    }
}

@Suite("Log messages that nobody reads")
struct DroppedMessagesTests {
    @Test("are counted, and told of before the next one that is read")
    func counted() {
        let messages = DroppedMessages()
        var lines: [String] = []
        for (line, isRead) in [("a", true), ("b", false), ("c", false), ("d", true), ("e", true)] {
            messages.write(line, .info) { text, _ in
                if isRead { lines.append(text) }
                return isRead
            }
        }
        #expect(lines == ["a", "2 log messages were dropped, as nobody read them", "d", "e"])
    }
}
