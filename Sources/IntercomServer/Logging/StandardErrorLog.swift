// Where log messages go when no journal takes them: one line an event on standard error.

import LinuxNet
package import Logging

/// A log handler that writes `level: message` lines, which every supervisor can take.
package struct StandardErrorLog: LogHandler {
    package var logLevel: Logger.Level = .info
    package var metadata: Logger.Metadata = [:]

    /// A handler as `LoggingSystem` makes them; the label is not printed.
    package init(label: String) {}

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        Files.write("\(event.level): \(event.line)\n", to: .standardError)
    }
}

extension LogEvent {
    /// The message in one line. What came from outside must not begin a line of its own, nor steer a terminal.
    var line: String {
        message.description.unicodeScalars.map { scalar in
            scalar.value < 0x20 || scalar.value == 0x7F ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }.joined()
    }
}
