// The ends of containers: a path that goes away, and a process that exits.

import Attachment
import Foundation
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("A container that is watched")
struct ContainerWatchTests {
    private static func key(_ inode: UInt64) -> NamespaceKey { NamespaceKey(device: 4, inode: inode) }

    /// A directory of the test's own with files.
    private static func lend(_ files: [String], _ body: (String, EventLoop) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("icw-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for file in files { try make("\(directory)/\(file)") }
        try body(directory, try EventLoop(signals: []))
    }

    private static func make(_ path: String) throws {
        try "".write(toFile: path, atomically: false, encoding: .utf8)
    }

    @Test("is told of when something happens to its path, and of nothing beside it")
    func paths() throws {
        try Self.lend(["a", "b", "c"]) { directory, loop in
            var watch = try ContainerWatch(by: loop)
            for (name, inode) in [("a", 1), ("b", 2), ("b", 3)] as [(String, UInt64)] {
                try watch.watch(path: "\(directory)/\(name)", of: Self.key(inode))
            }
            var found = try watch.readEvents()
            #expect(found.isEmpty)
            try FileManager.default.removeItem(atPath: "\(directory)/c")
            found = try watch.readEvents()
            #expect(found.isEmpty)
            try FileManager.default.removeItem(atPath: "\(directory)/a")
            found = try watch.readEvents()
            #expect(found == [Self.key(1)])
            try FileManager.default.moveItem(atPath: "\(directory)/b", toPath: "\(directory)/d")
            found = try watch.readEvents()
            #expect(found == [Self.key(2), Self.key(3)])
            try Self.make("\(directory)/a")
            found = try watch.readEvents()
            #expect(found == [Self.key(1)])
            watch.remove(Self.key(1))
            try FileManager.default.removeItem(atPath: "\(directory)/a")
            found = try watch.readEvents()
            #expect(found.isEmpty)
        }
    }

    @Test("is told of when the directory of its path goes, with all others in it")
    func directory() throws {
        try Self.lend([]) { directory, loop in
            let inner = "\(directory)/inner"
            try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
            for name in ["a", "b"] { try Self.make("\(inner)/\(name)") }
            var watch = try ContainerWatch(by: loop)
            try watch.watch(path: "\(inner)/a", of: Self.key(1))
            try watch.watch(path: "\(inner)/b", of: Self.key(2))
            try FileManager.default.removeItem(atPath: inner)
            var found = try watch.readEvents()
            #expect(found == [Self.key(1), Self.key(2)])
            // It may be there again.
            try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
            try watch.watch(path: "\(inner)/a", of: Self.key(1))
            try Self.make("\(inner)/a")
            found = try watch.readEvents()
            #expect(found == [Self.key(1)])
        }
    }

    @Test("is told of when its process exits, unless it was forgotten before")
    func processes() throws {
        try Self.lend([]) { _, loop in
            var watch = try ContainerWatch(by: loop)
            let programs = try (0..<2).map { _ in
                let program = Process()
                program.executableURL = URL(fileURLWithPath: "/bin/sleep")
                program.arguments = ["60"]
                try program.run()
                return program
            }
            defer { for program in programs { kill(program.processIdentifier, SIGKILL) } }
            for (number, program) in programs.enumerated() {
                let process = try ProcessDescriptor(pid: program.processIdentifier)
                try watch.watch(process, of: Self.key(UInt64(number)))
            }
            watch.remove(Self.key(0))
            // SIGTERM may be blocked here, and then in them, too.
            for program in programs { kill(program.processIdentifier, SIGKILL) }
            let end = ContinuousClock.now + .seconds(10)
            var ended: [NamespaceKey?] = []
            while ended.isEmpty, ContinuousClock.now < end {
                for case .process(let ticket) in try loop.wait(until: [end]) {
                    ended.append(watch.container(of: ticket))
                }
            }
            #expect(ended == [Self.key(1)])
        }
    }

    @Test(
        "has a path with a directory and a name",
        arguments: [
            ("/run/netns/web", "/run/netns", "web"), ("/web", "/", "web"), ("web", ".", "web"), ("/a/", "/a", ""),
        ])
    func split(path: String, directory: String, name: String) {
        #expect(ContainerWatch.split(path) == (directory, name))
    }
}
