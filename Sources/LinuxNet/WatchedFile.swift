// One file that others replace: by a rename, by another target of a symbolic link, by writing into it.

/// Tells when what a path names may have changed, whatever of it does: the file, a symbolic link on the way to it
/// (symlink(7)), a directory that is made or removed.
package struct WatchedFile: ~Copyable, Sendable {
    /// An entry of a directory.
    private struct Place {
        var directory: String
        var name: String
    }

    /// The path, absolute.
    package let path: String
    private var inotify: Inotify
    /// The entries that count in each watched directory; empty for the file itself.
    private var watches: [Int32: Set<String>] = [:]

    /// - Parameter path: absolute; it need not name anything yet.
    /// - Throws: ``LinuxError``, for example when this user has too many inotify instances.
    package init(_ path: String) throws(LinuxError) {
        self.path = path
        inotify = try Inotify()
        watch()
    }

    /// Readable when something has happened.
    package var descriptor: Descriptor {
        _read { yield inotify.descriptor }
    }

    /// Whether something has happened since the last call that may have changed what the path names. What is read of
    /// the file after this call is what it is, or the next call tells of it.
    /// - Throws: ``LinuxError``.
    package mutating func hasChanged() throws(LinuxError) -> Bool {
        var isAffected = false
        for event in try inotify.read() {
            guard let names = watches[event.watch] else {
                isAffected = isAffected || event.mask.contains(.overflow)
                continue
            }
            isAffected = isAffected || event.name.isEmpty || names.contains(event.name)
        }
        if isAffected { watch() }
        return isAffected
    }

    /// Watches what the path leads through now.
    private mutating func watch() {
        var wanted: [Int32: Set<String>] = [:]
        for place in Self.places(on: path) {
            let entries: Inotify.Mask = [.created, .deleted, .movedFrom, .movedTo, .closedAfterWriting]
            // Where the directory is missing, it is its own absence that ends.
            var place = place
            while true {
                if let watch = try? inotify.addWatch(place.directory, events: [entries, .deletedSelf, .movedSelf]) {
                    wanted[watch, default: []].insert(place.name)
                    break
                }
                guard place.directory != "/" else { break }
                place = Self.place(of: place.directory)
            }
        }
        // A file that is mounted over the path is in no directory that we see.
        if let watch = try? inotify.addWatch(path, events: [.closedAfterWriting]) {
            wanted[watch] = wanted[watch] ?? []
        }
        for stale in watches.keys where wanted[stale] == nil { try? inotify.removeWatch(stale) }
        watches = wanted
    }

    /// The path, then what each symbolic link leads to.
    private static func places(on path: String) -> [Place] { Files.trail(of: path).map { place(of: $0) } }

    private static func place(of path: String) -> Place {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            return Place(directory: "/", name: path.hasPrefix("/") ? String(path.dropFirst()) : path)
        }
        return Place(directory: String(path[..<slash]), name: String(path[path.index(after: slash)...]))
    }
}
