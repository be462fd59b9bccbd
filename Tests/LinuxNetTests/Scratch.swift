// Namespaces of a test's own, and programs in them; all are gone when it is over.

import Foundation
import Testing

enum Scratch {
    static func lend(namespaces count: Int, _ body: ([String]) throws -> Void) throws {
        let id = "icl" + String(UInt32.random(in: 0..<0x1000_0000), radix: 36)
        let names = (0..<count).map { "\(id)-\($0)" }
        defer { for name in names { try? ip("netns", "del", name) } }
        for name in names { try ip("netns", "add", name) }
        try body(names)
    }

    static func ip(_ arguments: String...) throws {
        try run(["ip"] + arguments)
    }

    /// Runs a program in a namespace that has to succeed, and gives what it printed.
    @discardableResult
    static func run(in namespace: String, _ arguments: String...) throws -> String {
        try run(["ip", "netns", "exec", namespace] + arguments)
    }

    @discardableResult
    private static func run(_ arguments: [String]) throws -> String {
        let process = makeProcess(arguments)
        let output = Pipe()
        process.standardOutput = output
        try start(process)
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(arguments: arguments) }
        return String(decoding: text, as: UTF8.self)
    }

    private static let starting = NSLock()

    /// Starts a process, one at a time: Foundation learns of its end by a socket pair, whose other end a process that is
    /// started at the same moment could inherit and hold open.
    static func start(_ process: Process) throws {
        try starting.withLock { try process.run() }
    }

    private static func makeProcess(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        return process
    }

    struct Failure: Error {
        var arguments: [String]
    }
}

extension Trait where Self == ConditionTrait {
    /// Holds for who may make network namespaces.
    static var needsRoot: Self { .enabled(if: geteuid() == 0, "network namespaces need root") }
}
