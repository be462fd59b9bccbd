// Sources of events of the event loops: readiness, messages, processes, files.

import CLinux
import Foundation
import Synchronization
import Testing

@testable import LinuxNet

@Suite("An event loop")
struct LoopTests {
    /// The tokens of the events that come within two seconds.
    private func tokens(_ epoll: inout Epoll) throws -> Set<UInt64> {
        let count = try epoll.wait(timeoutMilliseconds: 2000)
        return Set((0..<count).map { epoll.event($0).token })
    }

    @Test("hears of what is ready, by its token, until it is taken out")
    func readiness() throws {
        var epoll = try Epoll()
        let event = try EventFD()
        try epoll.add(event.descriptor, token: 0xFFFF_FFFF_0000_0007, interest: [.readable])
        #expect(try epoll.wait(timeoutMilliseconds: 0) == 0)
        event.signal()
        #expect(try tokens(&epoll) == [0xFFFF_FFFF_0000_0007])
        event.drain()
        #expect(try epoll.wait(timeoutMilliseconds: 0) == 0)
        try epoll.modify(event.descriptor, token: 8, interest: [.writable])
        #expect(try tokens(&epoll) == [8])
        try epoll.remove(event.descriptor)
        #expect(try epoll.wait(timeoutMilliseconds: 0) == 0)
    }

    @Test("takes messages of other threads, all of them, in order")
    func mailbox() throws {
        let mailbox = try Mailbox<Int>()
        var epoll = try Epoll()
        try epoll.add(mailbox.descriptor, token: 1, interest: [.readable])
        let thread = try Thread.start(name: "poster") {
            for number in 0..<1000 { mailbox.post(number) }
        }
        var taken: [Int] = []
        while taken.count < 1000, try tokens(&epoll) == [1] { taken += mailbox.takeAll() }
        thread.join()
        #expect(taken == Array(0..<1000))
        #expect(mailbox.takeAll().isEmpty)
        #expect(try epoll.wait(timeoutMilliseconds: 0) == 0)
    }

