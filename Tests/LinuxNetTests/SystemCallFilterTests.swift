// A thread that may not do what others may.

import Synchronization
import Testing

@testable import LinuxNet

@Suite("A filter of system calls")
struct SystemCallFilterTests {
    @Test("limits its thread alone: what is not on the list fails, and what is goes on")
    func limits() throws {
        let results = Mutex<[String]>([])
        // Waits for nobody: what a thread needs in any case is on the list.
        let runtime = [
            "futex", "mmap", "munmap", "madvise", "brk", "close", "exit", "rt_sigprocmask", "getrandom", "rseq",
            "sched_yield", "sigaltstack",
        ]
        let thread = try Thread.start(name: "limited") {
            var found: [String] = []
            do throws(LinuxError) {
                try SystemCallFilter.limitThread(
                    to: runtime + ["socket", "connect", "no_such_call"], requests: [.namespaceType])
                _ = try Files.readText("/etc/passwd", limit: 1 << 20)
                found.append("read")
            } catch {
                found.append("\(error)")
            }
            do throws(LinuxError) {
                let socket = try UDPSocket.connected(to: SocketAddress(v4: 0x7F00_0001, port: 9))
                found.append("socket")
                _ = try socket.networkNamespaceCookie()
            } catch {
                found.append("\(error)")
            }
            results.withLock { $0 = found }
        }
        thread.join()
        #expect(
            results.withLock { $0 } == [
                "open /etc/passwd: Operation not permitted", "socket",
                "getsockopt SO_NETNS_COOKIE: Operation not permitted",
            ])
        #expect(try Files.readText("/etc/passwd", limit: 1 << 20) != nil)
    }
}
