// Files in the form of hosts(5) whose records are not in force, or not all of them.

import DNSWire
import Foundation
import Registry
import Testing

@testable import IntercomServer

@Suite("Hosts files")
struct HostsFilesTests {
    /// Files under a directory of the test's own, followed for containers of all networks.
    private static func lend(_ body: (HostsFiles, OpenerParts, String) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ich-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let parts = try OpenerParts()
        defer { parts.workers.stop() }
        try body(
            HostsFiles(publisher: parts.publisher, loop: parts.loop, logger: parts.log.logger), parts, directory)
    }

    private static func data(_ name: String, _ parts: OpenerParts) throws -> [String] {
        parts.publisher.registry.records.records(of: try Name(name), on: nil).filter { $0.type == .a }.map {
            "\($0.data)"
        }
    }

    private static func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    @Test("of a directory that are too long together change nothing, and say what to do, once")
    func tooLong() throws {
        try Self.lend { files, parts, directory in
            try Self.write("10.8.0.1 first.test\n", to: "\(directory)/a")
            files.configure([HostsPlace(path: directory)])
            #expect(try Self.data("first.test", parts).count == 1 && files.warnings.isEmpty)
            // Alone each is short enough.
            try Self.write("10.8.0.2 second.test\n", to: "\(directory)/a")
            try Self.write(String(repeating: "#", count: HostsFile.maximumLength), to: "\(directory)/b")
            for _ in 0..<2 { files.takeEvents() }
            let sentence = "hosts file \(directory): more than 10 MiB; the records before stay: split it, or shorten it"
            #expect(files.warnings == [sentence])
            #expect(parts.log.messages.filter { $0 == "warning: \(sentence)" }.count == 1)
            #expect(try Self.data("first.test", parts).count == 1 && Self.data("second.test", parts).isEmpty)
            try FileManager.default.removeItem(atPath: "\(directory)/b")
            files.takeEvents()
            #expect(files.warnings.isEmpty)
            #expect(try Self.data("first.test", parts).isEmpty && Self.data("second.test", parts).count == 1)
        }
    }

    @Test("with a name that has a record of another kind are in force but for that name, and say so")
    func conflict() throws {
        try Self.lend { files, parts, directory in
            _ = try parts.publisher.registry.addRecord(
                RecordDefinition(
                    name: "printer.test", type: "CNAME", data: ["other.test"], network: nil, ttl: nil, source: .control)
            )
            let path = "\(directory)/names"
            try Self.write("10.8.0.1 printer.test\n10.8.0.2 printer.test\n10.8.0.3 scanner.test\n", to: path)
            files.configure([HostsPlace(path: path)])
            #expect(try Self.data("printer.test", parts).isEmpty && Self.data("scanner.test", parts).count == 1)
            #expect(files.warnings.count == 1 && files.warnings[0].contains("printer.test"), "\(files.warnings)")
            #expect(parts.log.messages.count == 1)
            files.configure([])
            #expect(try files.warnings.isEmpty && Self.data("scanner.test", parts).isEmpty)
        }
    }

    @Test("that are not there are waited for, and one that no longer can be read keeps its records")
    func unreadable() throws {
        try Self.lend { files, parts, directory in
            let path = "\(directory)/names"
            files.configure([HostsPlace(path: path)])
            #expect(files.warnings == ["hosts file \(path): there is no such file or directory; waiting for it"])
            try Self.write("10.8.0.1 printer.test\n", to: path)
            files.takeEvents()
            #expect(try files.warnings.isEmpty && Self.data("printer.test", parts).count == 1)
            // Alone it is too long, too.
            try Self.write(String(repeating: "#", count: HostsFile.maximumLength + 1), to: path)
            files.takeEvents()
            #expect(files.warnings.count == 1 && files.warnings[0].contains("the records before stay"))
            #expect(try Self.data("printer.test", parts).count == 1)
        }
    }
}
