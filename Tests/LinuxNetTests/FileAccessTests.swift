// A thread that opens only some files, and the host's root by a descriptor.

import Foundation
import Synchronization
import Testing

@testable import LinuxNet

@Suite("Access to files", .needsLandlock)
struct FileAccessTests {
    /// True where the kernel limits a thread.
    static let isSupported = (try? outcomes(reading: [], writing: [], of: []))?.isEmpty ?? false

    /// Two directories, and a file in each.
    private static func lend(_ body: (_ inside: String, _ outside: String) throws -> Void) throws {
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("icl-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        for directory in ["inside", "outside"] {
            try FileManager.default.createDirectory(
                atPath: "\(scratch)/\(directory)", withIntermediateDirectories: true)
            try "text".write(toFile: "\(scratch)/\(directory)/file", atomically: false, encoding: .utf8)
        }
        try body("\(scratch)/inside", "\(scratch)/outside")
    }

    /// Something that a thread does with a file.
    private enum Attempt: Sendable {
        case read(String)
        case list(String)
        case write(String)
        case remove(String)
        case makeDirectory(String)
        case makeSocket(String)
        case rename(String, to: String)

        func carryOut() throws(LinuxError) {
            switch self {
            case .read(let path): _ = try Files.readText(path, limit: 9)
            case .list(let path): _ = try Files.entries(of: path)
            case .write(let path): try Files.writeAtomically(path, "other", mode: 0o600)
            case .remove(let path): try Files.unlink(path)
            case .makeDirectory(let path): try Files.makeDirectories(path)
            case .makeSocket(let path): _ = try UnixSocket.listenForMessages(path: path)
            case .rename(let path, let other): try Files.rename(path, to: other)
            }
        }
    }

    /// Outcomes of attempts on a thread that is limited: `done`, or the error's text.
    private static func outcomes(reading: [String], writing: [String], of attempts: [Attempt]) throws -> [String] {
        let results = Mutex<[String]>([])
        let thread = try Thread.start(name: "limited") {
            var found: [String] = []
            do throws(LinuxError) {
                try FileAccess.limitThread(reading: reading, writing: writing)
            } catch {
                found.append("\(error)")
            }
            for attempt in attempts {
                do throws(LinuxError) {
                    try attempt.carryOut()
                    found.append("done")
                } catch {
                    found.append("\(error.errno)")
                }
            }
            results.withLock { $0 = found }
        }
        thread.join()
        return results.withLock { $0 }
    }

    @Test("A limited thread reads where it may, and opens, lists and writes nothing elsewhere, by whatever path")
    func reading() throws {
        try Self.lend { inside, outside in
            let found = try Self.outcomes(
                reading: [inside, "\(inside)/nothing", "\(inside)/file"], writing: [],
                of: [
                    .read("\(inside)/file"), .list(inside), .read("\(outside)/file"),
                    .read("\(inside)/../outside/file"), .list(outside), .write("\(inside)/new"),
                    .remove("\(inside)/file"),
                ])
            let refused = "Permission denied"
            #expect(found == ["done", "done", refused, refused, refused, refused, refused])
            #expect(try Files.readText("\(outside)/file", limit: 9) == "text", "other threads are not limited")
        }
    }

    @Test("A limited thread writes, replaces, makes and removes files where it may write, and makes no socket there")
    func writing() throws {
        try Self.lend { inside, outside in
            let found = try Self.outcomes(
                reading: [], writing: [inside],
                of: [
                    .write("\(inside)/file"), .makeDirectory("\(inside)/directory"), .write("\(inside)/other"),
                    .remove("\(inside)/other"), .makeSocket("\(inside)/socket"),
                    .rename("\(inside)/file", to: "\(outside)/moved"), .write("\(outside)/file"),
                ])
            #expect(found.prefix(4) == ["done", "done", "done", "done"])
            #expect(found.dropFirst(4).allSatisfy { $0 != "done" }, "\(found)")
            #expect(try Files.readText("\(inside)/file", limit: 9) == "other")
        }
    }
}

@Suite("The host's root by a descriptor")
struct HostRootTests {
    @Test(
        "A path leads into the host where it is in a directory that is taken from there, and nowhere else",
        arguments: [
            ("/run/netns/web", "/proc/self/fd/0/run/netns/web"), ("/run", "/proc/self/fd/0/run"),
            ("/var/run/netns/web", "/proc/self/fd/0/run/netns/web"), ("/var/run", "/proc/self/fd/0/run"),
            ("/etc/resolv.conf", "/proc/self/fd/0/etc/resolv.conf"),
            ("/running", "/running"), ("/var/running/x", "/var/running/x"), ("/", "/"), ("", ""),
            ("run/netns", "run/netns"), ("/proc/self/ns/net", "/proc/self/ns/net"),
            ("/var/lib/intercom/declarations", "/var/lib/intercom/declarations"),
        ])
    func paths(path: String, expected: String) {
        #expect(HostRoot.pathByDescriptor(path) == expected)
    }
}

extension Trait where Self == ConditionTrait {
    /// Holds where the kernel has Landlock (`lsm=` of its command line).
    static var needsLandlock: Self { .enabled(if: FileAccessTests.isSupported, "the kernel has no Landlock") }
}
