// Datagrams sent in batches, sendmmsg(2): the end of every local answer's way.

internal import CLinux
internal import SystemPackage

/// A batch of datagrams to be filled and sent, made once; filling and sending allocate nothing.
///
/// Datagrams lie one behind another in one piece of storage: a batch of short ones touches little memory, however long one
/// may be.
@safe public struct UDPSender: ~Copyable, @unchecked Sendable {
    // Sendable although it has pointers: the storage has this one owner, which is used by one thread at a time.

    /// Datagrams sent at once.
    public let slots: Int
    /// The longest datagram, in octets.
    public let slotSize: Int

    /// Octets of storage: room for one more datagram of the longest kind behind a batch of common ones.
    @usableFromInline let capacity: Int
    @usableFromInline let payload: UnsafeMutablePointer<UInt8>
    private let addresses: UnsafeMutablePointer<sockaddr_in6>
    private let pieces: UnsafeMutablePointer<iovec>
    private let messages: UnsafeMutablePointer<clinux_mmsghdr>

    /// Number of datagrams that wait to be sent.
    @usableFromInline package private(set) var count = 0
    /// Start of the next one.
    @usableFromInline private(set) var end = 0

    /// A common answer, in octets: what fits without fragments (DNS Flag Day 2020).
    private static var commonSize: Int { 1232 }
    /// A cache line: datagrams begin at one, so that copying into them is fast.
    private static var alignment: Int { 64 }

    /// - Parameters:
    ///   - slots: datagrams sent at once, 1...1024.
    ///   - slotSize: the longest datagram, in octets.
    package init(slots: Int = 32, slotSize: Int = 1232) {
        precondition((1...1024).contains(slots) && (1...65_535).contains(slotSize), "no sensible batch")
        self.slots = slots
        self.slotSize = slotSize
        capacity = slots * (min(slotSize, Self.commonSize) + Self.alignment) + slotSize
        // All storage is owned by this value alone, initialized here and freed in its deinit. The pointers from one
        // piece to another stay right because none of it moves, wherever the value itself goes. The payload's zeros are the
        // kernel's: a page is taken when it is written to, and no sooner.
        unsafe payload = clinux_zeros(capacity)
        unsafe addresses = .allocate(capacity: slots)
        unsafe addresses.initialize(repeating: sockaddr_in6(), count: slots)
        unsafe pieces = .allocate(capacity: slots)
        unsafe messages = .allocate(capacity: slots)
        unsafe messages.initialize(repeating: clinux_mmsghdr(), count: slots)
        for slot in 0..<slots {
            unsafe (pieces + slot).initialize(to: iovec(iov_base: payload, iov_len: 0))
            unsafe messages[slot].msg_hdr.msg_iov = pieces + slot
            unsafe messages[slot].msg_hdr.msg_iovlen = 1
            unsafe messages[slot].msg_hdr.msg_name = UnsafeMutableRawPointer(addresses + slot)
        }
    }

    deinit {
        unsafe messages.deallocate()
        unsafe pieces.deallocate()
        unsafe addresses.deallocate()
        unsafe free(payload)
    }

    /// No datagram waits.
    package var isEmpty: Bool { count == 0 }

    /// True when the batch has to be sent before another datagram is written.
    @inlinable
    public var isFull: Bool { count == slots || end + slotSize > capacity }

    /// Buffer for the next datagram; ``commit(length:to:)`` then adds it to the batch. Empty when the batch is full.
    @inlinable
    public var nextBuffer: MutableSpan<UInt8> {
        @_lifetime(&self)
        mutating get {
            // Behind the last committed datagram; where there is no room, no octet of what would lie behind `payload`.
            let bytes = unsafe UnsafeMutableBufferPointer(start: payload + end, count: isFull ? 0 : slotSize)
            // Its lifetime is the exclusive access to this value: no other span of the storage exists meanwhile.
            return unsafe _overrideLifetime(MutableSpan(_unsafeElements: bytes), mutating: &self)
        }
    }

    /// Adds what was written into ``nextBuffer`` to the batch, as the answer to a datagram that was received.
    /// - Parameters:
    ///   - length: the octets written, at most ``slotSize``.
    ///   - receiver: the batch with the query.
    ///   - index: the query's number in that batch.
    package mutating func commit(length: Int, toSourceOf receiver: borrowing UDPReceiver, index: Int) {
        check(length)
        receiver.check(index)
        // Within the storage of both: just checked.
        unsafe addresses[count] = receiver.addresses[index]
        unsafe messages[count].msg_hdr.msg_namelen = receiver.messages[index].msg_hdr.msg_namelen
        append(length)
    }

    /// Adds what was written into ``nextBuffer``, at most ``slotSize`` octets, to the batch.
    package mutating func commit(length: Int, to address: SocketAddress) {
        check(length)
        // Within the storage: just checked.
        unsafe addresses[count] = address.storage
        unsafe messages[count].msg_hdr.msg_namelen = address.storageLength
        append(length)
    }

    private func check(_ length: Int) {
        precondition(!isFull && length >= 0 && length <= slotSize, "the batch is full, or the datagram too long")
    }

    private mutating func append(_ length: Int) {
        // Within the storage: `check` was called.
        unsafe pieces[count] = iovec(iov_base: payload + end, iov_len: length)
        count &+= 1
        end = (end &+ length &+ Self.alignment &- 1) & ~(Self.alignment &- 1)
    }

    /// Sends the batch, which is empty then. A datagram that cannot be sent is dropped, as networks do; the rest go on.
    /// - Returns: how many were sent and how many dropped.
    @discardableResult
    package mutating func flush(to socket: borrowing Descriptor) -> (sent: Int, dropped: Int) {
        var done = 0
        var dropped = 0
        while done < count {
            let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
            do throws(Errno) {
                // Every header points into storage of ours that is as long as the header says.
                let sent = try uninterrupted {
                    unsafe clinux_sendmmsg(socket.rawValue, messages + done, UInt32(count - done), flags)
                }
                done += max(1, Int(sent))
            } catch {
                // It is the first of those left that the kernel refused.
                done += 1
                dropped += 1
            }
        }
        let sent = count - dropped
        count = 0
        end = 0
        return (sent, dropped)
    }
}
