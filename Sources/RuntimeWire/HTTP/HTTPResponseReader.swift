// Responses of HTTP/1.1, read as their octets come: heads, and bodies by length, in chunks or until the end.

/// The octets that a response may have.
package struct HTTPLimits: Equatable, Sendable {
    /// Of the status line and all header fields, and of the trailers behind a chunked body.
    package var head = 64 * 1024
    /// Of a body; nil: it may go on for ever, as `/events` does.
    package var body: Int? = 32 << 20

    package init() {}
}

/// Reads one response after another from a connection.
package struct HTTPResponseReader: Sendable {
    /// One part of a response.
    package enum Part: Equatable, Sendable {
        /// A response begins. Interim responses (1xx) are passed over.
        case head(HTTPHead)
        /// Some more of its body.
        case body([UInt8])
        /// It is complete.
        case end
    }

    /// Position of the reader within a response.
    private enum State: Equatable {
        case head
        /// Octets of the body that have to come.
        case body(Int)
        case untilClose
        case chunkSize
        case chunk(Int)
        /// The line end behind a chunk's data.
        case chunkEnd
        case trailers
        case end
        /// Nothing more comes from here: the connection has ended, or what came made no sense.
        case over
    }

    /// The most octets of a line that says the length of a chunk, extensions included.
    static let maximumChunkLine = 1024
    /// The largest chunk. It is given on in pieces as they come, and only counted.
    static let maximumChunk = 1 << 40

    private let limits: HTTPLimits
    private var state = State.head
    private var input: [UInt8] = []
    private var start = 0
    /// Octets from `start` on in which there is no line end: they are not looked at twice.
    private var searched = 0
    /// Lines of the head that have arrived.
    private var headLines: [[UInt8]] = []
    private var headOctets = 0
    /// Octets of the body so far.
    private var received = 0
    /// Octets of trailers so far.
    private var trailed = 0

    /// A reader at the beginning of a connection, within limits.
    package init(limits: HTTPLimits = HTTPLimits()) {
        self.limits = limits
    }

    /// Takes octets as they came from the connection.
    package mutating func receive(_ octets: some Sequence<UInt8>) {
        if start == input.count {
            input.removeAll(keepingCapacity: true)
            start = 0
        } else if start > 64 * 1024 {
            input.removeSubrange(0..<start)
            start = 0
        }
        input.append(contentsOf: octets)
    }

    /// The next part; nil where more has to come.
    /// - Throws: ``RuntimeWireError``; nothing can be read after that.
    package mutating func next() throws(RuntimeWireError) -> Part? {
        do throws(RuntimeWireError) {
            return try step()
        } catch {
            state = .over
            throw error
        }
    }

    /// The connection has ended: a body that is as long as the connection is complete then.
    /// - Returns: ``Part/end``, or nil where no response was under way.
    /// - Throws: ``RuntimeWireError/cutOff`` in the middle of a response.
    package mutating func close() throws(RuntimeWireError) -> Part? {
        defer { state = .over }
        switch state {
        case .head where start == input.count && headLines.isEmpty: return nil
        case .over: return nil
        case .untilClose, .end: return .end
        default: throw .cutOff
        }
    }

    // MARK: - Steps

    private mutating func step() throws(RuntimeWireError) -> Part? {
        while true {
            switch state {
            case .head:
                guard let head = try readHead() else { return nil }
                // RFC 9110 §15.2: others may come before the final one.
                if head.status < 200 { continue }
                begin(head)
                return .head(head)
            case .body(let left):
                guard left > 0 else {
                    state = .end
                    continue
                }
                guard let octets = try takeBody(atMost: left) else { return nil }
                state = .body(left - octets.count)
                return .body(octets)
            case .untilClose:
                return try takeBody(atMost: .max).map { .body($0) }
            case .chunkSize:
                guard let line = try readLine(atMost: Self.maximumChunkLine, "a chunk's length") else { return nil }
                let length = try Self.chunkLength(line)
                state = length > 0 ? .chunk(length) : .trailers
            case .chunk(let left):
                guard let octets = try takeBody(atMost: left) else { return nil }
                state = left > octets.count ? .chunk(left - octets.count) : .chunkEnd
                return .body(octets)
            case .chunkEnd:
                guard let line = try readLine(atMost: 0, "a chunk") else { return nil }
                guard line.isEmpty else { throw .badFraming("a chunk is longer than it says") }
                state = .chunkSize
            case .trailers:
                guard let line = try readLine(atMost: limits.head, "a trailer") else { return nil }
                trailed += line.count
                guard trailed <= limits.head else { throw .tooLong(what: "the trailers", limit: limits.head) }
                if line.isEmpty { state = .end }
            case .end:
                state = .head
                return .end
            case .over: return nil
            }
        }
    }

    private mutating func begin(_ head: HTTPHead) {
        (received, trailed) = (0, 0)
        state =
            switch head.framing {
            case .none: .end
            case .length(let length): .body(length)
            case .chunked: .chunkSize
            case .untilClose: .untilClose
            }
    }

    /// The whole head, once its empty line is there.
    private mutating func readHead() throws(RuntimeWireError) -> HTTPHead? {
        while let line = try readLine(atMost: limits.head, "the head") {
            headOctets += line.count + 1
            guard headOctets <= limits.head else { throw .tooLong(what: "the head", limit: limits.head) }
            if !line.isEmpty {
                headLines.append(line)
            } else if !headLines.isEmpty {
                defer { (headLines, headOctets) = ([], 0) }
                return try HTTPHead(headLines)
            }
            // RFC 9112 §2.2: an empty line before a message is passed over.
        }
        return nil
    }

    /// A line without its end; nil where it is not there yet.
    private mutating func readLine(atMost limit: Int, _ what: String) throws(RuntimeWireError) -> [UInt8]? {
        // With its end, which may be two octets.
        let window = input[start...].prefix(limit + 2)
        guard let end = window[(start + searched)...].firstIndex(of: 0x0A) else {
            guard window.count <= limit + 1 else { throw .tooLong(what: what, limit: limit) }
            searched = window.count
            return nil
        }
        var line = input[start..<end]
        if line.last == 0x0D { line.removeLast() }
        start = end + 1
        searched = 0
        return Array(line)
    }

    private mutating func takeBody(atMost left: Int) throws(RuntimeWireError) -> [UInt8]? {
        let octets = Array(input[start...].prefix(left))
        guard !octets.isEmpty else { return nil }
        start += octets.count
        received += octets.count
        if let limit = limits.body, received > limit { throw .tooLong(what: "the body", limit: limit) }
        return octets
    }

    /// RFC 9112 §7.1: hexadecimal digits, and extensions behind a semicolon, which nobody uses.
    private static func chunkLength(_ line: [UInt8]) throws(RuntimeWireError) -> Int {
        let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 && $0 != 0x09 }
        let text = String(decoding: digits, as: UTF8.self)
        guard (1...11).contains(digits.count), digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let length = Int(text, radix: 16), length <= maximumChunk
        else { throw .badFraming("a chunk's length is '\(String(decoding: line.prefix(20), as: UTF8.self))'") }
        return length
    }
}
