// Hooks of runtimes and the CNI plugin, run as programs as the runtimes run them.

import Foundation
import Testing

/// A program that is called by the name of a link, as runtimes call it.
struct HookProgram {
    let house: AdapterHouse
    /// The link's name.
    let name: String
    /// The link.
    let path: String

    init(_ name: String, in house: AdapterHouse) throws {
        self.house = house
        self.name = name
        path = "\(house.directory)/\(name)"
        try FileManager.default.createSymbolicLink(
            atPath: path, withDestinationPath: "\(House.binaries)/intercomd")
    }

    /// A limit of time for the program that is shipped; a debug build takes several times as long to load its libraries.
    static func limit(_ limit: Duration) -> Duration {
        ProcessInfo.processInfo.environment["INTERCOM_BIN"] == nil ? limit * 5 : limit
    }

    /// Runs it, and measures how long it takes.
    func run(
        _ arguments: [String], environment: [String] = [], input: String = ""
    ) throws -> (output: Output, time: Duration) {
        let start = ContinuousClock.now
        let output = try Command.run(["env"] + environment + [path] + arguments, input: input)
        return (output, ContinuousClock.now - start)
    }

    /// The time that it takes to run true(1).
    static func timeOfNothing() throws -> Duration {
        let start = ContinuousClock.now
        _ = try Command.run(["env", "true"])
        return ContinuousClock.now - start
    }
}

extension AdapterHouse {
    /// A process in a network namespace of its own, for as long as the test runs.
    func isolatedProcess() throws -> Int32 {
        let process = try start(["unshare", "--net", "sleep", "600"], log: "sleep").process
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
        let pid = process.processIdentifier
        _ = eventually {
            let name = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)
            return name == "sleep\n"
                && (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/net")) != own
        }
        return pid
    }
}
