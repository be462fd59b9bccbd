// Log messages in the journal: with fields that can be searched for, systemd.journal-fields(7).

import LinuxNet
package import Logging
import Systemd

/// A log handler for who runs under systemd: `journalctl INTERCOM_CONTAINER=web` shows what is about that container.
package struct JournalLog: LogHandler {
    package var logLevel: Logger.Level = .info
    package var metadata: Logger.Metadata = [:]

    /// A handler as `LoggingSystem` makes them; the journal knows by itself who logs.
    package init(label: String) {}

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var fields = [(name: "SYSLOG_IDENTIFIER", value: "intercomd")]
        for (key, value) in event.metadata ?? [:] {
            if let name = LogSubject.fields[key] { fields.append((name, "\(value)")) }
        }
        do throws(SystemdError) {
            try Journal.send(event.line, Journal.Priority(event.level), fields: fields)
        } catch {
            // The journal is not there: standard error is what it reads, or somebody else does.
            StandardErrorLog(label: "").log(event: event)
        }
    }
}

extension Logger {
    /// The daemon's logger: to the journal where that is behind standard error.
    package init(daemonAt level: Logger.Level) {
        if Journal.isBehind(.standardError) {
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
