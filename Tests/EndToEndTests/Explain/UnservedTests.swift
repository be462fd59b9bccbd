// Containers that intercom does not serve, made for real: explain and doctor name them by process and runtime, and the cure
// serves them.

import Foundation
import Testing

@Suite("A container without intercom", .needsRoot)
struct UnservedTests {
    private struct Explained: Decodable {
        struct Finding: Decodable {
            var cause: String
            var text: String
            var cure: String?
        }
        var findings: [Finding]?
        var cause: String?
        var text: String?
        var cure: String?
    }

    /// A process in a network namespace that has no file, with a link into bridge `front`: as runtimes make them.
    private func plug(_ house: House, _ name: String, _ address: String) throws -> Int32 {
        try house.plug(name, into: "front", address)
        let process = try house.start(in: name, ["sleep", "600"], log: name)
        try house.deleteNamespace(name)
        return process.processIdentifier
    }

    private func explain(_ house: House, from asker: String) throws -> Explained {
        let output = try house.ctl("explain", "web", "--from", asker, "--json")
        return try JSONDecoder().decode(Explained.self, from: Data(output.out.utf8))
    }

    private func unserved(_ house: House) throws -> [Explained.Finding] {
        let output = try house.ctl("doctor", "--json")
        let findings = try JSONDecoder().decode(Explained.self, from: Data(output.out.utf8)).findings
        return (findings ?? []).filter { $0.cause == "not-attached" }
    }

    @Test("is named by its process and its runtime, and is served when the cure is typed")
    func named() throws {
        let configuration = "[discover]\nexclude = [\"house\", \"shop\"]\n"
        try House.lend(configuration: configuration, resolver: "nameserver 127.0.0.61\n") { house in
            try house.bridge("front", "10.1.0.1/24")
            try house.plug("web", into: "front", "10.1.0.2/24")
            let pid = try plug(house, "shop", "10.1.0.7/24")
            let bare = try explain(house, from: "\(pid)")
            #expect(bare.cause == "not-attached" && bare.text == "pid \(pid) (sleep) has no intercom", "\(bare)")
            #expect(bare.cure == "intercomctl container add NAME --pid \(pid)")
            #expect(try unserved(house).isEmpty, "a process of no runtime is somebody's own affair")

            let group = try ControlGroup("lxc.payload.shop\(pid)")
            defer { group.remove() }
            try group.take(pid)
            let name = "shop\(pid)"
            #expect(try unserved(house).map(\.text) == ["pid \(pid) (lxc \(name)) has no intercom"])
            for asker in ["\(pid)", name] {
                let explained = try explain(house, from: asker)
                #expect(explained.text == "pid \(pid) (lxc \(name)) has no intercom", "\(explained)")
                #expect(explained.cure == "intercomctl container add \(name) --pid \(pid)")
            }
            let stranger = try explain(house, from: "qqqqqqq")
            #expect(stranger.text == "no container is called qqqqqqq; pid \(pid) (lxc \(name)) has no intercom")

            let words = try #require(try explain(house, from: name).cure).split(separator: " ").dropFirst()
            #expect(try house.ctl(words.map(String.init)).status == 0)
            let ask = ["nsenter", "--net", "--target", "\(pid)", "dig", "+short", "@127.0.0.11", "web"]
            #expect(try eventually { try house.run(in: "house", ask).out == "10.1.0.2\n" })
            // The process is a name of its container now; it still has the host's files, and so the host's resolv.conf.
            #expect(try explain(house, from: "\(pid)").cause == "foreign-resolv-conf")
            #expect(try unserved(house).isEmpty)
        }
    }

    @Test("is none where the process is the host's")
    func host() throws {
        try House.lend { house in
            let pid = try #require(house.daemon?.processIdentifier)
            let explained = try explain(house, from: "\(pid)")
            #expect(explained.cause == "host-process" && explained.cure == "intercomctl host enable", "\(explained)")
            #expect(try explain(house, from: "4194304").cause == "no-such-container")
        }
    }
}

/// A control group of a test's own, as a runtime would make it (cgroups(7)).
private struct ControlGroup {
    private let path: String
    private let parent: String

    init(_ name: String) throws {
        let root = "/sys/fs/cgroup"
        // Version 2 alone, or the first of version 1 that is there.
        let isUnified = FileManager.default.fileExists(atPath: "\(root)/cgroup.controllers")
        parent = isUnified ? root : "\(root)/pids"
        path = "\(parent)/\(name)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    func take(_ pid: Int32) throws { try Command.must(["sh", "-c", "echo \(pid) >\(path)/cgroup.procs"]) }

    /// A group that has processes cannot be removed: they go back first.
    func remove() {
        _ = try? Command.run(
            [
                "sh", "-c",
                "for p in $(cat \(path)/cgroup.procs); do echo $p >\(parent)/cgroup.procs; done; rmdir \(path)",
            ])
    }
}
