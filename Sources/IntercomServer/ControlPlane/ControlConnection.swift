// One client of the control socket: its calls are answered one after another, in their order.

import LinuxNet
import Varlink

/// The state of a connection; the loop moves its bytes.
struct ControlConnection: ~Copyable {
    let descriptor: Descriptor
    /// Who is at the other end.
    let peer: PeerCredentials
    var framer = VarlinkFramer()
    /// The client sends no more; what is owed is still sent.
    var hasEnded = false
    /// A call is being carried out.
    private var isBusy = false
    /// The call that is being carried out wants no reply.
    private var isOneWay = false
    private var output: [UInt8] = []
    private var outputStart = 0
    /// Replies of a stream that the client has missed since it was told of it last.
    private var missed = 0

    /// The most octets of a stream that wait for a client: some thousand changes.
    private static let maximumBacklog = 256 * 1024
    /// Octets that were sent and are not forgotten yet.
    private static let maximumSent = 64 * 1024

    init(descriptor: consuming Descriptor, peer: PeerCredentials) {
        self.descriptor = descriptor
        self.peer = peer
    }

    /// Whether the next call may begin: the one before is done, and the client has taken its reply. So a client that
    /// does not read holds up itself alone, and owes us no memory.
    var mayBegin: Bool { !isBusy && output.isEmpty }
    /// The client has gone, and has got all that it was owed.
    var isFinished: Bool { hasEnded && mayBegin }
    /// What there is to wait for.
    var interest: Epoll.Events {
        if !output.isEmpty { return [.writable] }
        return isBusy || hasEnded ? [] : [.readable]
    }

    mutating func begin(_ call: VarlinkCall) {
        isBusy = true
        isOneWay = call.oneway
    }

    /// Takes the reply of the call that was begun.
    mutating func finish(_ message: [UInt8]) {
        isBusy = false
        if !isOneWay { output += message }
    }

    /// Takes one reply of a stream, after which more follow. A client that does not read misses what has no room.
    mutating func stream(_ message: [UInt8]) throws(LinuxError) {
        if !hasRoom(for: message) { try flush() }
        if missed == 0, hasRoom(for: message) {
            output += message
        } else {
            missed += 1
        }
    }

    private func hasRoom(for message: [UInt8]) -> Bool {
        output.count - outputStart + message.count <= Self.maximumBacklog
    }

    /// How many replies of a stream were missed, once there is room to say so.
    mutating func takeMissed() -> Int? {
        guard missed > 0, output.isEmpty else { return nil }
        defer { missed = 0 }
        return missed
    }

    /// Writes as much as the client takes.
    mutating func flush() throws(LinuxError) {
        while outputStart < output.count {
            guard let written = try descriptor.write(output.span.extracting(outputStart..<output.count)) else { break }
            outputStart += written
        }
        if outputStart == output.count || outputStart > Self.maximumSent {
            output.removeSubrange(..<outputStart)
            outputStart = 0
        }
    }
}
