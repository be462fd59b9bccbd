// Log messages on standard error: one line each, where no journal takes them.

import DNSWire
import LinuxNet
package import Logging

/// A log handler that writes `level: message` lines, which every supervisor can take.
package struct StandardErrorLog: LogHandler {
    package var logLevel: Logger.Level = .info
    package var metadata: Logger.Metadata = [:]
    private static let drops = DroppedMessages()

    /// A handler as `LoggingSystem` makes them; the label is not printed.
    package init(label: String) {}

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        Self.drops.write(event.line, event.level) { line, level in
            Files.writeUnlessBlocked("\(level): \(line)\n", to: .standardError)
        }
    }
}

extension LogEvent {
    /// The message in one line. Text from outside neither begins a line of its own nor steers a terminal.
    var line: String { DisplayText.escaped("\(message)") }
}
