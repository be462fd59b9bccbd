// A process in a network namespace of its own, for tests that have no rights.

import Foundation

@testable import IntercomServer
@testable import LinuxNet

/// A process in a network namespace of its own, which ends with the test. It needs no rights: a user namespace has them.
final class ContainerProcess: Sendable {
    private let process = Process()
    private let input = Pipe()

    init() throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        process.arguments = ["--user", "--map-root-user", "--net", "cat"]
        process.standardInput = input
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        // It echoes when it is where it should be.
        try input.fileHandleForWriting.write(contentsOf: Data("here".utf8))
        _ = output.fileHandleForReading.availableData
    }

    var pid: Int32 { process.processIdentifier }

    func descriptor() throws(LinuxError) -> ProcessDescriptor { try ProcessDescriptor(pid: pid) }

    func namespace() throws(LinuxError) -> NetworkNamespace { try NetworkNamespace(process: try descriptor()) }

    /// Ends the process, and with it the namespace.
    func end() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    deinit { end() }
}
