// Files in the form of hosts(5) that the configuration names: read, watched, and their records kept in the registry.

import DNSWire
import LinuxNet
import Logging
import Registry
import SystemPackage

/// A file of the configuration's `hosts`, or a directory of files, and the network that sees it.
package struct HostsPlace: Sendable, Hashable {
    /// Absolute path of a file or a directory.
    package var path: String
    /// Nil: for all containers.
    package var network: String?
}

/// Follows the files: what changes in them is in force at the end of the turn. A file that cannot be read, or is too long,
/// changes nothing.
final class HostsFiles {
    /// One place, with the records that it has now.
    private final class Entry {
        var file: WatchedFile
        /// Watches the entries of a directory; a file has none.
        var directory: DirectoryWatch?
        var records: [RecordDefinition] = []
        /// Why its content is not in force, or not all of it.
        var fault: String?

        init(_ path: String) throws(LinuxError) { file = try WatchedFile(path) }
    }

    /// Tells of changes in a directory.
    private final class DirectoryWatch {
        private var inotify: Inotify

        init(_ path: String, by loop: EventLoop) throws(LinuxError) {
            let inotify = try Inotify()
            _ = try inotify.addWatch(
                path, events: [.created, .deleted, .movedFrom, .movedTo, .closedAfterWriting, .modified])
            try loop.watch(inotify.descriptor, as: .hosts)
            self.inotify = inotify
        }

        /// True when something has happened since the last call.
        func hasChanged() -> Bool { (try? inotify.read().isEmpty) != true }
    }

    private let publisher: Publisher
    private let loop: EventLoop
    private let logger: Logger
    private var entries: [HostsPlace: Entry] = [:]

    init(publisher: Publisher, loop: EventLoop, logger: Logger) {
        self.publisher = publisher
        self.loop = loop
        self.logger = logger
    }

    /// Sentences about files that are not in force as they are.
    var warnings: [String] {
        entries.compactMap { place, entry in entry.fault.map { "hosts file \(place.path): \($0)" } }.sorted()
    }

    /// Follows these places, and no others.
    func configure(_ places: [HostsPlace]) {
        let wanted = Set(places)
        for (place, entry) in entries where !wanted.contains(place) {
            replace(&entry.records, with: [])
            entries[place] = nil
        }
        for place in places where entries[place] == nil {
            do throws(LinuxError) {
                let entry = try Entry(place.path)
                try loop.watch(entry.file.descriptor, as: .hosts)
                entries[place] = entry
                read(place, entry)
            } catch {
                logger.error("cannot watch hosts file \(place.path): \(error)")
            }
        }
    }

    /// Reads again what has changed.
    func takeEvents() {
        for (place, entry) in entries {
            var hasChanged = (try? entry.file.hasChanged()) ?? true
            if entry.directory?.hasChanged() == true { hasChanged = true }
            if hasChanged { read(place, entry) }
        }
    }

    // MARK: - Reading

    private func read(_ place: HostsPlace, _ entry: Entry) {
        let before = entry.fault
        entry.fault = nil
        do throws(LinuxError) {
            let network = place.network.flatMap { try? Registry.networkName($0) }
            var records: [RecordDefinition] = []
            var length = 0
            for path in try paths(of: place, entry) {
                guard let text = try Files.readText(path, limit: HostsFile.maximumLength) else { continue }
                length += text.utf8.count
                guard length <= HostsFile.maximumLength else {
                    throw LinuxError(call: "read", errno: .fileTooLarge, subject: path)
                }
                let file = HostsFile(text, path: path, network: network)
                records += file.records
                if let fault = file.faults.first { entry.fault = entry.fault ?? "\(path): \(fault)" }
                for fault in file.faults { logger.warning("hosts file \(path): \(fault)") }
            }
            replace(&entry.records, with: records, notingIn: entry)
        } catch {
            let limit =
                "more than \(HostsFile.maximumLength >> 20) MiB; the records before stay: split it, or shorten it"
            entry.fault = error.errno == .fileTooLarge ? limit : "\(error); the records before stay"
        }
        if let fault = entry.fault, fault != before { logger.warning("hosts file \(place.path): \(fault)") }
    }

    /// The files of a place: itself, or those in a directory, by name; none where nothing is there.
    private func paths(of place: HostsPlace, _ entry: Entry) throws(LinuxError) -> [String] {
        guard Files.isDirectory(place.path) else {
            entry.directory = nil
            if !Files.exists(place.path) { entry.fault = "there is no such file or directory; waiting for it" }
            return [place.path]
        }
        // Anew each time: the directory at the path may be another.
        entry.directory = try DirectoryWatch(place.path, by: loop)
        // Editors' copies end so, and hidden files are not meant (run-parts(8)).
        return try Files.entries(of: place.path).filter { !$0.hasPrefix(".") && !$0.hasSuffix("~") }.sorted()
            .map { "\(place.path)/\($0)" }.filter { !Files.isDirectory($0) }
    }

    // MARK: - Records

    private func replace(_ old: inout [RecordDefinition], with new: [RecordDefinition], notingIn entry: Entry? = nil) {
        // Sets of all records take as much memory as the records: none is made to compare with nothing.
        let (before, after) = (Set(old), old.isEmpty ? [] : Set(new))
        for record in old where !after.contains(record) { publisher.registry.removeRecord(record) }
        // Each further one of a name that is full would be compared with all that it has.
        var full: Set<RecordSubject> = []
        for record in new where !before.contains(record) && !full.contains(RecordSubject(record)) {
            do throws(RegistryError) {
                _ = try publisher.registry.addRecord(record)
            } catch {
                full.insert(RecordSubject(record))
                entry?.fault = entry?.fault ?? "\(error)"
            }
        }
        old = new
    }
}

/// The name and type of records that stand together.
private struct RecordSubject: Hashable {
    let name: Name
    let type: RecordType

    init(_ record: RecordDefinition) {
        name = record.name
        type = record.type
    }
}
