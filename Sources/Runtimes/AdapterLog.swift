// Lines of an adapter's log on standard error: the journal takes their level, people read it.

import DNSWire
import LinuxNet
import Systemd

/// Writes one line for each thing that changes: never the same line again and again.
package struct AdapterLog: Sendable {
    /// Severity of a line, as syslog(3) numbers it.
    package enum Level: Int, Sendable {
        /// Something is wrong, and what to do is said.
        case warning = 4
        /// Something has changed.
        case info = 6
    }

    /// The adapter's name, as `docker`.
    private let name: String
    private let isJournal: Bool

    /// A log of an adapter.
    /// - Parameter name: its name, as `docker`.
    package init(name: String) {
        self.name = name
        isJournal = Journal.isBehind(.standardError)
    }

    /// Writes a line; what comes from outside in it neither begins another nor steers a terminal.
    package func write(_ level: Level, _ text: String) {
        // sd-daemon(3): a number in angle brackets is the level.
        let start = isJournal ? "<\(level.rawValue)>" : "intercom-runtimes: \(name): "
        _ = Files.writeUnlessBlocked("\(start)\(DisplayText.escaped(text))\n", to: .standardError)
    }
}
