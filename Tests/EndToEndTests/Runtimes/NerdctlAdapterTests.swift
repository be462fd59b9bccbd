// intercom-runtimes nerdctl with records as nerdctl writes them, and with odd ones.

import Foundation
import Testing

@Suite("intercom-runtimes nerdctl", .needsRoot, .serialized)
struct NerdctlAdapterTests {
    private static func id(_ character: Character) -> String { String(repeating: character, count: 64) }

    /// nerdctl's data in a house, which need not be there yet.
    private struct Store {
        let house: AdapterHouse
        var directory: String { "\(house.directory)/nerdctl" }

        private func file(_ id: String, namespace: String) -> String {
            "\(directory)/1935db59/etchosts/\(namespace)/\(id)/meta.json"
        }

        /// As nerdctl does: the file is made, and then written in place.
        func write(_ id: String, _ name: String, pid: Int32, namespace: String = "default") throws {
            let text = """
                {"Namespace":"\(namespace)","ID":"\(id)","Networks":{"front":{"cniVersion":"1.0.0",
                "interfaces":[{"name":"br-1"},{"name":"veth1"},{"name":"eth0","sandbox":"/proc/\(pid)/ns/net"}],
                "ips":[{"interface":2,"address":"10.4.1.2/24","gateway":"10.4.1.1"}]}},
                "Hostname":"\(name)","ExtraHosts":{},"Name":"\(name)"}
                """
            try write(raw: text, id, namespace: namespace)
        }

        func write(raw text: String, _ id: String, namespace: String = "default") throws {
            let file = URL(fileURLWithPath: file(id, namespace: namespace))
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: false, encoding: .utf8)
        }

        /// nerdctl stop, which leaves the directory.
        func remove(_ id: String) throws {
            try FileManager.default.removeItem(atPath: file(id, namespace: "default"))
        }

        var options: [String] { ["nerdctl", "--directory", directory] }

