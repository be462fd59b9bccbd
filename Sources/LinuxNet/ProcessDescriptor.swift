// A process held by descriptor, pidfd_open(2): its number may be used again, the descriptor stays this process.

internal import CLinux
internal import SystemPackage

/// A process, alive or ended.
package struct ProcessDescriptor: ~Copyable, Sendable {
    /// The number that the process has or had.
    package let pid: Int32
    /// Readable once the process has exited.
    package let descriptor: Descriptor

    /// The number of this process, getpid(2).
    package static var own: Int32 { getpid() }

    /// - Throws: ``LinuxError`` of kind ``LinuxError/Kind/noSuchProcess`` when no process has this number.
    package init(pid: Int32) throws(LinuxError) {
        self.pid = pid
        do throws(LinuxError) {
            // 0 and negative numbers mean other things in other calls; pidfd_open says EINVAL to them.
            descriptor = Descriptor(adopting: try system("pidfd_open", "pid \(pid)") { clinux_pidfd_open(pid) })
        } catch {
            let isAbsent = [.noSuchProcess, .invalidArgument, .noSuchFileOrDirectory].contains(error.errno)
            throw LinuxError(
                call: error.call, errno: error.errno, subject: error.subject, kind: isAbsent ? .noSuchProcess : .system)
        }
    }

    /// Start of the process, in clock ticks since the host started (proc_pid_stat(5) starttime): with its number it
    /// names one process of a boot.
    /// - Throws: ``LinuxError``; of kind ``LinuxError/Kind/noSuchProcess`` when it has ended, or `/proc` hides it.
    package func start() throws(LinuxError) -> UInt64 {
        let path = "/proc/\(pid)/stat"
        // Behind the command, which may contain anything, follow the fields from the third on; it is the 22nd.
        let fields = try Files.readText(path, limit: 4096)?.split(separator: ")").last?.split(separator: " ")
        guard let fields, fields.count > 19, let start = UInt64(fields[19]), isAlive else {
            throw LinuxError(call: "read", errno: .noSuchProcess, subject: path, kind: .noSuchProcess)
        }
        return start
    }

    /// True while the process has not exited; a zombie has.
    package var isAlive: Bool {
        var poll = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        // One record, which the kernel reads and fills while the call runs.
        let ready = try? uninterrupted { unsafe CLinux.poll(&poll, 1, 0) }
        return ready == 0
    }
}
