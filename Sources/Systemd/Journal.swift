// The journal's native protocol: a message with fields.

package import LinuxNet

/// systemd-journald.
package enum Journal {
    /// Severity of a message, syslog(3).
    package enum Priority: Int, Sendable {
        /// As syslog(3) has them, from 0 to 7.
        case emergency, alert, critical, error, warning, notice, info, debug
    }

    /// True when a standard stream goes to the journal, which then takes messages with fields (`JOURNAL_STREAM`,
    /// systemd.exec(5)).
    package static func isBehind(_ stream: Files.Stream) -> Bool {
        guard let identity = Files.identity(of: stream) else { return false }
        return Environment.value(of: "JOURNAL_STREAM") == "\(identity.device):\(identity.inode)"
    }

    /// Sends messages to the journal, and never waits for it.
    package struct Sender: ~Copyable, Sendable {
        /// Socket of journald for messages (systemd-journald.service(8)).
        package static let path = "/run/systemd/journal/socket"

        private let path: String
        private let socket: Descriptor

        /// - Throws: `LinuxError`, for example when the process has too many open files.
        package init(path: String = Sender.path) throws(LinuxError) {
            self.path = path
            socket = try UnixSocket.sender()
        }

        /// Sends a message with fields: names of upper-case letters, digits and underscores, as `MESSAGE_ID`, and values
        /// of one line.
        /// - Returns: false where the journal takes no more for now: the message is lost.
        /// - Throws: `LinuxError`, for example when there is no journal.
        package func send(
            _ message: String, _ priority: Priority, fields: [(name: String, value: String)]
        ) throws(LinuxError) -> Bool {
            // The native protocol: a line NAME=VALUE for each field (systemd.io/JOURNAL_NATIVE_PROTOCOL).
            var datagram = "MESSAGE=\(message)\nPRIORITY=\(priority.rawValue)\n"
            for field in fields { datagram += "\(field.name)=\(field.value)\n" }
            return try UnixSocket.send(Array(datagram.utf8).span, to: path, from: socket)
        }
    }
}
