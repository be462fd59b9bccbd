// Names in a directory, which the kernel gives in records that end where the name ends.

import Foundation
import Testing

@testable import LinuxNet

@Suite("A directory")
struct DirectoryTests {
    @Test("gives all of its names, however many they are and of whatever length")
    func names() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ic-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        #expect(try Files.entries(of: directory) == [])
        // Several of readdir(3)'s buffers, each of which ends behind a name of another length; NAME_MAX is 255.
        let names = (0..<2_000).map { number in
            String(repeating: "n", count: 1 + number % 250) + "\(1_000 + number)"
        }
        for name in names { #expect(FileManager.default.createFile(atPath: "\(directory)/\(name)", contents: nil)) }
        #expect(try Files.entries(of: directory).sorted() == names.sorted())
    }

    @Test("that is not there is an error with its path")
    func missing() {
        let error = #expect(throws: LinuxError.self) { try Files.entries(of: "/no/such") }
        #expect(error?.subject == "/no/such" && error?.call == "opendir")
    }
}
