// Programs of others, run to their end: what they print and how they exit.

import Foundation

/// Output of a program, and its exit status.
struct Output: CustomStringConvertible {
    var status: Int32
    var out: String
    var err: String

    /// Standard output without blank ends.
    var text: String { out.trimmingCharacters(in: .whitespacesAndNewlines) }
    var lines: [String] { out.split(separator: "\n").map(String.init) }
    /// Standard output without the line breaks within its paragraphs: an indented line goes on with the one before.
    var unwrapped: String { out.replacingOccurrences(of: "\n  ", with: " ") }
    var description: String { "exit \(status)\n\(out)\(err)" }
}

/// A program that could not do what a test needs it for.
struct CommandFailure: Error, CustomStringConvertible {
    var command: String
    var output: Output
    var description: String { "\(command): \(output)" }
}

enum Command {
    private static let starting = NSLock()

    /// Starts a process, one at a time: Foundation learns of its end by a socket pair, whose other end a process that is
    /// started at the same moment could inherit and hold open.
    static func start(_ process: Process) throws {
        try starting.withLock { try process.run() }
    }

    /// Factor of all times until a program is given up: under a sanitizer they take longer.
    private static let patience = ProcessInfo.processInfo.environment["INTERCOM_PATIENCE"].flatMap { Int($0) } ?? 1

    /// Runs a program, 60 seconds at most if nothing else is said, and gives what it printed.
    @discardableResult
    static func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:], within seconds: Int = 60
    ) throws -> Output {
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("ic-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let paths = ["in", "out", "err"].map { scratch.appendingPathComponent($0) }
        try Data(input.utf8).write(to: paths[0])
        for path in paths.dropFirst() { try Data().write(to: path) }

        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // Nothing milder: what is started from a thread of Dispatch has most signals blocked.
        process.arguments = ["timeout", "--signal=KILL", "\(seconds * patience)"] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: paths[0])
        process.standardOutput = try FileHandle(forWritingTo: paths[1])
        process.standardError = try FileHandle(forWritingTo: paths[2])
        try start(process)
        process.waitUntilExit()
        return Output(
            status: process.terminationStatus, out: String(decoding: try Data(contentsOf: paths[1]), as: UTF8.self),
            err: String(decoding: try Data(contentsOf: paths[2]), as: UTF8.self))
    }

    /// The same for what has to succeed.
    @discardableResult
    static func must(_ arguments: [String], input: String = "") throws -> Output {
        let output = try run(arguments, input: input)
        guard output.status == 0 else {
            throw CommandFailure(command: arguments.joined(separator: " "), output: output)
        }
        return output
    }
}

/// Polls until the condition holds; false when it has not within the deadline.
func eventually(within seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while true {
        if try condition() { return true }
        if ContinuousClock.now > deadline { return false }
        // The pause of a poll, not a wait for something to have happened.
        Thread.sleep(forTimeInterval: 0.02)
    }
}