        func startAdapter() throws {
            try house.start(
                ["\(house.directory)/intercom-runtimes"] + options + ["--control", house.control], log: "log")
        }
    }

    /// Control groups of containers, as containerd's shim makes them.
    private final class ControlGroups {
        private var directories: [String] = []

        /// Moves a process into a group that has an id in its name.
        func add(_ pid: Int32, _ id: String) throws {
            let root = try #require(
                ["/sys/fs/cgroup/unified", "/sys/fs/cgroup", "/sys/fs/cgroup/pids"].first {
                    FileManager.default.fileExists(atPath: "\($0)/cgroup.procs")
                })
            let directory = "\(root)/nerdctl-\(id).scope"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            directories.append(directory)
            try Command.must(["sh", "-c", "echo \(pid) >\(directory)/cgroup.procs"])
        }

        func remove() {
            for directory in directories {
                _ = eventually { (try? Command.run(["rmdir", directory]))?.status == 0 }
            }
        }
    }

    /// Lends a store with two containers' processes, in their control groups.
    private static func lend(_ body: (Store, [Int32]) throws -> Void) throws {
        let groups = ControlGroups()
        defer { groups.remove() }
        let store = Store(house: try AdapterHouse())
        var processes: [Process] = []
        defer { for process in processes { store.house.stop(process) } }
        for character in "ab" {
            processes.append(try store.house.start(["sleep", "600"], log: "sleep").process)
            try groups.add(processes[processes.count - 1].processIdentifier, id(character))
        }
        try body(store, processes.map(\.processIdentifier))
    }

    @Test("--once prints what it would publish: name, process, address, and the bridge of the network")
    func once() throws {
        try Self.lend { store, pids in
            #expect(try store.house.program(store.options + ["--once"]).status == 0, "nothing is there yet")
            try store.write(Self.id("a"), "web", pid: pids[0])
            try store.write(Self.id("b"), "db.1", pid: pids[1], namespace: "other")
            let output = try store.house.program(store.options + ["--once"])
            #expect(output.status == 0 && output.err.isEmpty, "\(output)")
            let call = try JSONDecoder().decode(AdapterHouse.Call.self, from: Data(output.out.utf8))
            #expect(call.source == "nerdctl" && call.networks?.map(\.name) == ["front"])
            #expect(output.out.contains(#""interface" : "br-1""#))
            #expect(call.containers?.map(\.name) == ["web", "db.1"])
            #expect(call.containers?.map(\.pid) == pids.map { Int($0) })
            #expect(call.containers?.first?.networks?.first?.addresses == ["10.4.1.2"])
            let refused = try store.house.program(["nerdctl", "--once", "--directory", "/etc/passwd"])
            #expect(refused.status == 1 && refused.err == "intercom-runtimes: opendir /etc/passwd: Not a directory\n")
        }
    }

    @Test("Containers that start, are renamed and stop are published at once, also where the directory comes later")
    func follows() throws {
        try Self.lend { store, pids in
            let house = store.house
            try house.startControl()
            try store.startAdapter()
            #expect(eventually { house.taken.count == 1 }, "\(house.log)")
            try store.write(Self.id("a"), "web", pid: pids[0])
            #expect(eventually { house.known.containers == [Self.id("a"): "web"] }, "\(house.log)")
            let start = ContinuousClock.now
            try store.write(Self.id("b"), "db", pid: pids[1])
            #expect(eventually { house.known.containers[Self.id("b")] == "db" }, "\(house.log)")
            #expect(ContinuousClock.now - start < .milliseconds(300), "\(ContinuousClock.now - start)")
            // nerdctl rename
            try store.write(Self.id("b"), "shop", pid: pids[1])
            #expect(eventually { house.known.containers[Self.id("b")] == "shop" }, "\(house.log)")
            try store.remove(Self.id("b"))
            #expect(eventually { house.known.containers == [Self.id("a"): "web"] }, "\(house.log)")
            // nerdctl start
            try store.write(Self.id("b"), "shop", pid: pids[1])
            #expect(eventually { house.known.containers[Self.id("b")] == "shop" }, "\(house.log)")
            try FileManager.default.removeItem(atPath: store.directory)
            #expect(eventually { house.known.containers.isEmpty && house.known.networks.isEmpty }, "\(house.log)")
            try store.write(Self.id("a"), "web", pid: pids[0])
            #expect(eventually { house.known.containers == [Self.id("a"): "web"] }, "\(house.log)")
            #expect(house.log.count == 1, "\(house.log)")
        }
    }

    @Test("A record that was left behind is passed over: its process is none of the container's")
    func leftBehind() throws {
        try Self.lend { store, pids in
            // The other container's process, one that is nobody's, one that is not there, and none.
            for (number, pid) in [pids[1], getpid(), 4_194_304, 0].enumerated() {
                try store.write(Self.id(Character("\(number)")), "old\(number)", pid: pid)
            }
            try store.write(Self.id("a"), "web", pid: pids[0])
            let output = try store.house.program(store.options + ["--once"])
            let call = try JSONDecoder().decode(AdapterHouse.Call.self, from: Data(output.out.utf8))
            #expect(call.containers?.map(\.name) == ["web"], "\(output)")
            #expect(output.err.isEmpty, "\(output)")
        }
    }

    @Test(
        "Records that are torn or odd do no harm to others, and are said once",
        arguments: ["", "{", "[]", #"{"ID":"../../etc/passwd"}"#, "\u{0}\u{1B}[31m"])
    func odd(text: String) throws {
        try Self.lend { store, pids in
            let house = store.house
            try house.startControl()
            try store.write(raw: text, Self.id("c"))
            try Command.must(["mkfifo", "\(store.directory)/1935db59/etchosts/default/pipe"])
            try Command.must(["ln", "-s", "/dev/zero", "\(store.directory)/zero"])
            try store.write(Self.id("a"), "web", pid: pids[0])
            try store.startAdapter()
            #expect(eventually { house.known.containers[Self.id("a")] == "web" }, "\(house.log)")
            try store.write(Self.id("b"), "db", pid: pids[1])
            #expect(eventually { house.known.containers[Self.id("b")] == "db" }, "\(house.log)")
            #expect(house.log.filter { $0.contains("meta.json is passed over") }.count == 1, "\(house.log)")
            #expect(house.log.count == 2 && !house.log.joined().contains("\u{1B}"), "\(house.log)")
        }
    }
}
