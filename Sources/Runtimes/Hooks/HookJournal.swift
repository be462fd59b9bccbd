// The one line that a hook leaves where it failed: in the journal, else on standard error.

import DNSWire
import LinuxNet
import Systemd

/// Log of a hook.
enum HookJournal {
    /// Writes a warning; what comes from outside in it neither begins another line nor steers a terminal.
    /// - Parameters:
    ///   - text: the warning.
    ///   - program: name of the hook, as the journal is to show it.
    static func write(_ text: String, program: String) {
        let line = DisplayText.escaped(text)
        do throws(LinuxError) {
            let sender = try Journal.Sender()
            if try sender.send(line, .warning, fields: [("SYSLOG_IDENTIFIER", program)]) { return }
        } catch {
            // No journal here: whoever started the hook may have a log.
        }
        _ = Files.writeUnlessBlocked("\(program): \(line)\n", to: .standardError)
    }
}
