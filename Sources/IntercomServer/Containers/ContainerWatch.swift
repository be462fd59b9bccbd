// Watching for the end of a container: its process exits, or its path goes away.

import Attachment
import LinuxNet
import Logging
import Tables

/// Watches for the ends of containers: one inotify descriptor for all paths, a pidfd for each process, and mounts.
struct ContainerWatch: ~Copyable {
    private struct WatchedDirectory {
        var watch: Int32
        /// The containers whose path is in this directory, by file name.
        var containers: [String: Set<NamespaceKey>] = [:]
    }

    private let loop: EventLoop
    private var inotify: Inotify
    private var directories: [String: WatchedDirectory] = [:]
    private var directoryOfWatch: [Int32: String] = [:]
    private var pathsOfContainer: [NamespaceKey: [String]] = [:]
    private var processes = SlotTable<ProcessDescriptor>()
    private var containerOfProcess: [Ticket: NamespaceKey] = [:]
    private var processOfContainer: [NamespaceKey: Ticket] = [:]
    private var mounts: MountTable?

    /// - Throws: ``LinuxError``, for example when this user has too many inotify instances.
    init(by loop: EventLoop) throws(LinuxError) {
        let inotify = try Inotify()
        try loop.watch(inotify.descriptor, as: .inotify)
        self.inotify = inotify
        self.loop = loop
    }

    // MARK: - Processes

    /// Tells by a ``ControlToken/process(_:)`` event when the process ends.
    mutating func watch(_ process: consuming ProcessDescriptor, of container: NamespaceKey) throws(LinuxError) {
        let ticket = processes.insert(process)
        guard let position = processes.position(of: ticket) else { return }
        do throws(LinuxError) {
            try loop.watch(processes[position].descriptor, as: .process(ticket))
        } catch {
            processes.remove(ticket)
            throw error
        }
        containerOfProcess[ticket] = container
        processOfContainer[container] = ticket
    }

    /// The container whose process has ended.
    func container(of ticket: Ticket) -> NamespaceKey? { containerOfProcess[ticket] }

    // MARK: - Paths

    /// Tells by a ``ControlToken/inotify`` event when something happens to the path.
    mutating func watch(path: String, of container: NamespaceKey) throws(LinuxError) {
        let (directory, name) = Self.split(path)
        if directories[directory] == nil {
            let watch = try inotify.addWatch(
                directory, events: [.created, .deleted, .movedFrom, .movedTo, .deletedSelf])
            directories[directory] = WatchedDirectory(watch: watch)
            directoryOfWatch[watch] = directory
        }
        directories[directory]?.containers[name, default: []].insert(container)
        pathsOfContainer[container, default: []].append(path)
    }

    /// The containers whose paths something happened to.
    mutating func readEvents() throws(LinuxError) -> Set<NamespaceKey> {
        var affected: Set<NamespaceKey> = []
        for event in try inotify.read() {
            if event.mask.contains(.overflow) {
                for directory in directories.values { affected.formUnion(directory.containers.values.joined()) }
                continue
            }
            guard let path = directoryOfWatch[event.watch], let directory = directories[path] else { continue }
            if event.mask.contains(.ignored) || event.mask.contains(.deletedSelf) {
                affected.formUnion(directory.containers.values.joined())
                directories[path] = nil
                directoryOfWatch[event.watch] = nil
            } else {
                affected.formUnion(directory.containers[event.name] ?? [])
            }
        }
        return affected
    }

    // MARK: - Mounts

    /// Tells by a ``ControlToken/mounts`` event of each mount, from the first call on; a failure costs what cannot be
    /// noticed otherwise, and is logged.
    mutating func watchMounts(_ logger: Logger) {
        guard !areMountsWatched else { return }
        do throws(LinuxError) {
            let table = try MountTable()
            try loop.watch(table.descriptor, as: .mounts, for: [.priority])
            mounts = consume table
        } catch {
            logger.warning("cannot watch mounts; a namespace that is mounted over a path is not noticed: \(error)")
        }
    }

    private var areMountsWatched: Bool {
        switch mounts {
        case .some: true
        case .none: false
        }
    }

    // MARK: - Ends

    /// Forgets a container: nothing tells of it any more.
    mutating func remove(_ container: NamespaceKey) {
        if let ticket = processOfContainer.removeValue(forKey: container) {
            containerOfProcess[ticket] = nil
            processes.remove(ticket)
        }
        for path in pathsOfContainer.removeValue(forKey: container) ?? [] { remove(container, path) }
    }

    private mutating func remove(_ container: NamespaceKey, _ path: String) {
        let (directory, name) = Self.split(path)
        directories[directory]?.containers[name]?.remove(container)
        if directories[directory]?.containers[name]?.isEmpty == true { directories[directory]?.containers[name] = nil }
        guard let entry = directories[directory], entry.containers.isEmpty else { return }
        try? inotify.removeWatch(entry.watch)
        directories[directory] = nil
        directoryOfWatch[entry.watch] = nil
    }

    /// The directory and the file name of a path.
    static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let directory = path[..<slash]
        return (directory.isEmpty ? "/" : String(directory), String(path[path.index(after: slash)...]))
    }
}
