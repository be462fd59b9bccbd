// A directory whose files others write, and that may come only later, or come again.

import LinuxNet

/// Tells when files in a directory may have changed.
struct WatchedDirectory: ~Copyable {
    /// The way to the directory: readable when it may be another one.
    private(set) var path: WatchedFile
    /// Its entries: readable when one has changed.
    private(set) var entries: Inotify

    /// - Parameter path: absolute; there need be nothing yet.
    /// - Throws: `LinuxError`, for example when this user has too many inotify instances.
    init(_ path: String) throws(LinuxError) {
        self.init(try WatchedFile(path), try Inotify())
    }

    private init(_ path: consuming WatchedFile, _ entries: consuming Inotify) {
        self.path = path
        self.entries = entries
        watch()
    }

    /// True when something has happened since the last call. A file counts when its writer has closed it: a half one is not read.
    /// - Throws: `LinuxError`.
    mutating func hasChanged() throws(LinuxError) -> Bool {
        let isOther = try path.hasChanged()
        if isOther { watch() }
        return try !entries.read().isEmpty || isOther
    }

    private func watch() {
        let events: Inotify.Mask = [.deleted, .movedFrom, .movedTo, .closedAfterWriting]
        // Where it is not there, the way to it is watched.
        _ = try? entries.addWatch(path.path, events: events)
    }
}
