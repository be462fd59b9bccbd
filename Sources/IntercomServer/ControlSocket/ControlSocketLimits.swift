// Limits of the clients of the control socket: time, memory and connections that they may take of the daemon.

import Varlink

/// The limits of ``ControlSocket``.
enum ControlSocketLimits {
    /// Clients at the same time. One more takes the place of one that is idle, or does not read.
    static let connections = 512
    /// Clients that are accepted at once.
    static let accepted = 64
    /// Time that one turn of the socket takes at most, but for a step that is begun: then the daemon's other work has
    /// its turn. Tens of calls fit into it.
    static let turn = Duration.milliseconds(2)
    /// Octets that are read from one client at once.
    static let read = 16 * 1024
    /// The time that a client has for its first call, and for the rest of a call that it has begun; and the time after
    /// which one that does not read may lose its place to another. Clients are programs on this machine, and need milliseconds.
    static let patience = Duration.seconds(10)
    /// Interval between looks for clients who have run out of ``patience``, while there is any who could.
    static let checkInterval = Duration.seconds(2)
    /// Octets that are held for all clients together: sent by them and not understood yet, or owed to them. Where it is
    /// more, the one who has kept us waiting longest is closed.
    static let held = 32 << 20
    /// Octets of a monitor's changes that wait for a client: some thousand changes. What has no room is missed.
    static let monitorBacklog = 256 * 1024
    /// Octets that were sent and are not forgotten yet.
    static let sentOctets = 64 * 1024
    /// Octets of elements that are gathered for one reply to a call with `more`.
    static let piece = 32 * 1024
    /// Elements that one step of a list describes: a millisecond's work.
    static let elements = 8
    /// Numbers that one step of a list looks at, of which some may be free.
    static let numbers: UInt32 = 256
    /// Containers of a network that one element of a list has.
    static let members = 200
    /// The most containers of a network that are described at once, for a reply without `more`.
    static let membersAtOnce = 4096
    /// Octets of a reply to a call without `more`, which ``VarlinkFramer`` takes as one message.
    static let wholeReply = VarlinkFramer.maximumReply - 1024
    /// Octets that one client may be owed while others lack them; see ``held``.
    static let share = 48 * 1024
}
