// Patterns of paths, in directories of the tests' own.

import Foundation
import LinuxNet
import Testing

@testable import IntercomServer

@Suite("Paths of a pattern")
struct NamespacePathsTests {
    private let manager = FileManager.default

    /// Lends a directory of the test's own.
    private func lend(_ body: (String) throws -> Void) throws {
        let directory = manager.temporaryDirectory.appendingPathComponent("icp-\(UUID().uuidString)").path
        try manager.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? manager.removeItem(atPath: directory) }
        try body(directory)
    }

    private func make(_ path: String) throws {
        let directory = path.split(separator: "/").dropLast().joined(separator: "/")
        try manager.createDirectory(atPath: "/\(directory)", withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: path))
    }

    /// The paths that something happened to, or all there are where that is to be looked at anew; without the directory.
    private func news(_ paths: inout NamespacePaths, _ directory: String) throws -> Set<String> {
        Set((try paths.read() ?? paths.scan().found).map { String($0.dropFirst(directory.count + 1)) })
    }

    @Test("are found, and told of as they come, go and are renamed; hidden files are not")
    func entries() throws {
        try lend { directory in
            try make("\(directory)/netns/web")
            try make("\(directory)/netns/.hidden")
            var paths = try NamespacePaths(patterns: ["\(directory)/netns/*"])
            #expect(paths.scan().found == ["\(directory)/netns/web"])
            #expect(try news(&paths, directory) == [])
            try make("\(directory)/netns/app")
            try make("\(directory)/other/db")
            #expect(try news(&paths, directory) == ["netns/app"])
            try manager.moveItem(atPath: "\(directory)/netns/app", toPath: "\(directory)/netns/db")
            #expect(try news(&paths, directory) == ["netns/app", "netns/db"])
            try manager.removeItem(atPath: "\(directory)/netns/web")
            try make("\(directory)/netns/.more")
            #expect(try news(&paths, directory) == ["netns/web"])
        }
    }

    @Test("are waited for where their directory is not there yet, and again when it has gone")
    func absence() throws {
        try lend { directory in
            var paths = try NamespacePaths(patterns: ["\(directory)/run/netns/*"])
            #expect(paths.scan().found == [])
            try make("\(directory)/unrelated")
            #expect(try news(&paths, directory) == [])
            for _ in 1...2 {
                try make("\(directory)/run/netns/web")
                #expect(try news(&paths, directory) == ["run/netns/web"])
                try make("\(directory)/run/netns/app")
                #expect(try news(&paths, directory) == ["run/netns/app"])
                try manager.removeItem(atPath: "\(directory)/run")
                #expect(try news(&paths, directory) == [])
            }
            try manager.createDirectory(atPath: "\(directory)/run", withIntermediateDirectories: true)
            #expect(try news(&paths, directory) == [])
            try make("\(directory)/run/netns/db")
            #expect(try news(&paths, directory) == ["run/netns/db"])
        }
    }

    @Test("may have patterns in any part, and none at all; many of them share directories")
    func parts() throws {
        try lend { directory in
            try make("\(directory)/user/1000/netns/a")
            try make("\(directory)/user/1001/other/b")
            try make("\(directory)/user/file")
            var paths = try NamespacePaths(
                patterns: [
                    "\(directory)/user/*/netns/*", "\(directory)/user/1001/other/b",
                    "\(directory)/user/100?/netns/[xy]",
                ])
            #expect(paths.scan().found == ["\(directory)/user/1000/netns/a", "\(directory)/user/1001/other/b"])
            try make("\(directory)/user/1002/netns/x")
            #expect(
                try news(&paths, directory)
                    == ["user/1000/netns/a", "user/1001/other/b", "user/1002/netns/x"])
            try manager.removeItem(atPath: "\(directory)/user/1001/other/b")
            #expect(try news(&paths, directory) == ["user/1001/other/b"])
        }
    }

    @Test("may be nonsense, which matches nothing and hinders no other")
    func nonsense() throws {
        try lend { directory in
            try make("\(directory)/a/web")
            try make("\(directory)/file")
            var paths = try NamespacePaths(patterns: [
                "\(directory)/file/*", "/", "\(directory)/a/[", "\(directory)/a/*",
            ])
            let (found, problems) = paths.scan()
            #expect(found == ["\(directory)/a/web"] && problems.isEmpty)
        }
    }
}
