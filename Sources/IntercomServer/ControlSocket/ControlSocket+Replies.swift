// Replies to clients of the control socket, and messages to those that watch the registry.

import ControlAPI
import LinuxNet
import Tables
import Varlink

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
        reply(VarlinkReply.encode(error: error.name, error), to: client)
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

    /// True while any client watches.
    var hasMonitors: Bool { !monitors.isEmpty }

    /// Sends a client all that ``tell(_:)`` is given from now on, after a first message.
    func watch(_ client: Ticket, beginning first: [UInt8]) {
        monitors.insert(client)
        stream([first], to: client)
    }

    /// Sends all who watch some messages. Who does not read misses them, and is told how many.
    func tell(_ messages: [[UInt8]]) {
        for client in monitors { stream(messages, to: client) }
    }

    /// The last message to all who watch.
    func endMonitors(with message: [UInt8]) {
        for client in monitors { reply(message, to: client) }
    }

    private func stream(_ messages: [[UInt8]], to client: Ticket) {
        change(client) { connection throws(LinuxError) in
            for message in messages { try connection.stream(message) }
            try connection.flush()
        }
    }

    /// Tells a client that has caught up what it has missed.
    func tellMissed(_ position: Int) throws(LinuxError) {
        guard let missed = connections[position].takeMissed() else { return }
        try connections[position].stream(VarlinkReply.encode(Monitor.Reply(missed: missed), continues: true))
        try connections[position].flush()
    }

    func endMonitor(_ client: Ticket) { monitors.remove(client) }
}
