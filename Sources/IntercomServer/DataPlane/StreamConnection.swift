// One TCP connection of a container: two-octet framing (RFC 1035 §4.2.2), pipelining, answers in any order (RFC 7766).

import DNSWire
import Forwarding
import LinuxNet

/// What a connection has received and has still to send. It does no I/O of its own.
struct StreamConnection: ~Copyable {
    /// Past this many octets not yet taken by the client, its further queries wait (it does not read: RFC 7766 §6.1.1
    /// leaves the bound to us).
    static let outputBound = 128 * 1024

    let descriptor: Descriptor
    let listener: Ticket
    var lastActive: Moment
    /// Queries of this connection that wait for an upstream.
    var inFlight = 0
    /// The client has sent its FIN; what is owed is still sent.
    var hasEnded = false
    /// The events that the loop waits for now.
    var interest: Epoll.Events = [.readable, .readHangUp]

    private var input: [UInt8] = []
    private var inputStart = 0
    private var output: [UInt8] = []
    private var outputStart = 0

    init(descriptor: consuming Descriptor, listener: Ticket, now: Moment) {
        self.descriptor = descriptor
        self.listener = listener
        self.lastActive = now
    }

    var pendingOutput: Int { output.count - outputStart }
    var isCongested: Bool { pendingOutput >= Self.outputBound }
    /// Nothing is owed and nothing is half received.
    var isIdle: Bool { inFlight == 0 && pendingOutput == 0 && inputStart == input.count }
    /// The client has gone, and all that it was owed is sent.
    var isFinished: Bool { hasEnded && inFlight == 0 && pendingOutput == 0 && !hasMessage }
    /// Whether a whole message waits to be answered.
    var hasMessage: Bool { messageBounds != nil }

    /// What there is to wait for. A message that waits for its turn asks for room to write, which is there, or comes when
    /// the client takes what it is owed; no more is read before.
    var wanted: Epoll.Events {
        var events: Epoll.Events = pendingOutput > 0 || hasMessage ? [.writable] : []
        if !hasEnded && !isCongested && !hasMessage { events.formUnion([.readable, .readHangUp]) }
        return events
    }

    // MARK: - Input

    /// Takes the first `count` octets of a buffer.
    mutating func received(_ buffer: [UInt8], _ count: Int) {
        if inputStart == input.count {
            input.removeAll(keepingCapacity: true)
            inputStart = 0
        } else if inputStart > 16 * 1024 {
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
        guard available >= 2 else { return nil }
        let length = Int(input[inputStart]) << 8 | Int(input[inputStart + 1])
        guard available >= 2 + length else { return nil }
        return inputStart + 2..<inputStart + 2 + length
    }

    var inputSpan: Span<UInt8> {
        @_lifetime(borrow self) get { input.span }
    }

    // MARK: - Output

    /// Adds one answer, the first `count` octets of a buffer, with its length before it.
    mutating func send(_ buffer: [UInt8], _ count: Int) {
        output.append(UInt8(truncatingIfNeeded: count >> 8))
        output.append(UInt8(truncatingIfNeeded: count))
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
            output.removeAll(keepingCapacity: output.capacity <= 16 * 1024)
            outputStart = 0
        } else if outputStart > 64 * 1024 {
            output.removeSubrange(0..<outputStart)
            outputStart = 0
        }
    }
}
