// The directory that declarations are kept in: over restarts, beside another daemon, damaged, and where it cannot be written.

import ControlAPI
import Foundation
import LinuxNet
import Logging
import Testing

@testable import IntercomServer

@Suite("The state directory")
struct StateDirectoryTests {
    private static let frontend = Declaration(CreateNetwork.self, .init(name: "frontend"))
    private static let backend = Declaration(CreateNetwork.self, .init(name: "backend"))

    private static let gone = Declaration(RemoveNetwork.self, Named(name: "frontend"))

    private let manager = FileManager.default
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Lends the path of a directory that is not there yet.
    private func lend(_ body: (String) throws -> Void) throws {
        let directory = manager.temporaryDirectory.appendingPathComponent("ics-\(UUID().uuidString)").path
        defer { try? manager.removeItem(atPath: directory) }
        try body("\(directory)/state")
    }

    /// State that a daemon finds at its start.
    private func load(_ path: String) throws -> (all: [Declaration], isSameBoot: Bool) {
        var directory = StateDirectory(path: path, logger: logger)
        let (declarations, isSameBoot) = try directory.load()
        return (declarations.all, isSameBoot)
    }

    /// Writes the state of a daemon that started, declared all of this and ended.
    private func keep(_ declarations: [Declaration], _ path: String) throws {
        var directory = StateDirectory(path: path, logger: logger)
        _ = try directory.load()
        try directory.write()
        for declaration in declarations {
            try directory.reserve(1000)
            directory.keep([declaration])
        }
    }

    @Test("gives what was kept to the next daemon, of this boot")
    func restart() throws {
        try lend { path in
            let first = try load(path)
            #expect(first.all == [] && !first.isSameBoot, "nothing was kept yet")
            try keep([Self.frontend, Self.backend, Self.gone], path)
            let second = try load(path)
            #expect(second.all == [Self.backend] && second.isSameBoot)
            let mode = try manager.attributesOfItem(atPath: "\(path)/declarations")[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test("forgets what is not declared anew, once it is written")
    func replaced() throws {
        try lend { path in
            try keep([Self.frontend], path)
            var directory = StateDirectory(path: path, logger: logger)
            _ = try directory.load()
            directory.keep([Self.backend])
            try directory.write()
            #expect(
                DeclarationsText.parse([UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/declarations"))))
                    .declarations == [Self.backend])
        }
    }

    @Test("is written anew where most of it was taken back, so that it does not grow without end")
    func bounded() throws {
        try lend { path in
            var directory = StateDirectory(path: path, logger: logger)
            _ = try directory.load()
            try directory.write()
            for _ in 0..<3000 { directory.keep([Self.frontend, Self.gone]) }
            let octets = try Data(contentsOf: URL(fileURLWithPath: "\(path)/declarations"))
            #expect(octets.count { $0 == 0x0A } < 2100)
        }
    }

    @Test("serves one daemon alone")
    func locked() throws {
        try lend { path in
            var first = StateDirectory(path: path, logger: logger)
            _ = try first.load()
            let error = #expect(throws: LinuxError.self) { try load(path) }
            #expect(error?.kind == .inUse)
            try first.write()
        }
    }

    @Test("keeps a damaged file under another name, and what can be read of it holds")
    func damaged() throws {
        try lend { path in
            for number in 1...3 {
                try keep([Self.frontend, Self.backend], path)
                let file = URL(fileURLWithPath: "\(path)/declarations")
                try Data(try Data(contentsOf: file).dropLast(3)).write(to: file)
                #expect(try load(path).all == [Self.frontend])
                let other = "\(path)/declarations.damaged" + (number == 1 ? "" : "-\(number)")
                #expect(manager.fileExists(atPath: other), "\(other)")
                #expect(!manager.fileExists(atPath: "\(path)/declarations"))
            }
        }
    }

    @Test("of another boot is told apart: namespaces and processes are others")
    func otherBoot() throws {
        try lend { path in
            try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
            let octets = DeclarationsText.header(boot: "another") + DeclarationsText.line(Self.frontend)
            try Data(octets).write(to: URL(fileURLWithPath: "\(path)/declarations"))
            let found = try load(path)
            #expect(found.all == [Self.frontend] && !found.isSameBoot)
        }
    }

    @Test("that cannot be made keeps nothing, and refuses what would have to be kept")
    func unusable() throws {
        try lend { path in
            let parent = (path as NSString).deletingLastPathComponent
            try Data().write(to: URL(fileURLWithPath: parent))
            var directory = StateDirectory(path: path, logger: logger)
            let (before, _) = try directory.load()
            #expect(before.all == [])
            var isRefused = false
            do throws(LinuxError) { try directory.reserve(10) } catch { isRefused = true }
            #expect(isRefused)
            // A change that was carried out all the same is logged, and lost with the daemon.
            directory.keep([Self.frontend])
        }
    }
}
