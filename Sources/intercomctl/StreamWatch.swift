// Waiting for replies of a stream, and for what ends it.

import LinuxNet

/// Side that ended a stream.
enum StreamEnd {
    case byUser, byDaemon
}

/// Waits for replies, for SIGINT and SIGTERM, and for the end of who reads our standard output.
struct StreamWatch: ~Copyable {
    private enum Token {
        static let reply: UInt64 = 0
        static let end: UInt64 = 1
    }

    private let signals: SignalFD
    private let output: Descriptor
    private var epoll: Epoll

    init(of replies: borrowing Descriptor) throws(LinuxError) {
        let signals = try SignalFD([.interrupt, .terminate])
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

    /// - Returns: false where the user wants no more.
    mutating func waitForReply() -> Bool {
        guard let count = try? epoll.wait(timeoutMilliseconds: nil) else { return false }
        return (0..<count).allSatisfy { epoll.event($0).token == Token.reply }
    }
}
