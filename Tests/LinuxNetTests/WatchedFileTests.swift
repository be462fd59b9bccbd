// A watched file: every way in which what a path names becomes something else, and nothing else.

import Foundation
import Testing

@testable import LinuxNet

@Suite("A watched file")
struct WatchedFileTests {
    /// A directory of a test's own, and what is done in it.
    private struct Place {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ic-\(UUID().uuidString)").path

        func path(_ name: String) -> String { "\(directory)/\(name)" }

        func write(_ name: String, atomically: Bool = false) throws {
            try "text".write(toFile: path(name), atomically: atomically, encoding: .utf8)
        }

        func make(_ name: String) throws {
            try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
        }

        func link(_ name: String, to target: String) throws {
            try? FileManager.default.removeItem(atPath: path(name))
            try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
        }

        func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }
    }

    private func withPlace(_ body: (Place) throws -> Void) throws {
        let place = Place()
        try place.make("etc")
        defer { try? FileManager.default.removeItem(atPath: place.directory) }
        try body(place)
    }

    @Test("has changed when it is made, written, replaced or removed; not when its neighbours are")
    func directly() throws {
        try withPlace { place in
            var file = try WatchedFile(place.path("etc/file"))
            func hasChanged(_ body: () throws -> Void) throws -> Bool {
                try body()
                return try file.hasChanged()
            }
            #expect(try !hasChanged {})
            #expect(try hasChanged { try place.write("etc/file") })
            #expect(try !hasChanged {})
            #expect(try hasChanged { try place.write("etc/file") })
            #expect(try hasChanged { try place.write("etc/file", atomically: true) })
            #expect(try !hasChanged { try place.write("etc/other") })
            #expect(try !hasChanged { try place.make("etc/directory") })
            #expect(try hasChanged { try place.remove("etc/file") })
            #expect(try hasChanged { try place.write("etc/file", atomically: true) })
            let handle = try #require(FileHandle(forWritingAtPath: place.path("etc/file")))
            #expect(try hasChanged { try handle.write(contentsOf: Data("more".utf8)) }, "flushed, and not closed")
            try handle.close()
        }
    }

    @Test("is followed through symbolic links, also to what is not there yet")
    func links() throws {
        try withPlace { place in
            try place.link("etc/file", to: "../run/resolve/file")
            var file = try WatchedFile(place.path("etc/file"))
            func hasChanged(_ body: () throws -> Void) throws -> Bool {
                try body()
                return try file.hasChanged()
            }
            #expect(try hasChanged { try place.make("run") })
            #expect(try hasChanged { try place.make("run/resolve") })
            #expect(try !hasChanged { try place.make("run/other") })
            #expect(try hasChanged { try place.write("run/resolve/file", atomically: true) })
            #expect(try hasChanged { try place.write("run/resolve/file", atomically: true) })
            #expect(try !hasChanged { try place.write("run/resolve/other") })
            #expect(try hasChanged { try place.remove("run/resolve") })
            try place.write("run/first")
            #expect(try hasChanged { try place.link("etc/file", to: place.path("run/first")) })
            #expect(try hasChanged { try place.write("run/first", atomically: true) })
            #expect(try !hasChanged { try place.make("run/resolve") })
            // A link to a directory in the middle of the path, replaced by another.
            try place.make("generation-1")
            try place.make("generation-2")
            try place.link("current", to: "generation-1")
            #expect(try hasChanged { try place.link("etc/file", to: "../current/file") })
            #expect(try hasChanged { try place.write("generation-1/file") })
            #expect(try hasChanged { try place.link("current", to: "generation-2") })
            #expect(try !hasChanged { try place.write("generation-1/file") })
            #expect(try hasChanged { try place.write("generation-2/file") })
            // A link to itself is no file, and is not followed for ever.
            #expect(try hasChanged { try place.link("etc/file", to: "file") })
            #expect(try hasChanged { try place.link("etc/file", to: "third") })
            #expect(try hasChanged { try place.write("etc/third") })
        }
    }
}
