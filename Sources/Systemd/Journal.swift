// The journal's native protocol: a message with fields, sd_journal_send(3).

internal import CSystemd
package import LinuxNet

/// systemd-journald.
package enum Journal {
    /// How severe a message is, syslog(3).
    package enum Priority: Int, Sendable {
        /// As syslog(3) has them, from 0 to 7.
        case emergency, alert, critical, error, warning, notice, info, debug
    }

    /// Whether a standard stream goes to the journal, which takes messages with fields then (`JOURNAL_STREAM`, systemd.exec(5)).
    package static func isBehind(_ stream: Files.Stream) -> Bool {
        guard let identity = Files.identity(of: stream) else { return false }
        return Environment.value(of: "JOURNAL_STREAM") == "\(identity.device):\(identity.inode)"
    }

    /// Logs a message, with fields: names of upper-case letters, digits and underscores, as `MESSAGE_ID`, and values as they
    /// are.
    /// - Throws: ``SystemdError``, for example when a name is none.
    package static func send(
        _ message: String, _ priority: Priority, fields: [(name: String, value: String)]
    ) throws(SystemdError) {
        var lines = ["MESSAGE=\(message)", "PRIORITY=\(priority.rawValue)"]
        for field in fields { lines.append("\(field.name)=\(field.value)") }
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for line in lines {
            bytes += line.utf8
            ends.append(bytes.count)
        }
        try checked("sd_journal_sendv") {
            unsafe bytes.withUnsafeMutableBytes { bytes in
                var start = 0
                var pieces: [iovec] = unsafe []
                for end in ends {
                    // Within the array, which lives while the call runs: the ends are where its own lines end.
                    let base = unsafe bytes.baseAddress.map { unsafe $0 + start }
                    unsafe pieces.append(iovec(iov_base: base, iov_len: end - start))
                    start = end
                }
                return unsafe sd_journal_sendv(pieces, Int32(pieces.count))
            }
        }
    }
}
