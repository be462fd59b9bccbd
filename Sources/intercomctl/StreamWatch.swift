// Waiting for replies of a stream, and for what ends it.

import LinuxNet

/// Side that ended a stream.
enum StreamEnd {
    case byUser, byDaemon
}

/// Waits for replies, for SIGINT, SIGTERM and SIGHUP, and for the end of who reads our standard output.
struct StreamWatch: ~Copyable {
    private enum Token {
        static let reply: UInt64 = 0
        static let end: UInt64 = 1
        static let key: UInt64 = 2
    }

    private let signals: SignalFD
    private let output: Descriptor
    private var epoll: Epoll

    init(of replies: borrowing Descriptor) throws(LinuxError) {
        let signals = try SignalFD([.interrupt, .terminate, .hangUp])
        let output = try Files.duplicate(.standardOutput)
        let epoll = try Epoll()
        try epoll.add(replies, token: Token.reply, interest: [.readable])
        try epoll.add(signals.descriptor, token: Token.end, interest: [.readable])
        // A file cannot be waited for; nor does it end.
        try? epoll.add(output, token: Token.end, interest: [])
        self.signals = signals
        self.output = output
        self.epoll = epoll
    }

    /// Waits for keys, too.
    mutating func add(keysOf terminal: borrowing Terminal) throws(LinuxError) {
        try epoll.add(terminal.input, token: Token.key, interest: [.readable])
    }

    /// Outcome of a wait.
    enum Wake {
        /// A reply has come.
        case reply
        /// The time is over, or a key was pressed.
        case nothing
        /// The user wants no more.
        case end
    }

    /// - Parameter milliseconds: the longest wait; nil: for ever.
    mutating func wait(milliseconds: Int? = nil) -> Wake {
        guard let count = try? epoll.wait(timeoutMilliseconds: milliseconds) else { return .end }
        let tokens = (0..<count).map { epoll.event($0).token }
        return tokens.contains(Token.end) ? .end : tokens.contains(Token.reply) ? .reply : .nothing
    }
}
