// Replies to clients of the control socket, and messages to those that watch the registry or questions.

import ControlAPI
import LinuxNet
import Tables
import Varlink

/// The subject that a client watches.
enum MonitorSubject {
    /// Changes of the registry.
    case registry
    /// Questions of containers.
    case questions
    /// The cluster: the containers of this host.
    case cluster
    /// The domains that systemd-resolved is to ask about.
    case filter
}

extension ControlSocket {
    // MARK: - Replies

    /// Answers the call that a client made last.
    func reply(_ message: [UInt8], to client: Ticket) {
        change(client) { connection throws(LinuxError) in
            connection.finish(message)
            try connection.flush()
        }
    }

    /// Answers the call that a client made last with an error.
    func refuse(_ error: ControlError, to client: Ticket) {
        reply(VarlinkReply.encode(error: "\(purpose.interface).\(error.member)", error), to: client)
    }

    /// Answers the call that a client made last piece by piece.
    func reply(with source: some ReplySource, to client: Ticket) {
        change(client) { connection throws(LinuxError) in connection.send(source) }
    }

    private func change(_ client: Ticket, _ body: (inout ControlConnection) throws(LinuxError) -> Void) {
        guard let position = connections.position(of: client) else { return }
        do throws(LinuxError) {
            try body(&connections[position])
            proceed(with: client)
        } catch {
            close(client, because: error)
        }
    }

    // MARK: - Monitors

    /// True while any client watches the registry.
    var hasMonitors: Bool { monitors.values.contains(.registry) }

    /// True while a client watches, whatever it is.
    func isWatching(_ client: Ticket) -> Bool { monitors[client] != nil }

    /// Has a client watch: the registry, of which ``tell(_:)`` tells it from now on, or questions, of which
    /// ``stream(_:to:)`` does. It is sent a first message.
    func watch(_ client: Ticket, _ subject: MonitorSubject, beginning first: [UInt8]) {
        monitors[client] = subject
        stream([first], to: client)
    }

    /// Sends all clients that watch the registry some messages.
    func tell(_ messages: [[UInt8]]) { tell(messages, about: .registry) }

    /// Sends all clients that watch a subject some messages.
    func tell(_ messages: [[UInt8]], about subject: MonitorSubject) {
        for (client, watched) in monitors where watched == subject { stream(messages, to: client) }
    }

    /// Sends all clients that watch their last message.
    func endMonitors(with message: [UInt8]) {
        for client in monitors.keys { reply(message, to: client) }
    }

    /// Sends a client that watches some messages. If it does not read, it misses them, and is told how many.
    func stream(_ messages: [[UInt8]], to client: Ticket) {
        change(client) { connection throws(LinuxError) in
            for message in messages { try connection.stream(message) }
            try connection.flush()
        }
    }

    /// True when a client that watches has taken all that it was sent.
    func hasReadAll(_ client: Ticket) -> Bool {
        guard isWatching(client), let position = connections.position(of: client) else { return false }
        return connections[position].owesNothing
    }

    /// Sends a client that watches a message of whatever length; see ``hasReadAll(_:)``.
    func push(_ message: [UInt8], to client: Ticket) {
        change(client) { connection throws(LinuxError) in
            connection.push(message)
            try connection.flush()
        }
    }

    /// Tells a client that has caught up what it has missed.
    func tellMissed(_ position: Int) throws(LinuxError) {
        guard let missed = connections[position].takeMissed() else { return }
        try connections[position].stream(VarlinkReply.encode(Monitor.Reply(missed: missed), continues: true))
        try connections[position].flush()
    }

    /// Tells a client of messages that it has missed before they were made.
    func miss(_ count: Int, by client: Ticket) {
        guard let position = connections.position(of: client) else { return }
        connections[position].miss(count)
        do throws(LinuxError) {
            try tellMissed(position)
            proceed(with: client)
        } catch {
            close(client, because: error)
        }
    }

    func endMonitor(_ client: Ticket) { monitors[client] = nil }
}
