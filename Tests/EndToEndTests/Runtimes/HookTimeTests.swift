// Hooks of runtimes with the daemon, which attaches the container before they return: what a start of a container waits for.

import Foundation
import Testing

@Suite("A hook with the daemon", .needsRoot)
struct HookTimeTests {
    private static let count = 12

    /// Runs a hook for one process after another, each in a namespace of its own; gives the time of each.
    private func times(
        _ name: String, _ arguments: [String], by house: AdapterHouse,
        environment: (Int, Int32) -> [String], input: (Int, Int32) -> String
    ) throws -> [Duration] {
        let hook = try HookProgram(name, in: house)
        return try (0..<Self.count).map { number in
            let pid = try house.isolatedProcess()
            let (output, time) = try hook.run(
                arguments, environment: environment(number, pid), input: input(number, pid))
            #expect(output.status == 0 && output.err.isEmpty, "\(output)")
            return time
        }
    }

    @Test(
        "returns within 30 ms, with the daemon's answer that the container is attached",
        arguments: ["oci-hook", "lxc-hook"])
    func attaches(name: String) throws {
        try House.lend(configuration: "\(House.undiscovered)[server]\nworkers = 1\n") { house in
            let adapters = try AdapterHouse()
            let times = try times(
                name, ["--control", house.socket] + (name == "lxc-hook" ? ["web", "lxc", "start-host"] : []),
                by: adapters
            ) {
                name == "lxc-hook" ? ["LXC_NAME=w\($0)", "LXC_PID=\($1)", "LXC_HOOK_TYPE=start-host"] : []
            } input: { number, pid in
                let id = String(repeating: "0", count: 62) + String(10 + number)
                return #"{"ociVersion":"1.0.2","id":"\#(id)","status":"creating","pid":\#(pid),"#
                    + #""bundle":"\#(adapters.directory)"}"#
            }
            let idle = try (1...5).map { _ in try HookProgram.timeOfNothing() }.min() ?? .zero
            // The fastest, as this machine has other work.
            #expect(
                times.min().map { $0 - idle < HookProgram.limit(.milliseconds(30)) } == true,
                "\(times), \(idle) for nothing")
            let listed = try house.ctl("container", "ls").lines
            #expect(listed.count == Self.count + 1, "\(listed)")
        }
    }
}
