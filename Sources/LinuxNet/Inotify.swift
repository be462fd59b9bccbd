// Changes in directories, inotify(7).

internal import CLinux

/// Watches directories and files and tells what happens in them.
package struct Inotify: ~Copyable, Sendable {
    /// Kinds of events: those that happened, or those to report.
    package struct Mask: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32

        package init(rawValue: UInt32) { self.rawValue = rawValue }

        private init(_ bits: some BinaryInteger) { rawValue = UInt32(truncatingIfNeeded: bits) }

        /// An entry was made in the directory.
        package static let created = Mask(IN_CREATE)
        /// An entry was removed from the directory.
        package static let deleted = Mask(IN_DELETE)
        /// An entry was renamed away.
        package static let movedFrom = Mask(IN_MOVED_FROM)
        /// An entry was renamed to this name.
        package static let movedTo = Mask(IN_MOVED_TO)
        /// A file's content was changed and it was closed.
        package static let closedAfterWriting = Mask(IN_CLOSE_WRITE)
        /// It was written into, and may be written on.
        package static let modified = Mask(IN_MODIFY)
        /// The watched file or directory was itself removed.
        package static let deletedSelf = Mask(IN_DELETE_SELF)
        /// The watched file or directory was itself renamed.
        package static let movedSelf = Mask(IN_MOVE_SELF)
        /// The watch has ended; always reported.
        package static let ignored = Mask(IN_IGNORED)
        /// The file system was unmounted; always reported.
        package static let unmounted = Mask(IN_UNMOUNT)
        /// Events were lost: everything has to be looked at anew; always reported, with the watch -1.
        package static let overflow = Mask(IN_Q_OVERFLOW)
    }

    /// An event.
    package struct Event: Hashable, Sendable {
        /// The watch's number from ``Inotify/addWatch(_:events:)``; -1 for ``Mask/overflow``.
        package let watch: Int32
        /// Kinds of the event.
        package let mask: Mask
        /// The entry's name in the watched directory; empty when it happened to the watched file itself.
        package let name: String
    }

    /// Readable when something has happened.
    package let descriptor: Descriptor

    /// inotify_init1(2).
    /// - Throws: ``LinuxError``, for example when this user has too many of them.
    package init() throws(LinuxError) {
        descriptor = Descriptor(
            adopting: try system("inotify_init1") {
                inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
            })
    }

    /// Watches a path; where its file is watched already, that watch changes (inotify_add_watch(2)).
    /// - Returns: the watch's number, which events carry.
    /// - Throws: ``LinuxError``, for example when there is no such path; `noSpace` at the limit of watches.
    package func addWatch(_ path: String, events: Mask) throws(LinuxError) -> Int32 {
        // The path is a NUL-terminated string while the call runs.
        try system("inotify_add_watch", path) {
            unsafe inotify_add_watch(descriptor.rawValue, HostRoot.path(path), events.rawValue)
        }
    }

    /// Ends a watch; ``Mask/ignored`` is reported for it.
    /// - Throws: ``LinuxError`` when there is no such watch.
    package func removeWatch(_ watch: Int32) throws(LinuxError) {
        try system("inotify_rm_watch") { inotify_rm_watch(descriptor.rawValue, watch) }
    }

    /// Events since the last call; empty when there are none.
    /// - Throws: ``LinuxError``.
    package mutating func read() throws(LinuxError) -> [Event] {
        var events: [Event] = []
        // The kernel hands out whole events only; the longest has a name of NAME_MAX octets.
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while let count = try descriptor.read(into: &buffer), count > 0 {
            Self.parse(buffer[..<count], into: &events)
        }
        return events
    }

    /// Reads `struct inotify_event`s: watch, mask, cookie and length of four octets each, then the name.
    private static func parse(_ bytes: ArraySlice<UInt8>, into events: inout [Event]) {
        var rest = bytes
        while rest.count >= 16 {
            let watch = Int32(bitPattern: word(rest, 0))
            let mask = Mask(rawValue: word(rest, 4))
            let length = Int(word(rest, 12))
            rest = rest.dropFirst(16)
            guard length <= rest.count else { return }
            // Filled up with NULs.
            let name = rest.prefix(length).prefix { $0 != 0 }
            events.append(Event(watch: watch, mask: mask, name: String(decoding: name, as: UTF8.self)))
            rest = rest.dropFirst(length)
        }
    }

    /// Four octets in the host's order.
    private static func word(_ bytes: ArraySlice<UInt8>, _ offset: Int) -> UInt32 {
        let start = bytes.startIndex + offset
        let octets = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
        // `octets` has the first octet lowest, as a little-endian host does.
        return UInt32(littleEndian: octets)
    }
}