    @Test("wakes with others at each ring of a bell, whatever it did at the ring before")
    func bell() throws {
        let bell = try Bell()
        let mailboxes = [try Mailbox<Int>(), try Mailbox<Int>()]
        var one = try Epoll()
        var other = try Epoll()
        try bell.wake(one, token: 1)
        try bell.wake(other, token: 2)
        for ring in 1...3 {
            for mailbox in mailboxes { mailbox.deposit(ring) }
            bell.ring()
            #expect(try tokens(&one) == [1])
            // The other one is told of three rings at once.
            #expect(try one.wait(timeoutMilliseconds: 0) == 0)
        }
        #expect(try tokens(&other) == [2])
        #expect(try other.wait(timeoutMilliseconds: 0) == 0)
        for mailbox in mailboxes { #expect(mailbox.takeAll() == [1, 2, 3]) }
    }

    @Test("may ask for short turns, and has them where the kernel knows of such")
    func turns() throws {
        let slice = Mutex<(before: UInt64, after: UInt64)>((0, 0))
        try Thread.start(name: "short") {
            let before = clinux_slice()
            #expect(throws: Never.self) { try Thread.preferShortTurns() }
            slice.withLock { $0 = (before, clinux_slice()) }
        }.join()
        let (before, after) = slice.withLock { $0 }
        // The kernel says 0 where there is but one length for all: before 6.12.
        #expect(before == 0 ? after == 0 : after == Thread.shortestSlice && after < before)
    }

    @Test("knows processes that live, and none that do not")
    func processes() throws {
        #expect(try ProcessDescriptor(pid: ProcessDescriptor.own).isAlive)
        do throws(LinuxError) {
            // PID_MAX_LIMIT: no process has this number.
            _ = try ProcessDescriptor(pid: 4_194_304).isAlive
            Issue.record("there is such a process")
        } catch {
            #expect(error.kind == .noSuchProcess)
        }
    }

    @Test("hears what happens in a directory")
    func files() throws {
        let directory = "/tmp/intercom-test-\(ProcessDescriptor.own)-\(Entropy.word())"
        try Files.makeDirectories(directory)
        defer { try? Files.removeDirectory(directory) }
        var inotify = try Inotify()
        let watch = try inotify.addWatch(directory, events: [.created, .deleted, .movedTo])
        try Files.writeAtomically("\(directory)/a", "text", mode: 0o644)
        #expect(try Files.readText("\(directory)/a", limit: 10) == "text")
        try Files.unlink("\(directory)/a")
        let events = try inotify.read()
        #expect(events.allSatisfy { $0.watch == watch })
        #expect(events.contains { $0.name == "a" && $0.mask.contains(.movedTo) })
        #expect(events.last.map { $0.name == "a" && $0.mask.contains(.deleted) } == true)
        try inotify.removeWatch(watch)
        #expect(try inotify.read().map(\.mask) == [.ignored])
    }

    @Test("follows the links that a path leads along")
    func trails() throws {
        let path = "/tmp/intercom-test-\(ProcessDescriptor.own)-\(Entropy.word())"
        #expect(Files.trail(of: path) == [path])
        #expect(Files.trail(of: "/proc/self/ns/net") == ["/proc/self/ns/net"])
        for (link, target) in [("\(path)-a", "\(path)-b"), ("\(path)-b", String(path.dropFirst(5)))] {
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
        }
        defer { for link in ["\(path)-a", "\(path)-b"] { try? Files.unlink(link) } }
        #expect(Files.trail(of: "\(path)-a") == ["\(path)-a", "\(path)-b", path])
        try FileManager.default.createSymbolicLink(atPath: "\(path)-c", withDestinationPath: "\(path)-c")
        #expect(Files.trail(of: "\(path)-c").count == 41, "a link to itself ends somewhere")
        try Files.unlink("\(path)-c")
    }

    @Test("reads files up to a limit, and only files")
    func reading() throws {
        let path = "/tmp/intercom-test-\(ProcessDescriptor.own)-\(Entropy.word())"
        try Files.writeAtomically(path, String(repeating: "x", count: 100), mode: 0o600)
        defer { try? Files.unlink(path) }
        #expect(try Files.readText(path, limit: 100)?.utf8.count == 100)
        #expect(throws: LinuxError.self) { try Files.readText(path, limit: 99) }
        #expect(throws: LinuxError.self) { try Files.readText("/dev/zero", limit: 99) }
        #expect(throws: LinuxError.self) { try Files.readText("/tmp", limit: 99) }
        #expect(try Files.readText("/nonexistent/file", limit: 1) == nil)
    }

    @Test(
        "enters network namespaces and nothing else",
        arguments: ["/etc/passwd", "/proc/self/ns/mnt", "/nonexistent", "/dev/null", "/", ""])
    func namespaces(path: String) throws {
        let own = try NetworkNamespace.current()
        let same = try NetworkNamespace(path: "/proc/self/ns/net")
        let (identity, other) = (own.identity, same.identity)
        #expect(identity == other)
        do throws(LinuxError) {
            _ = try NetworkNamespace(path: path).identity
            Issue.record("\(path) is no network namespace")
        } catch {
            #expect(error.kind == .notANetworkNamespace || error.description.contains("No such file"), "\(error)")
        }
    }

    @Test(
        "says of a file that is no network namespace what it is",
        arguments: [
            ("/etc/passwd", "a regular file"), ("/", "a directory"), ("/dev/null", "a device"),
            ("/proc/self/ns/mnt", "a namespace of another kind"), ("/nonexistent", nil),
        ])
    func otherFiles(path: String, kind: String?) {
        #expect(NetworkNamespace.kindOfOtherFile(at: path) == kind)
    }
}
