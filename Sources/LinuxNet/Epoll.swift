// The event loop's core: which descriptors are ready, epoll(7).

internal import CLinux

/// An epoll instance with room for 256 events; waiting allocates nothing.
@safe package struct Epoll: ~Copyable, @unchecked Sendable {
    // Sendable although it has a pointer: the storage has this one owner, which is used by one thread at a time.

    /// Events for which a descriptor is ready or watched (epoll_ctl(2)).
    package struct Events: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32

        package init(rawValue: UInt32) { self.rawValue = rawValue }

        // The generic code of OptionSet is not specialized in other modules: a literal of two took 2,000
        // instructions.

        package init(arrayLiteral elements: Events...) {
            var bits: UInt32 = 0
            for element in elements { bits |= element.rawValue }
            self.init(rawValue: bits)
        }

        package func contains(_ events: Events) -> Bool { rawValue & events.rawValue == events.rawValue }

        package func isDisjoint(with events: Events) -> Bool { rawValue & events.rawValue == 0 }

        private init(_ event: EPOLL_EVENTS) { rawValue = event.rawValue }

        /// There is something to read, or to accept.
        package static let readable = Events(EPOLLIN)
        /// There is room to write.
        package static let writable = Events(EPOLLOUT)
        /// Something exceptional: out-of-band data, a changed mount table.
        package static let priority = Events(EPOLLPRI)
        /// Both directions are closed; always reported.
        package static let hangUp = Events(EPOLLHUP)
        /// The descriptor has an error; always reported.
        package static let error = Events(EPOLLERR)
        /// The peer sends no more.
        package static let readHangUp = Events(EPOLLRDHUP)
        /// Report changes of readiness only.
        package static let edgeTriggered = Events(EPOLLET)
    }

    /// Events taken at once.
    package static let capacity = 256

    private let descriptor: Descriptor
    /// `capacity` events, of which the first `count` are of the last wait.
    private let buffer: UnsafeMutablePointer<epoll_event>
    private var count = 0

    /// epoll_create1(2).
    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    package init() throws(LinuxError) {
        descriptor = Descriptor(adopting: try system("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
        // Owned by this value alone and freed in its deinit.
        unsafe buffer = .allocate(capacity: Self.capacity)
        unsafe buffer.initialize(repeating: epoll_event(), count: Self.capacity)
    }

    deinit {
        unsafe buffer.deallocate()
    }

    /// Watches a descriptor; `token` comes back with its events. Closing the descriptor ends the watch.
    /// - Throws: ``LinuxError``, for example when it is watched already.
    package func add(_ watched: borrowing Descriptor, token: UInt64, interest: Events) throws(LinuxError) {
        try control(EPOLL_CTL_ADD, watched.rawValue, token, interest)
    }

    /// Changes what a descriptor is watched for.
    /// - Throws: ``LinuxError``, for example when it is not watched.
    package func modify(_ watched: borrowing Descriptor, token: UInt64, interest: Events) throws(LinuxError) {
        try control(EPOLL_CTL_MOD, watched.rawValue, token, interest)
    }

    /// Ends the watch of a descriptor.
    /// - Throws: ``LinuxError``, for example when it is not watched.
    package func remove(_ watched: borrowing Descriptor) throws(LinuxError) {
        try control(EPOLL_CTL_DEL, watched.rawValue, 0, [])
    }

    /// Has another instance watch this one, which is readable there while it has events (epoll(7)).
    /// - Throws: ``LinuxError``, for example when it is watched already.
    package func watch(by outer: borrowing Epoll, token: UInt64) throws(LinuxError) {
        try outer.add(descriptor, token: token, interest: [.readable])
    }

    private func control(_ operation: Int32, _ fd: Int32, _ token: UInt64, _ interest: Events) throws(LinuxError) {
        var event = unsafe epoll_event(events: interest.rawValue, data: epoll_data_t(u64: token))
        // The kernel copies the event while the call runs.
        try system("epoll_ctl") { unsafe epoll_ctl(descriptor.rawValue, operation, fd, &event) }
    }

    /// Waits until a descriptor is ready (epoll_wait(2)).
    /// - Parameter timeoutMilliseconds: how long at most; nil: for ever. A signal does not end the wait: its time
    ///   begins anew then, which the loop's signals, being blocked, never cause.
    /// - Returns: how many events ``event(_:)`` has now; 0 when the time is over.
    /// - Throws: ``LinuxError``.
    package mutating func wait(timeoutMilliseconds: Int?) throws(LinuxError) -> Int {
        let timeout = timeoutMilliseconds.map { Int32(clamping: max(0, $0)) } ?? -1
        count = 0
        // The buffer has `capacity` elements.
        count = Int(
            try system("epoll_wait") { unsafe epoll_wait(descriptor.rawValue, buffer, Int32(Self.capacity), timeout) })
        return count
    }

    /// One event of the last ``wait(timeoutMilliseconds:)``, by its number from 0.
    package func event(_ index: Int) -> (token: UInt64, events: Events) {
        precondition(index >= 0 && index < count, "no such event")
        // Within the buffer: checked against the count that the kernel filled; `u64` is what `control` stored.
        let event = unsafe buffer[index]
        return unsafe (event.data.u64, Events(rawValue: event.events))
    }
}
