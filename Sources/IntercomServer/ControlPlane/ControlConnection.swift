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

    /// Writes as much as the client takes.
    mutating func flush() throws(LinuxError) {
        while outputStart < output.count {
            guard let written = try descriptor.write(output.span.extracting(outputStart..<output.count)) else { return }
            outputStart += written
        }
        output.removeAll()
        outputStart = 0
    }
}
