// Log messages: one line each, with fields that say what they are about, and never without end.

import Logging
import Synchronization
import Testing

@testable import IntercomServer

/// Keeps what it is given.
private struct KeptLog: LogHandler {
    final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    let lines: Lines
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
        lines.all.withLock { $0.append("\(event.line) [\(fields)]") }
    }
}

@Suite("A log message")
struct LogTests {
    private func logged(_ body: (Logger) -> Void) -> [String] {
        let lines = KeptLog.Lines()
        body(Logger(label: "test") { _ in RateLimitedLog(KeptLog(lines: lines)) })
        return lines.all.withLock { $0 }
    }

    @Test("is one line, whatever a container is called")
    func oneLine() {
        let lines = logged { $0.error("container a\nb\u{1B}[31m") }
        #expect(lines.count == 1)
        #expect(lines.allSatisfy { line in line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } })
    }

    @Test("carries what it is about: container, network, event")
    func subjects() {
        let lines = logged {
            $0.error("m", metadata: .about(container: "web", network: "frontend", .ended))
            $0.info("m", metadata: .about(.ready))
        }
        #expect(
            lines == [
                "m [container=web event=\(LoggedEvent.ended.rawValue) network=frontend]",
                "m [event=\(LoggedEvent.ready.rawValue)]",
            ])
        #expect(Set(LoggedEvent.allCases.map(\.rawValue)).count == LoggedEvent.allCases.count)
        #expect(LoggedEvent.allCases.allSatisfy { $0.rawValue.count == 32 && $0.rawValue.allSatisfy(\.isHexDigit) })
    }

    @Test("that a container could cause without end passes a few times, and others always do")
    func limited() {
        let lines = logged { logger in
            for _ in 0..<100 { logger.warning("m", metadata: .about(limitedAs: "accept")) }
            for _ in 0..<100 { logger.warning("n") }
        }
        #expect(lines.filter { $0.hasPrefix("m") }.count == LogLimits.burst)
        #expect(lines.filter { $0.hasPrefix("n") }.count == 100)
    }

    @Test("has the level and the metadata of the handler behind the limit")
    func handler() {
        var log = RateLimitedLog(KeptLog(lines: KeptLog.Lines()))
        log.logLevel = .debug
        log[metadataKey: "a"] = "b"
        #expect(log.logLevel == .debug && log.metadata == ["a": "b"] && log[metadataKey: "a"] == "b")
        log.metadata = [:]
        #expect(log[metadataKey: "a"] == nil)
        var standard = StandardErrorLog(label: "")
        standard[metadataKey: "a"] = "b"
        #expect(standard[metadataKey: "a"] == "b")
        var journal = JournalLog(label: "")
        journal[metadataKey: "a"] = "b"
        #expect(journal[metadataKey: "a"] == "b")
    }
}
