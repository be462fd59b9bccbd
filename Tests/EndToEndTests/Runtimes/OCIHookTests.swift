// The OCI hook as a program: its exit status, its time, and its one line when something is wrong.

import Foundation
import Testing

@Suite("The OCI hook")
struct OCIHookTests {
    private static let id = String(repeating: "c", count: 64)

    /// A bundle as podman makes them: configuration, resolv.conf, and a record of names beside it.
    private static func bundle(in house: AdapterHouse) throws -> String {
        let directory = "\(house.directory)/overlay-containers/\(id)/userdata"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let configuration = """
            {"hostname":"cccccccccccc","root":{"path":"/nowhere"},"linux":{"namespaces":[{"type":"network"}]},
            "mounts":[{"destination":"/etc/resolv.conf","source":"\(directory)/resolv.conf"}]}
            """
        try configuration.write(toFile: "\(directory)/config.json", atomically: true, encoding: .utf8)
        try "search dns.podman\nnameserver 10.89.0.1\nnameserver fd00:89::1\n".write(
            toFile: "\(directory)/resolv.conf", atomically: true, encoding: .utf8)
        try #"[{"id":"\#(id)","names":["shop.db"]}]"#.write(
            toFile: "\(house.directory)/overlay-containers/containers.json", atomically: true, encoding: .utf8)
        return directory
    }

    @Test(
        "publishes a container with its name, process and resolver addresses and waits until it is attached"
    )
    func publishes() throws {
        let house = try AdapterHouse()
        try house.startControl()
        let hook = try HookProgram("oci-hook", in: house)
        let pid = try house.isolatedProcess()
        let bundle = try Self.bundle(in: house)
        let state =
            #"{"ociVersion":"1.0.2","id":"\#(Self.id)","status":"creating","pid":\#(pid),"bundle":"\#(bundle)"}"#
        var times: [Duration] = []
        for _ in 0..<10 {
            let (output, time) = try hook.run(["--control", house.control], input: state)
            #expect(output.status == 0 && output.err.isEmpty && output.out.isEmpty, "\(output)")
            times.append(time)
        }
        // The fastest of ten, as this machine has other work; without what it takes us to run any program and see its end.
        let idle = try (1...5).map { _ in try HookProgram.timeOfNothing() }.min() ?? .zero
        #expect(
            times.min().map { $0 - idle < HookProgram.limit(.milliseconds(30)) } == true,
            "\(times), \(idle) for nothing")
        let call = try #require(house.taken.last)
        #expect(call.method == "Update" && call.source == "oci" && call.wait == true)
        let container = try #require(call.put?.first)
        #expect(container.id == Self.id && container.name == "shop.db" && container.pid == Int(pid))
        #expect(container.hostname == nil && container.networks == nil)
        #expect(container.intercept == ["10.89.0.1", "fd00:89::1"])
    }

    @Test("takes a container back that has stopped")
    func stops() throws {
        let house = try AdapterHouse()
        try house.startControl()
        let (output, _) = try HookProgram("oci-hook", in: house).run(
            ["--control", house.control], input: #"{"id":"\#(Self.id)","status":"stopped","pid":0,"bundle":"/x"}"#)
        #expect(output.status == 0 && output.err.isEmpty, "\(output)")
        #expect(house.taken.map(\.gone) == [[Self.id]] && house.taken.first?.source == "oci")
    }

    @Test("says nothing of a container in the host's namespace, nor of one without a process")
    func hostNetwork() throws {
        let house = try AdapterHouse()
        try house.startControl()
        let hook = try HookProgram("oci-hook", in: house)
        for state in [#"{"id":"a","pid":\#(getpid())}"#, #"{"id":"a","pid":0}"#, #"{"id":"a"}"#] {
            let (output, _) = try hook.run(["--control", house.control], input: state)
            #expect(output.status == 0 && output.err.isEmpty, "\(output)")
        }
        #expect(house.taken.isEmpty)
    }

    /// A mode of the daemon's socket, words of the hook's line, and the longest time that it takes.
    private static let faults: [(mode: String?, line: String, limit: Duration)] = [
        (nil, "no daemon at ", .milliseconds(100)), ("hang", "does not answer", .milliseconds(1500)),
        ("refuse:cccc", "the daemon refused: bad value", .milliseconds(100)),
    ]

    @Test(
        "exits with 0 and one line, and holds no container up, where the daemon is not well", arguments: faults.indices)
    func daemonAway(index: Int) throws {
        let (mode, line, limit) = Self.faults[index]
        let house = try AdapterHouse()
        if let mode { try house.startControl(mode) }
        let hook = try HookProgram("oci-hook", in: house)
        let state = #"{"id":"\#(Self.id)","pid":\#(try house.isolatedProcess())}"#
        var times: [Duration] = []
        for _ in 0..<3 {
            let (output, time) = try hook.run(["--control=\(house.control)"], input: state)
            #expect(output.status == 0 && output.out.isEmpty)
            #expect(output.err.contains(line) && output.err.split(separator: "\n").count == 1, "\(output)")
            times.append(time)
        }
        #expect(times.min().map { $0 < HookProgram.limit(limit) } == true, "\(times)")
    }

    @Test(
        "exits with 0 and one line where its input is none",
        arguments: [
            "", "{", "[]", #"{"id":""}"#, "\u{0}\n\u{1B}[31m", String(repeating: " ", count: 1 << 20 + 1),
            #"{"id":"a","annotations":{"a":1}}"#,
        ])
    func badInput(input: String) throws {
        let house = try AdapterHouse()
        let (output, _) = try HookProgram("oci-hook", in: house).run([], input: input)
        #expect(output.status == 0 && output.out.isEmpty)
        #expect(output.err.hasPrefix("intercom-oci-hook: no container is published: "), "\(output)")
        #expect(output.err.split(separator: "\n").count == 1 && !output.err.contains("\u{1B}"))
    }

    @Test("does not wait for ever for input that does not end")
    func endlessInput() throws {
        let house = try AdapterHouse()
        let hook = try HookProgram("oci-hook", in: house)
        // Its standard input stays open, as long as the house is there.
        let (process, _) = try house.start([hook.path], log: "log")
        #expect(eventually(within: 5) { !process.isRunning } && process.terminationStatus == 0)
        #expect(house.log.count == 1 && house.log.first?.contains("standard input") == true, "\(house.log)")
    }

    @Test(
        "reads no resolv.conf of a bundle but a small regular file",
        arguments: ["mkfifo", "ln -s /dev/zero", "ln -s /etc/shadow.none", "truncate -s 10M", "mkdir"])
    func oddResolver(maker: String) throws {
        let house = try AdapterHouse()
        try house.startControl()
        let bundle = try Self.bundle(in: house)
        try Command.must(["sh", "-c", "rm \(bundle)/resolv.conf && \(maker) \(bundle)/resolv.conf"])
        let state = #"{"id":"\#(Self.id)","pid":\#(try house.isolatedProcess()),"bundle":"\#(bundle)"}"#
        let (output, _) = try HookProgram("oci-hook", in: house).run(["--control", house.control], input: state)
        #expect(output.status == 0 && output.err.isEmpty, "\(output)")
        let container = try #require(house.taken.first?.put?.first)
        #expect(container.name == "shop.db" && container.intercept == nil)
    }

    @Test("publishes a container of which it can read nothing but the state")
    func bareState() throws {
        let house = try AdapterHouse()
        try house.startControl()
        let hook = try HookProgram("oci-hook", in: house)
        let pid = try house.isolatedProcess()
        for bundle in ["/nonexistent", "", "/dev/zero", "/etc"] {
            let state = #"{"id":"web","pid":\#(pid),"bundle":"\#(bundle)"}"#
            let (output, _) = try hook.run(["--control", house.control], input: state)
            #expect(output.status == 0 && output.err.isEmpty, "\(output)")
            #expect(
                house.taken.last?.put?.first?.name == "web" && house.taken.last?.put?.first?.intercept == nil)
        }
    }
}
