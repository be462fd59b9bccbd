// Datagrams taken in batches, recvmmsg(2): the beginning of every query's way.

internal import CLinux

/// Room for a batch of datagrams, made once; receiving and reading allocate nothing.
///
/// Public, as ``UDPSender``: the compiler copies nothing else into other modules.
@safe public struct UDPReceiver: ~Copyable, @unchecked Sendable {
    // Sendable although it has pointers: the storage has this one owner, which is used by one thread at a time.

    /// Datagrams taken at once.
    public let slots: Int
    /// Octets of a datagram that are kept; what is longer is cut off.
    public let slotSize: Int

    /// `slots` pieces of `slotSize` octets.
    @usableFromInline let payload: UnsafeMutablePointer<UInt8>
    /// The octets that each slot has; at most `slotSize`.
    @usableFromInline let lengths: UnsafeMutablePointer<Int>
    let addresses: UnsafeMutablePointer<sockaddr_in6>
    private let pieces: UnsafeMutablePointer<iovec>
    let messages: UnsafeMutablePointer<clinux_mmsghdr>

    /// Number of datagrams that the last ``receive(from:atMost:)`` took.
    @usableFromInline package private(set) var count = 0

    /// - Parameters:
    ///   - slots: datagrams taken at once, 1...1024.
    ///   - slotSize: octets kept of each.
    package init(slots: Int = 32, slotSize: Int = 4096) {
        precondition((1...1024).contains(slots) && (1...65_535).contains(slotSize), "no sensible batch")
        self.slots = slots
        self.slotSize = slotSize
        // All storage is owned by this value alone, initialized here and freed in its deinit. The pointers from one
        // piece to another stay right because none of it moves, wherever the value itself goes.
        // The payload's zeros are the kernel's: a page is taken when a datagram is written to it, and no sooner.
        unsafe payload = clinux_zeros(slots * slotSize)
        unsafe lengths = .allocate(capacity: slots)
        unsafe lengths.initialize(repeating: 0, count: slots)
        unsafe addresses = .allocate(capacity: slots)
        unsafe addresses.initialize(repeating: sockaddr_in6(), count: slots)
        unsafe pieces = .allocate(capacity: slots)
        unsafe messages = .allocate(capacity: slots)
        unsafe messages.initialize(repeating: clinux_mmsghdr(), count: slots)
        for slot in 0..<slots {
            unsafe (pieces + slot).initialize(to: iovec(iov_base: payload + slot * slotSize, iov_len: slotSize))
            unsafe messages[slot].msg_hdr.msg_iov = pieces + slot
            unsafe messages[slot].msg_hdr.msg_iovlen = 1
            unsafe messages[slot].msg_hdr.msg_name = UnsafeMutableRawPointer(addresses + slot)
            unsafe messages[slot].msg_hdr.msg_namelen = Self.addressSize
        }
    }

    deinit {
        unsafe messages.deallocate()
        unsafe pieces.deallocate()
        unsafe addresses.deallocate()
        unsafe lengths.deallocate()
        unsafe free(payload)
    }

    private static var addressSize: socklen_t { socklen_t(MemoryLayout<sockaddr_in6>.size) }

    /// Takes the datagrams that wait in a socket; those of the batch before are gone.
    /// - Parameters:
    ///   - socket: a UDP socket.
    ///   - limit: how many at most; never more than ``slots``.
    /// - Returns: how many; 0 when none waits.
    /// - Throws: ``LinuxError``, for example when a connected socket's peer refused what was sent.
    package mutating func receive(
        from socket: borrowing Descriptor, atMost limit: Int = .max
    ) throws(LinuxError) -> Int {
        // The kernel shortened the address lengths of the slots that it used, and of those alone.
        for slot in 0..<count { unsafe messages[slot].msg_hdr.msg_namelen = Self.addressSize }
        count = 0
        let received = try systemUnlessBlocked("recvmmsg") {
            // Every header points into storage of ours that is as long as the header says.
            unsafe clinux_recvmmsg(socket.rawValue, messages, UInt32(min(limit, slots)), Int32(MSG_DONTWAIT))
        }
        count = Int(received ?? 0)
        for slot in 0..<count { unsafe lengths[slot] = min(Int(messages[slot].msg_len), slotSize) }
        return count
    }

    /// The octets of one datagram of the batch, by its number from 0.
    @inlinable
    @_lifetime(borrow self)
    public func packet(_ index: Int) -> Span<UInt8> {
        precondition(index >= 0 && index < count, "no such datagram in the batch")
        // The slot lies within `payload`, the kernel has filled it this far, and it changes only by `receive`, which
        // cannot be called while the span borrows this value.
        let bytes = unsafe UnsafeBufferPointer(start: payload + index * slotSize, count: lengths[index])
        return unsafe _overrideLifetime(Span(_unsafeElements: bytes), borrowing: self)
    }

    /// Sender of a datagram of the batch.
    package func source(_ index: Int) -> SocketAddress {
        check(index)
        return unsafe SocketAddress(addresses[index])
    }

    func check(_ index: Int) {
        precondition(index >= 0 && index < count, "no such datagram in the batch")
    }
}
