// Descriptors that travel between processes with a message, unix(7) SCM_RIGHTS.

internal import CLinux

/// Descriptors that came with a message, in their order; each is taken once, and what is not taken is closed.
package struct PassedDescriptors: ~Copyable, Sendable {
    private var numbers: ArraySlice<Int32>

    /// Takes over descriptors that nobody else closes.
    init(adopting numbers: ArraySlice<Int32>) {
        self.numbers = numbers
    }

    /// Number of descriptors that are left.
    package var count: Int { numbers.count }

    /// The file that the next one leads to, if it is a namespace; the descriptor stays here.
    package var nextNamespace: NamespaceIdentity? {
        guard let number = numbers.first else { return nil }
        let descriptor = Descriptor(adopting: number)
        let identity = NamespaceIdentity(reachedBy: descriptor)
        // It is closed with the others.
        _ = descriptor.release()
        return identity
    }

    /// The next one; nil when there is none left.
    package mutating func next() -> Descriptor? {
        numbers.popFirst().map { Descriptor(adopting: $0) }
    }

    deinit {
        for number in numbers { _ = Descriptor(adopting: number) }
    }
}

extension Descriptor {
    /// The most descriptors that one message carries.
    package static let maximumPassed = Int(CLINUX_MAX_PASSED)

    /// Sends a message on a connected Unix socket with open descriptors, at most ``maximumPassed``, which stay open here as
    /// well (sendmsg(2)).
    /// - Returns: the octets that were taken; nil when it would block.
    /// - Throws: ``LinuxError``, for example when the peer has gone.
    @discardableResult
    package func send(_ bytes: Span<UInt8>, passing passed: [Int32]) throws(LinuxError) -> Int? {
        try systemUnlessBlocked("sendmsg") {
            // The span's storage and the array live while the call runs, each as long as it says.
            unsafe bytes.withUnsafeBytes {
                unsafe clinux_send_passing(
                    rawValue, $0.baseAddress, $0.count, passed, passed.count, Int32(MSG_NOSIGNAL))
            }
        }
    }

    /// Receives one message, or what has come of a stream, into the beginning of `buffer`, and the descriptors that it
    /// brings (recvmsg(2)).
    /// - Returns: the octets, 0 at the end of a stream, and the descriptors; nil when it would block.
    /// - Throws: ``LinuxError``.
    package func receivePassed(into buffer: inout [UInt8]) throws(LinuxError) -> Received? {
        var numbers = [Int32](repeating: -1, count: Self.maximumPassed)
        var passed = 0
        let count = try systemUnlessBlocked("recvmsg") {
            // The arrays' own storage, which the call fills as far as their counts say.
            unsafe buffer.withUnsafeMutableBytes {
                unsafe clinux_receive_passed(rawValue, $0.baseAddress, $0.count, &numbers, &passed, 0)
            }
        }
        guard let count else { return nil }
        return Received(count: count, descriptors: PassedDescriptors(adopting: numbers[..<passed]))
    }

    /// A message that came with descriptors.
    package struct Received: ~Copyable {
        /// Octets of the message; 0: the peer sends no more.
        package let count: Int
        /// Descriptors that came with it; closed with it unless they are taken.
        package var descriptors: PassedDescriptors

        /// Gives up the rest.
        package consuming func takeDescriptors() -> PassedDescriptors { descriptors }
    }
}
