// One TCP connection of a container: two-octet framing (RFC 1035 §4.2.2), pipelining, answers in any order (RFC 7766).

import DNSWire
import Forwarding
import LinuxNet
import Tables

/// A connection's input and output, and its readiness.
///
/// Its events are edge-triggered (epoll(7)): each is told once, so that what could be done stays noted until it is done.
struct StreamConnection: ~Copyable {
    /// Past this many octets not yet taken by the client, its further queries wait (it does not read: RFC 7766 §6.1.1
    /// leaves the bound to us).
    static let outputBound = 128 * 1024

    /// Octets that have been used up are cut off the input once there are so many: as much as one turn reads.
    private static let usedInput = 16 * 1024
    /// Octets that have been sent are cut off the output once there are so many: half of its bound, so that it is not moved often.
    private static let sentOutput = outputBound / 2
    /// No more memory than this stays with a connection that is owed nothing.
    private static let keptOutput = 16 * 1024

    let descriptor: Descriptor
    let listener: Ticket
    /// The client's address as a number, at a gateway; nil in a container's namespace.
    let source: UInt128?
    /// The moment at which the client last completed a message or took an answer.
    var lastActive: Moment
    /// Queries of this connection that wait for an upstream.
    var inFlight = 0
    /// The client has sent its FIN; what is owed is still sent.
    var hasEnded = false
    /// The events that the loop waits for now; none: it does not know the connection yet.
    var watched: Epoll.Events = []
    /// It waits for its turn.
    var isEnqueued = false

    /// There may be something to read: true until a read has shown that there is not.
    private var isReadable = true
    /// The client's FIN has come, perhaps behind octets that were not read yet.
    private var hasFIN = false

    private var input: [UInt8] = []
    private var inputStart = 0
    private var output: [UInt8] = []
    private var outputStart = 0

    init(descriptor: consuming Descriptor, listener: Ticket, source: UInt128? = nil, now: Moment) {
        self.source = source
        self.descriptor = descriptor
        self.listener = listener
        self.lastActive = now
    }

    /// A client's need of its connection.
    enum Need: Comparable {
        /// Nothing is owed and nothing is half received.
        case idle
        /// The client has sent half a query, or does not take its answers.
        case stalled
        /// An answer is owed: by an upstream, or at the connection's turn.
        case owedAnswer
    }

    var need: Need {
        if inFlight > 0 || isEnqueued || hasMessage && !isCongested { return .owedAnswer }
        return isIdle ? .idle : .stalled
    }

    var pendingOutput: Int { output.count - outputStart }
    var isCongested: Bool { pendingOutput >= Self.outputBound }
    private var isIdle: Bool { inFlight == 0 && pendingOutput == 0 && inputStart == input.count }
    /// The client has gone, and all that it was owed is sent.
    var isFinished: Bool { hasEnded && inFlight == 0 && pendingOutput == 0 && !hasMessage }
    /// True when a whole message waits to be answered.
    var hasMessage: Bool { messageBounds != nil }

    /// Something can be done: a message answered, octets read. Not while the client does not take what it is owed.
    var isReady: Bool { !isCongested && (hasMessage || isReadable && !hasEnded) }

    /// Events to wait for.
    var wanted: Epoll.Events { pendingOutput > 0 ? Self.inputAndOutput : Self.input }

    // Made once: a literal of many is an array first.
    private static let input: Epoll.Events = [.readable, .readHangUp, .edgeTriggered]
    private static let inputAndOutput: Epoll.Events = [.readable, .readHangUp, .edgeTriggered, .writable]

    /// Takes note of events.
    mutating func observe(_ events: Epoll.Events) {
        if events.contains(.readHangUp) { hasFIN = true }
        if hasFIN || events.contains(.readable) { isReadable = true }
    }

    // MARK: - Input

    /// Takes in what has come, unless a message waits to be answered, or the client to take what it is owed.
    /// - Parameters:
    ///   - buffer: what reads are done into.
    ///   - portion: the most octets that are read.
    /// - Throws: ``LinuxError`` when the connection is broken.
    mutating func read(into buffer: inout [UInt8], atMost portion: Int) throws(LinuxError) {
        guard isReady, !hasMessage else { return }
        guard let count = try descriptor.receive(into: &buffer, atMost: portion) else {
            isReadable = false
            return
        }
        guard count > 0 else {
            hasEnded = true
            return
        }
        // Less than there was room for is all that there is (epoll(7)), but for a FIN.
        isReadable = hasFIN || count == min(portion, buffer.count)
        received(buffer, count)
        // Octets alone keep no connection: one a second would hold it for hours.
        if hasMessage { lastActive = .now }
    }

    /// Takes the first `count` octets of a buffer.
    private mutating func received(_ buffer: [UInt8], _ count: Int) {
        if inputStart == input.count {
            input.removeAll(keepingCapacity: true)
            inputStart = 0
        } else if inputStart > Self.usedInput {
            input.removeSubrange(0..<inputStart)
            inputStart = 0
        }
        input.append(contentsOf: buffer[..<count])
    }

    /// Takes the next whole message: its bounds in ``inputSpan``; nil when more has to come.
    mutating func nextMessage() -> Range<Int>? {
        guard let bounds = messageBounds else { return nil }
        inputStart = bounds.upperBound
        return bounds
    }

    /// The bounds of the first whole message that was not taken.
    private var messageBounds: Range<Int>? {
        let available = input.count - inputStart
        guard available >= Transport.lengthPrefix else { return nil }
        let length = Int(input[inputStart]) << 8 | Int(input[inputStart + 1])
        let start = inputStart + Transport.lengthPrefix
        guard available >= Transport.lengthPrefix + length else { return nil }
        return start..<start + length
    }

    var inputSpan: Span<UInt8> {
        @_lifetime(borrow self) get { input.span }
    }

    // MARK: - Output

    /// Adds one answer, the first `count` octets of a buffer, with its length before it.
    mutating func send(_ buffer: [UInt8], _ count: Int) {
        output.append(word: UInt16(truncatingIfNeeded: count))
        output.append(contentsOf: buffer[..<count])
    }

    /// Writes as much as the client takes; taking some keeps the connection from being idle.
    /// - Throws: ``LinuxError`` when the connection is broken.
    mutating func flush() throws(LinuxError) {
        while outputStart < output.count {
            guard let written = try descriptor.write(output.span.extracting(outputStart..<output.count)) else { break }
            outputStart += written
            lastActive = .now
        }
        if outputStart == output.count {
            output.removeAll(keepingCapacity: output.capacity <= Self.keptOutput)
            outputStart = 0
        } else if outputStart > Self.sentOutput {
            output.removeSubrange(0..<outputStart)
            outputStart = 0
        }
    }
}
