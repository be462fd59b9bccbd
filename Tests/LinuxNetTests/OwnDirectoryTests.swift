// Files that are written for others, in directories that nobody else may change.

import Foundation
import Testing

@testable import LinuxNet

@Suite("A file for others")
struct OwnDirectoryTests {
    private func lend(_ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("own-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private func inode(_ path: String) throws -> UInt64? {
        try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? UInt64
    }

    @Test(
        "is rewritten in place: who holds it open or has it mounted reads the new text",
        arguments: ["longer text", "x", ""])
    func inPlace(text: String) throws {
        try lend { path in
            let directory = try OwnDirectory(path: path)
            try directory.create("file", "first text")
            let before = try inode("\(path)/file")
            let reader = try #require(FileHandle(forReadingAtPath: "\(path)/file"))
            try directory.rewrite("file", text)
            #expect(try reader.readToEnd().map { String(decoding: $0, as: UTF8.self) } ?? "" == text)
            #expect(try inode("\(path)/file") == before)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["file"], "nothing is left over")
        }
    }

    @Test("is made only where nothing has its name")
    func create() throws {
        try lend { path in
            let directory = try OwnDirectory(path: path)
            try directory.create("file", "mine")
            #expect(throws: LinuxError.self) { try directory.create("file", "other") }
            #expect(try directory.text(of: "file", limit: 100) == "mine")
        }
    }

    @Test("is rewritten only where it is a file of one name, and no link")
    func noLinks() throws {
        try lend { path in
            let directory = try OwnDirectory(path: path)
            try directory.create("target", "untouched")
            try FileManager.default.createSymbolicLink(atPath: "\(path)/link", withDestinationPath: "\(path)/target")
            #expect(throws: LinuxError.self) { try directory.rewrite("link", "bad") }
            try FileManager.default.linkItem(atPath: "\(path)/target", toPath: "\(path)/second")
            #expect(throws: LinuxError.self) { try directory.rewrite("second", "bad") }
            #expect(try String(contentsOfFile: "\(path)/target", encoding: .utf8) == "untouched")
        }
    }
}
