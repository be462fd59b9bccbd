// One client of the control socket: its calls are carried out one after another, in their order.

import ControlAPI
import LinuxNet
import Varlink

/// The state of a connection; ``ControlSocket`` moves its octets.
struct ControlConnection: ~Copyable {
    /// The call that is being carried out.
    private enum Call {
        case none
        /// Its reply is still to come.
        case begun(isOneWay: Bool)
        /// It was too long to be read.
        case tooLong
        /// Its replies are written piece by piece, each when the client has taken the one before.
        case sending(any ReplySource)
    }

    /// The other end's user, and what it may do.
    struct Standing {
        /// Its name, or number where it has none.
        let user: String
        /// nil: nothing.
        let permission: ControlPermission?
    }

    let descriptor: Descriptor
    /// Credentials of the other end.
    let peer: PeerCredentials
    /// The user that they are of, once it has called: they are those of its connect(2), whatever becomes of it (unix(7)).
    var standing: Standing?
    /// Time at which the client last did something: began or ended a call, or took octets of a reply.
    private(set) var lastProgress = ContinuousClock.now
    /// The client sends no more; what is owed is still sent.
    private(set) var hasEnded = false
    /// The client takes no more: replies are dropped.
    private(set) var isGone = false
    /// True when it stands in the queue of those whose next step can be taken.
    var isQueued = false
    /// Events that the socket's loop watches it for now.
    var watched: Epoll.Events = [.readable]
    /// Octets that were counted for it last; see ``held``.
    var counted = 0
    private var framer = VarlinkFramer(skipsLongMessages: true)
    private var call = Call.none
    private var hasCalled = false
    private var output: [UInt8] = []
    private var outputStart = 0
    /// Replies of a monitor that the client has missed since it was told of it last.
    private var missed = 0

    init(descriptor: consuming Descriptor, peer: PeerCredentials) {
        self.descriptor = descriptor
        self.peer = peer
    }

    // MARK: - State

    private var isIdle: Bool { if case .none = call { true } else { false } }
    /// True where the call that has begun was too long to be read: it is to be refused.
    var hasLongCall: Bool { if case .tooLong = call { true } else { false } }
    var isSending: Bool { if case .sending = call { true } else { false } }

    /// True where a step can be taken: the client has taken what was sent, and the next call or the next piece of a
    /// reply is there. So a client that does not read holds up itself alone, and is owed a bounded number of octets.
    var hasNextStep: Bool { output.isEmpty && (isSending || isIdle && framer.hasMessage) }
    /// True where the client has gone and nothing is left to do for it.
    var isFinished: Bool { hasEnded && isIdle && output.isEmpty && !framer.hasMessage }
    /// Octets that are held for the client: what it sent and what it is owed.
    var held: Int { framer.count + output.count - outputStart }
    /// True where the client owes us its first call, or the rest of a call.
    var isAwaited: Bool { isIdle && (!hasCalled || framer.hasPart) && !framer.hasMessage }
    /// True where nothing would be lost but the connection: the client waits for no reply, or does not take it.
    var isIdleOrStuck: Bool {
        isIdle && output.isEmpty || !output.isEmpty && lastProgress + ControlSocketLimits.patience < .now
    }

    /// Events to wait for.
    var interest: Epoll.Events {
        if isGone { return [] }
        if !output.isEmpty { return [.writable] }
        return isIdle && !hasEnded && !framer.hasMessage ? [.readable] : []
    }

    // MARK: - Calls

    /// Reads what the client has sent, at most as much as the buffer has room for.
    /// - Returns: false where nothing more is to come for now.
    /// - Throws: ``ControlConnectionError``: the connection is of no more use.
    mutating func read(into buffer: inout [UInt8]) throws(ControlConnectionError) -> Bool {
        let count: Int
        do throws(LinuxError) {
            guard let read = try descriptor.read(into: &buffer) else { return false }
            count = read
        } catch {
            throw .broken(error)
        }
        guard count > 0 else {
            hasEnded = true
            return false
        }
        let hadPart = framer.hasPart
        do throws(VarlinkFramerError) {
            try framer.feed(buffer, count)
        } catch {
            throw .notVarlink("\(error)")
        }
        if !hadPart || framer.hasMessage { lastProgress = .now }
        return true
    }

