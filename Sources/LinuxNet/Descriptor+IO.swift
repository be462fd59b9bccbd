// Reading and writing: non-blocking descriptors say nil where they would block.

internal import CLinux
internal import SystemPackage

extension Descriptor {
    // MARK: - Reading

    /// Reads what has come, at most as much as `buffer` has elements, into its beginning (read(2)).
    /// - Returns: the octets read; 0 at the end of the stream; nil when it would block.
    /// - Throws: ``LinuxError``, for example when the connection was reset.
    package func read(into buffer: inout [UInt8]) throws(LinuxError) -> Int? {
        try unsafe fill(&buffer, "read") { base, count in unsafe CLinux.read(rawValue, base, count) }
    }

    /// Receives one datagram, or what has come of a stream, into the beginning of `buffer` (recv(2)).
    ///
    /// Octets of a datagram beyond the buffer are lost.
    /// - Parameters:
    ///   - buffer: not empty.
    ///   - limit: the most octets that are received.
    /// - Returns: the octets received; of a stream 0 at its end; nil when it would block.
    /// - Throws: ``LinuxError``, for example when a datagram sent before was refused.
    package func receive(into buffer: inout [UInt8], atMost limit: Int = .max) throws(LinuxError) -> Int? {
        try unsafe fill(&buffer, "recv") { base, count in unsafe recv(rawValue, base, min(count, limit), 0) }
    }

    private func fill(
        _ buffer: inout [UInt8], _ name: String, _ call: (UnsafeMutableRawPointer?, Int) -> Int
    ) throws(LinuxError) -> Int? {
        try systemUnlessBlocked(name) {
            // The array's own storage and its count, used only while the closure runs.
            unsafe buffer.withUnsafeMutableBytes { unsafe call($0.baseAddress, $0.count) }
        }
    }

    // MARK: - Writing

    /// Writes (write(2)). A stream socket whose peer has gone is an error, never SIGPIPE.
    /// - Returns: the octets that were taken, perhaps not all; nil when it would block.
    /// - Throws: ``LinuxError``, for example when the peer has gone.
    package func write(_ bytes: Span<UInt8>) throws(LinuxError) -> Int? {
        do throws(LinuxError) {
            return try send(bytes)
        } catch  where error.errno == .notSocket {
            return try systemUnlessBlocked("write") {
                // The span's storage, used only while the closure runs.
                unsafe bytes.withUnsafeBytes { unsafe CLinux.write(rawValue, $0.baseAddress, $0.count) }
            }
        }
    }

    /// Sends on a connected socket (send(2)), without SIGPIPE.
    /// - Returns: the octets that were taken; of a datagram all; nil when it would block.
    /// - Throws: ``LinuxError``, for example when a datagram sent before was refused.
    package func send(_ bytes: Span<UInt8>) throws(LinuxError) -> Int? {
        try send(bytes, flags: [])
    }

    /// Sends on a connected socket with further flags (send(2)), without SIGPIPE.
    func send(_ bytes: Span<UInt8>, flags: MessageFlags) throws(LinuxError) -> Int? {
        let flags = flags.union(.noSignal).rawValue
        return try systemUnlessBlocked("send") {
            // The span's storage, used only while the closure runs.
            unsafe bytes.withUnsafeBytes { unsafe CLinux.send(rawValue, $0.baseAddress, $0.count, flags) }
        }
    }

    /// Sends a datagram to an address (sendto(2)).
    /// - Returns: the octets sent; nil when it would block.
    /// - Throws: ``LinuxError``, for example when the network is unreachable.
    @discardableResult
    package func send(_ bytes: Span<UInt8>, to address: SocketAddress) throws(LinuxError) -> Int? {
        try systemUnlessBlocked("sendto", address.description) {
            unsafe address.withSockaddr { name, nameLength in
                // Both the span's storage and the address live while the closure runs.
                unsafe bytes.withUnsafeBytes {
                    unsafe sendto(
                        rawValue, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL), name, nameLength)
                }
            }
        }
    }
}

/// MSG_* of send(2) and recv(2).
struct MessageFlags: OptionSet, Sendable {
    let rawValue: Int32

    /// Returns instead of waiting, also where the descriptor is a blocking one: one that came from elsewhere may be.
    static let doNotWait = Self(rawValue: Int32(MSG_DONTWAIT))
    /// No SIGPIPE where the peer has gone.
    static let noSignal = Self(rawValue: Int32(MSG_NOSIGNAL))
}
