// Log messages in the journal: with fields that can be searched for, systemd.journal-fields(7).

import DNSWire
import LinuxNet
package import Logging
import SystemPackage
import Systemd

/// A log handler for who runs under systemd: `journalctl INTERCOM_CONTAINER=web` shows what is about that container.
package struct JournalLog: LogHandler {
    package var logLevel: Logger.Level = .info
    package var metadata: Logger.Metadata = [:]
    private static let drops = DroppedMessages()
    /// Made before threads are limited in what they may ask of the kernel.
    private static let sender = JournalSender()

    /// A handler as `LoggingSystem` makes them; the journal knows by itself who logs.
    package init(label: String) {}

    /// Makes the socket by which messages are sent: a thread that is limited later may not.
    static func prepare() { _ = sender }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var fields: [(name: String, value: String)] = []
        for (key, value) in event.metadata ?? [:] {
            if let name = LogSubject.fields[key] { fields.append((name, DisplayText.escaped("\(value)"))) }
        }
        Self.drops.write(event.line, event.level) { line, level in
            do throws(LinuxError) {
                return try Self.sender.send(line, Journal.Priority(level), fields: line == event.line ? fields : [])
            } catch {
                // The journal is not there. It reads standard error when it is back, or somebody else does.
                return Files.writeUnlessBlocked("\(level): \(line)\n", to: .standardError)
            }
        }
    }
}

/// The daemon's one sender.
private final class JournalSender: Sendable {
    private let sender: Journal.Sender?

    init() {
        sender = try? Journal.Sender()
    }

    func send(
        _ line: String, _ priority: Journal.Priority, fields: [(name: String, value: String)]
    ) throws(LinuxError) -> Bool {
        switch sender {
        case .some(let sender):
            return try sender.send(line, priority, fields: fields + [(name: "SYSLOG_IDENTIFIER", value: "intercomd")])
        case .none: throw LinuxError(call: "socket", errno: .noSuchFileOrDirectory)
        }
    }
}

extension Logger {
    /// The daemon's logger: to the journal where that is behind standard error.
    package init(daemonAt level: Logger.Level) {
        if Journal.isBehind(.standardError) {
            JournalLog.prepare()
            self.init(label: "intercomd") { RateLimitedLog(JournalLog(label: $0)) }
        } else {
            self.init(label: "intercomd") { RateLimitedLog(StandardErrorLog(label: $0)) }
        }
        logLevel = level
    }
}

extension Journal.Priority {
    fileprivate init(_ level: Logger.Level) {
        switch level {
        case .trace, .debug: self = .debug
        case .info: self = .info
        case .notice: self = .notice
        case .warning: self = .warning
        case .error: self = .error
        case .critical: self = .critical
        }
    }
}
