// A thread that may not do what others may.

import Synchronization
import Testing

@testable import LinuxNet

@Suite("A filter of system calls")
struct SystemCallFilterTests {
    /// Calls that any thread makes.
    private static let runtime = [
        "futex", "mmap", "munmap", "madvise", "brk", "close", "exit", "rt_sigprocmask", "getrandom", "rseq",
        "sched_yield",
        "sigaltstack",
    ]

    @Test("limits its thread alone: what is not on the list fails, and what is goes on")
    func limits() throws {
        let results = Mutex<[String]>([])
        let thread = try Thread.start(name: "limited") {
            var found: [String] = []
            do throws(LinuxError) {
                try SystemCallFilter.limitThread(
                    to: Self.runtime + ["socket", "setsockopt", "connect", "no_such_call"], requests: [.namespaceType])
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

    @Test("allows sockets of some families only: none that leads to another program of the machine")
    func families() throws {
        let listening = try UDPSocket.bound(to: SocketAddress(v4: 0x7F00_0001, port: 0))
        let address = try listening.localAddress()
        let results = Mutex<[String]>([])
        let thread = try Thread.start(name: "limited") {
            var found: [String] = []
            do throws(LinuxError) {
                try SystemCallFilter.limitThread(
                    to: Self.runtime + ["connect", "setsockopt", "socketpair"], requests: [], families: [.ipv4, .ipv6])
                _ = try UDPSocket.connected(to: address)
                found.append("IPv4")
                _ = try UDPSocket.connected(to: SocketAddress(v6: 1, port: 9))
                found.append("IPv6")
            } catch {
                found.append("\(error)")
            }
            do throws(LinuxError) {
                _ = try UnixSocket.connect(path: "/run/systemd/journal/socket")
                found.append("Unix")
            } catch {
                found.append("\(error)")
            }
            do throws(LinuxError) {
                _ = try RouteNetlink()
                found.append("netlink")
            } catch {
                found.append("\(error.errno)")
            }
            results.withLock { $0 = found }
        }
        thread.join()
        #expect(
            results.withLock { $0 } == [
                "IPv4", "IPv6", "socket: Operation not permitted", "Operation not permitted",
            ])
    }
}
