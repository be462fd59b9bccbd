// nerdctl, as it writes down its containers for /etc/hosts: the source `nerdctl`.

package import LinuxNet
import RuntimeWire
import SystemPackage

/// Containers of nerdctl that are on networks of CNI, with their processes.
package final class NerdctlRuntime: WatchedRuntime {
    package static let source = "nerdctl"
    /// Most octets of /proc/PID/cgroup: a line for each hierarchy, with a path of 4 KiB at most (PATH_MAX).
    private static let maximumControlGroups = 64 * 1024

    private let directory: String
    private var path: WatchedFile
    private var entries: Inotify
    private var isWatched = false

    /// - Parameter directory: nerdctl's data, with a directory for each containerd; it may come later.
    /// - Throws: `LinuxError` where the process can have no inotify instance.
    package init(directory: String = NerdctlRecord.directory) throws(LinuxError) {
        self.directory = directory
        path = try WatchedFile(directory)
        entries = try Inotify()
    }

    package func watch(by poller: Poller, firstToken: UInt64) throws(LinuxError) {
        guard !isWatched else { return }
        try poller.add(path.descriptor, token: firstToken, interest: [.readable])
        try poller.add(entries.descriptor, token: firstToken + 1, interest: [.readable])
        isWatched = true
    }

    package func hasChanged() throws(LinuxError) -> Bool {
        let isOther = try path.hasChanged()
        // nerdctl writes the hosts files of all containers at each change, after the record. A record that was only made is empty.
        return try entries.read().contains { event in
            event.name != "hosts" && (event.name != NerdctlRecord.file || event.mask != .created)
        } || isOther
    }

    package func read() -> RuntimeReading {
        var records: [NerdctlRecord] = []
        var failures: [String] = []
        do throws(LinuxError) {
            for host in try watchedEntries(of: directory) {
                let store = "\(directory)/\(host)/\(NerdctlRecord.store)"
                // What is no directory, or has no store, is not nerdctl's.
                _ = try? watchedEntries(of: "\(directory)/\(host)")
                for namespace in (try? watchedEntries(of: store)) ?? [] {
                    for id in (try? watchedEntries(of: "\(store)/\(namespace)")) ?? [] {
                        let container = "\(store)/\(namespace)/\(id)"
                        _ = try? watchedEntries(of: container)
                        let file = "\(container)/\(NerdctlRecord.file)"
                        do {
                            if let record = try readFile(file) { records.append(record) }
                        } catch {
                            failures.append("\(file) is passed over: \(error)")
                        }
                    }
                }
            }
        } catch  where error.errno == .noSuchFileOrDirectory {
            // nerdctl makes it with the first container.
        } catch {
            return RuntimeReading(failure: "\(error)")
        }
        return RuntimeReading(Publication(records), failures: failures)
    }

    /// Names in a directory, which is watched from before they are read.
    private func watchedEntries(of directory: String) throws(LinuxError) -> [String] {
        // Where there is no room for another watch, everything is read again now and then.
        _ = try? entries.addWatch(
            directory, events: [.created, .deleted, .movedFrom, .movedTo, .closedAfterWriting])
        return try Files.entries(of: directory).sorted()
    }

    /// The record of a container that runs; nil where there is none, or it was left behind when the host went down.
    private func readFile(_ file: String) throws -> NerdctlRecord? {
        guard let octets = try Files.readBytes(file, limit: NerdctlRecord.maximumLength) else { return nil }
        let record = try NerdctlRecord(octets)
        guard let path = record.container.namespacePath else { return nil }
        let runs = record.container.pid.map { Self.isProcess($0, of: record.container.id) } ?? Files.exists(path)
        return runs ? record : nil
    }

    /// True when a process is in the container's control group, which has its id in its name: `/default/ID` or
    /// `…/nerdctl-ID.scope`.
    private static func isProcess(_ pid: Int32, of id: String) -> Bool {
        let text = try? Files.readText("/proc/\(pid)/cgroup", limit: maximumControlGroups)
        return text?.contains(id) == true
    }
}
