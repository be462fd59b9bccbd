// One file that others replace: by a rename, by another target of a symbolic link, by writing into it, by a mount over it.

/// Tells when what a path names may have changed, whatever of it does: the file, a symbolic link on the way to it
/// (symlink(7)), a directory that is made, removed or replaced.
package struct WatchedFile: ~Copyable, Sendable {
    /// An entry of a directory.
    private struct Place: Equatable {
        var directory: String
        var name: String
    }

    /// The path, absolute.
    package let path: String
    private var inotify: Inotify
    /// The entries that count in each watched directory; empty for the file itself.
    private var watches: [Int32: Set<String>] = [:]
    /// The file that the path named when it was looked at last: a mount over it is no event of any file.
    private var identity: Files.Identity?

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

    /// True when something has happened since the last call that may have changed the file at the path. A change
    /// after this call is reported by the next call. To be called after each change of the mount table, too:
    /// ``MountTable`` tells of those.
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
        isAffected = isAffected || Files.identity(of: path) != identity
        if isAffected { watch() }
        return isAffected
    }

    /// Watches what the path leads through now; once more where that was another by the time that it was watched.
    private mutating func watch() {
        var places = Self.places(on: path)
        while true {
            watch(places)
            let after = Self.places(on: path)
            if after == places { return }
            places = after
        }
    }

    private mutating func watch(_ places: [Place]) {
        var wanted: [Int32: Set<String>] = [:]
        let entries: Inotify.Mask = [.created, .deleted, .movedFrom, .movedTo, .closedAfterWriting]
        for place in places {
            guard let watch = try? inotify.addWatch(place.directory, events: [entries, .deletedSelf, .movedSelf]) else {
                continue
            }
            wanted[watch, default: []].insert(place.name)
        }
        identity = Files.identity(of: path)
        // A file that is mounted over the path is in no directory that we see. Who writes into a file may keep it open.
        if let watch = try? inotify.addWatch(path, events: [.closedAfterWriting, .modified]) {
            wanted[watch] = wanted[watch] ?? []
        }
        for stale in watches.keys where wanted[stale] == nil { try? inotify.removeWatch(stale) }
        watches = wanted
    }

    /// The entries that lead to what a path names, one for each of its components and of those of symbolic links on the
    /// way (path_resolution(7)); the last one is the file's, or of what is missing.
    private static func places(on path: String) -> [Place] {
        var places: [Place] = []
        // The directory that has been reached, without links; empty: the root.
        var directory = ""
        var components = path.split(separator: "/")[...]
        var links = 0
        while let name = components.popFirst() {
            if name == "." { continue }
            if name == ".." {
                directory = String(directory[..<(directory.lastIndex(of: "/") ?? directory.startIndex)])
                continue
            }
            places.append(Place(directory: directory.isEmpty ? "/" : directory, name: String(name)))
            let entry = "\(directory)/\(name)"
            // The links of `/proc` are none.
            if let target = Files.linkTarget(entry), !entry.hasPrefix("/proc/") {
                links += 1
                // As many as the kernel follows.
                guard links <= 40 else { break }
                if target.hasPrefix("/") { directory = "" }
                components = target.split(separator: "/") + components
            } else {
                directory = entry
            }
            guard Files.isThere(entry) else { break }
        }
        return places
    }
}
