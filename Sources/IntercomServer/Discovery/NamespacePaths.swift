// Files of namespaces: patterns of paths, kept up to date by inotify(7).

import LinuxNet
import SystemPackage

/// Finds what matches patterns such as `/run/netns/*`, and tells when something happens to it.
///
/// A directory that is not there yet is waited for in the one above it. No more is watched than that, so that what happens
/// elsewhere wakes nobody.
struct NamespacePaths: ~Copyable {
    /// Names that are looked for in a directory.
    private struct Interest: Hashable {
        var directory: String
        /// The rest of a pattern: its first part is of entries of the directory.
        var parts: [String]

        var path: String { directory.isEmpty ? "/" : directory }
        var name: String { parts.first ?? "" }
        var isLast: Bool { parts.count <= 1 }
    }

    let patterns: [String]
    private var inotify: Inotify
    /// By the number of their watch; one directory may be reached by several paths.
    private var interests: [Int32: Set<Interest>] = [:]

    /// - Parameter patterns: absolute paths; any part may be a pattern.
    /// - Throws: ``LinuxError``, for example when this user has too many inotify instances.
    init(patterns: [String]) throws(LinuxError) {
        self.patterns = patterns
        inotify = try Inotify()
    }

    /// Readable when something has happened.
    var descriptor: Descriptor {
        _read { yield inotify.descriptor }
    }

    /// Watches what there is to watch now, and finds what matches.
    /// - Returns: the paths, and why directories cannot be watched or read that are there.
    mutating func scan() -> (found: Set<String>, problems: [LinuxError]) {
        var scan = Scan()
        repeat {
            scan = Scan(attempts: scan.attempts + 1)
            for pattern in patterns {
                let parts = pattern.split(separator: "/").map(String.init)
                if !parts.isEmpty { walk(Interest(directory: "", parts: parts), &scan) }
            }
        } while scan.isTorn && scan.attempts < 10
        for stale in interests.keys where scan.interests[stale] == nil { try? inotify.removeWatch(stale) }
        interests = scan.interests
        return (scan.found, scan.problems)
    }

    /// The paths to which something has happened since the last call; nil: everything has to be scanned again.
    mutating func read() throws(LinuxError) -> Set<String>? {
        var affected: Set<String> = []
        var isStale = false
        for event in try inotify.read() {
            let isOfDirectory = !event.mask.isDisjoint(with: [.overflow, .deletedSelf, .movedSelf, .unmounted])
            isStale = isStale || isOfDirectory
            guard !event.name.isEmpty else { continue }
            for interest in interests[event.watch] ?? [] where Glob.matches(event.name, interest.name) {
                if interest.isLast {
                    affected.insert("\(interest.directory)/\(event.name)")
                } else {
                    isStale = true
                }
            }
        }
        return isStale ? nil : affected
    }

    /// True when a mount has put other directories in the place of those that are watched.
    mutating func isStale() -> Bool {
        interests.contains { watch, interests in
            interests.contains { (try? inotify.addWatch($0.path, events: Self.events)) != watch }
        }
    }

    // MARK: - Scanning

    private struct Scan {
        var attempts = 0
        var interests: [Int32: Set<Interest>] = [:]
        var found: Set<String> = []
        var problems: [LinuxError] = []
        /// A directory has gone while it was looked at.
        var isTorn = false
    }

    private static let events: Inotify.Mask = [.created, .deleted, .movedFrom, .movedTo, .deletedSelf, .movedSelf]

    private func walk(_ interest: Interest, _ scan: inout Scan) {
        let name = interest.name
        let isPattern = Glob.isPattern(name)
        // A directory that is there tells of its own end.
        if !interest.isLast, !isPattern, descend(interest, into: name, &scan) { return }
        do throws(LinuxError) {
            scan.interests[try inotify.addWatch(interest.path, events: Self.events), default: []].insert(interest)
            // After the watch, so that nothing comes between.
            let entries = isPattern ? try Files.entries(of: interest.path) : [name]
            for entry in entries where !isPattern || Glob.matches(entry, name) {
                if !interest.isLast {
                    _ = descend(interest, into: entry, &scan)
                } else if isPattern || Files.exists("\(interest.directory)/\(entry)") {
                    scan.found.insert("\(interest.directory)/\(entry)")
                }
            }
        } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory {
            scan.isTorn = true
        } catch {
            scan.problems.append(error)
        }
    }

    /// Goes on in a directory below, if there is one.
    private func descend(_ interest: Interest, into name: String, _ scan: inout Scan) -> Bool {
        let directory = "\(interest.directory)/\(name)"
        guard Files.isDirectory(directory) else { return false }
        walk(Interest(directory: directory, parts: Array(interest.parts.dropFirst())), &scan)
        return true
    }
}