    /// Begins the next call; nil where none is complete.
    /// - Parameter types: those of parameters that are read with it.
    /// - Throws: ``ControlConnectionError/notVarlink(_:)``.
    mutating func beginCall(reading types: VarlinkParameterTypes) throws(ControlConnectionError) -> VarlinkCall? {
        guard isIdle, let message = framer.next() else { return nil }
        if framer.wasTooLong {
            call = .tooLong
            hasCalled = true
            return nil
        }
        do throws(VarlinkCallError) {
            let next = try VarlinkCall(message: message, reading: types)
            call = .begun(isOneWay: next.oneway)
            hasCalled = true
            return next
        } catch {
            throw .notVarlink("it sent what is no call")
        }
    }

    /// Takes the last reply of the call that was begun.
    mutating func finish(_ message: [UInt8]) {
        let isOneWay = if case .begun(isOneWay: true) = call { true } else { false }
        call = .none
        if !isOneWay { send(message) }
    }

    /// Has the replies of the call that was begun written piece by piece.
    mutating func send(_ source: some ReplySource) {
        if case .begun(isOneWay: true) = call {
            call = .none
        } else {
            call = .sending(source)
        }
    }

    /// Writes the next piece of a reply that is sent piece by piece, if there is one.
    mutating func sendNextPiece() {
        guard case .sending(var source) = call else { return }
        switch source.next() {
        case .nothingYet: call = .sending(source)
        case .reply(let message):
            call = .sending(source)
            send(message)
        case .last(let message): finish(message)
        }
    }

    /// Takes one reply of a monitor, after which more follow. A client that does not read misses what has no room.
    mutating func stream(_ message: [UInt8]) throws(LinuxError) {
        if !hasRoom(for: message) { try flush() }
        if missed == 0, hasRoom(for: message) {
            send(message)
        } else {
            missed += 1
        }
    }

    /// True when the client has taken everything.
    var owesNothing: Bool { output.isEmpty }

    /// Takes one reply after which more follow, for a client that has taken everything before.
    mutating func push(_ message: [UInt8]) { send(message) }

    /// Counts replies of a monitor that were never made.
    mutating func miss(_ count: Int) { missed += count }

    private func hasRoom(for message: [UInt8]) -> Bool {
        output.count - outputStart + message.count <= ControlSocketLimits.monitorBacklog
    }

    /// Number of replies of a monitor that were missed, once there is room to say so.
    mutating func takeMissed() -> Int? {
        guard missed > 0, output.isEmpty else { return nil }
        defer { missed = 0 }
        return missed
    }

    // MARK: - Octets

    private mutating func send(_ message: [UInt8]) {
        guard !isGone else { return }
        if output.isEmpty { lastProgress = .now }
        output += message
    }

    /// Writes as much as the client takes.
    mutating func flush() throws(LinuxError) {
        while outputStart < output.count {
            guard let written = try descriptor.write(output.span.extracting(outputStart..<output.count)) else { break }
            outputStart += written
            lastProgress = .now
        }
        if outputStart == output.count || outputStart > ControlSocketLimits.sentOctets {
            output.removeSubrange(..<outputStart)
            outputStart = 0
        }
        // Room for a large reply is not kept for the next one.
        if output.isEmpty, output.capacity > ControlSocketLimits.sentOctets { output = [] }
    }

    /// Reads what the client sent before it hung up; what it is owed is dropped.
    mutating func hangUp(_ buffer: inout [UInt8]) {
        isGone = true
        output = []
        outputStart = 0
        if isSending { call = .none }
        while !hasEnded, (try? read(into: &buffer)) == true {}
        hasEnded = true
    }
}

/// Why a connection is closed by us.
enum ControlConnectionError: Error {
    /// The kernel says that it is of no more use.
    case broken(LinuxError)
    /// The other end does not speak Varlink.
    case notVarlink(String)
}
