// Hooks of runtimes and the CNI plugin as programs: their exit status, their time, and their one line when something is wrong.

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

/// A call that a hook has made, as Kit/control.py has taken it down.
struct HookCall: Decodable {
    struct Network: Decodable { var name: String }
    struct Container: Decodable {
        struct Attachment: Decodable {
            var name: String
            var addresses: [String]?
            var aliases: [String]?
        }
        var id: String
        var name: String
        var hostname: String?
        var pid: Int?
        var netns: String?
        var networks: [Attachment]?
        var intercept: [String]?
    }
    var method: String
    var source: String
    var networks: [Network]?
    var put: [Container]?
    var gone: [String]?
    var wait: Bool?
}

extension AdapterHouse {
    /// Calls of hooks that the control socket has taken.
    fileprivate var hookCalls: [HookCall] {
        let text = (try? String(contentsOfFile: "\(directory)/calls", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { try? JSONDecoder().decode(HookCall.self, from: Data($0.utf8)) }
    }
}

/// A process in a network namespace of its own, for as long as the test runs.
private func process(in house: AdapterHouse) throws -> Int32 {
    let process = try house.start(["unshare", "--net", "sleep", "600"], log: "sleep").process
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
    let pid = process.processIdentifier
    _ = eventually {
        let name = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)
        return name == "sleep\n"
            && (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/net")) != own
    }
    return pid
}

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
        let pid = try process(in: house)
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
        let call = try #require(house.hookCalls.last)
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
        #expect(house.hookCalls.map(\.gone) == [[Self.id]] && house.hookCalls.first?.source == "oci")
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
        #expect(house.hookCalls.isEmpty)
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
        let state = #"{"id":"\#(Self.id)","pid":\#(try process(in: house))}"#
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
        let state = #"{"id":"\#(Self.id)","pid":\#(try process(in: house)),"bundle":"\#(bundle)"}"#
        let (output, _) = try HookProgram("oci-hook", in: house).run(["--control", house.control], input: state)
        #expect(output.status == 0 && output.err.isEmpty, "\(output)")
        let container = try #require(house.hookCalls.first?.put?.first)
        #expect(container.name == "shop.db" && container.intercept == nil)
    }

    @Test("publishes a container of which it can read nothing but the state")
    func bareState() throws {
        let house = try AdapterHouse()
        try house.startControl()
        let hook = try HookProgram("oci-hook", in: house)
        let pid = try process(in: house)
        for bundle in ["/nonexistent", "", "/dev/zero", "/etc"] {
            let state = #"{"id":"web","pid":\#(pid),"bundle":"\#(bundle)"}"#
            let (output, _) = try hook.run(["--control", house.control], input: state)
            #expect(output.status == 0 && output.err.isEmpty, "\(output)")
            #expect(
                house.hookCalls.last?.put?.first?.name == "web" && house.hookCalls.last?.put?.first?.intercept == nil)
        }
    }
}

@Suite("The LXC hook")
struct LXCHookTests {
    @Test("publishes the container of its environment")
    func publishes() throws {
        let house = try AdapterHouse()
        try house.startControl()
        let pid = try process(in: house)
        let (output, _) = try HookProgram("lxc-hook", in: house).run(
            ["--control", house.control, "web", "lxc", "start-host"],
            environment: ["LXC_NAME=web", "LXC_PID=\(pid)", "LXC_HOOK_TYPE=start-host"])
        #expect(output.status == 0 && output.err.isEmpty, "\(output)")
        #expect(house.hookCalls.first?.source == "lxc" && house.hookCalls.first?.wait == true)
        #expect(house.hookCalls.first?.put?.first?.name == "web" && house.hookCalls.first?.put?.first?.pid == Int(pid))
    }

    @Test("takes the container back behind its end")
    func stops() throws {
        let house = try AdapterHouse()
        try house.startControl()
        let (output, _) = try HookProgram("lxc-hook", in: house).run(
            ["--control", house.control, "web", "lxc", "post-stop"], environment: ["LXC_NAME=web"])
        #expect(output.status == 0 && output.err.isEmpty, "\(output)")
        #expect(house.hookCalls.map(\.gone) == [["web"]] && house.hookCalls.first?.source == "lxc")
    }

    @Test("exits with 0 and one line without that environment, and without a daemon")
    func alone() throws {
        let house = try AdapterHouse()
        let hook = try HookProgram("lxc-hook", in: house)
        let pid = try process(in: house)
        for environment in [[], ["LXC_NAME=web"], ["LXC_NAME=web", "LXC_PID=\(pid)"]] {
            let (output, _) = try hook.run(["--control", house.control], environment: environment)
            #expect(output.status == 0 && output.err.hasPrefix("intercom-lxc-hook: "), "\(output)")
            #expect(output.err.split(separator: "\n").count == 1)
        }
    }
}

@Suite("The CNI plugin")
struct CNIPluginTests {
    /// Calls of a runtime, as libcni makes them, about one container.
    private struct Runtime {
        let plugin: HookProgram
        let container = "ic\(UInt32.random(in: 0...UInt32.max))"
        var control: String { plugin.house.control }

        func call(
            _ command: String, interface: String = "eth0", network: String = "front", address: String = "10.1.0.2/24",
            version: String = "1.0.0", more: String = "", container: String? = nil
        ) throws -> Output {
            let previous =
                #"{"cniVersion":"\#(version)","interfaces":[{"name":"lo"},{"name":"\#(interface)","sandbox":"/run/netns/x"}],"#
                + #""ips":[{"address":"\#(address)","interface":1}],"dns":{}}"#
            let configuration =
                #"{"cniVersion":"\#(version)","name":"\#(network)","type":"intercom","control":"\#(control)""#
                + #","prevResult":\#(previous)\#(more)}"#
            return try plugin.run(
                [],
                environment: [
                    "CNI_COMMAND=\(command)", "CNI_CONTAINERID=\(container ?? self.container)",
                    "CNI_NETNS=/run/netns/x", "CNI_IFNAME=\(interface)", "CNI_PATH=/opt/cni/bin",
                ], input: configuration
            ).output
        }

        /// Removes what a test may have left between calls.
        func forget() { try? FileManager.default.removeItem(atPath: "/run/intercom-cni/\(container).json") }
    }

    private func lend(_ mode: String? = "", _ body: (Runtime) throws -> Void) throws {
        let house = try AdapterHouse()
        if let mode { try house.startControl(mode) }
        let runtime = Runtime(plugin: try HookProgram("intercom", in: house))
        defer { runtime.forget() }
        try body(runtime)
    }

    @Test(
        "publishes a container with a network for each link, and passes each result on",
        arguments: ["0.4.0", "1.0.0", "1.1.0"])
    func adds(version: String) throws {
        try lend { runtime in
            let house = runtime.plugin.house
            let aliases = #","runtimeConfig":{"aliases":["site"]}"#
            let first = try runtime.call("ADD", version: version, more: aliases)
            #expect(first.status == 0 && first.err.isEmpty, "\(first)")
            #expect(first.out.contains(#""address":"10.1.0.2/24""#) && !first.out.contains("prevResult"))
            let second = try runtime.call(
                "ADD", interface: "eth1", network: "back", address: "10.2.0.2/24", version: version)
            #expect(second.status == 0)
            let container = try #require(house.hookCalls.last?.put?.first)
            #expect(container.id == runtime.container && container.name == runtime.container)
            #expect(container.netns == "/run/netns/x")
            #expect(container.networks?.map(\.name) == ["front", "back"])
            #expect(container.networks?.map { $0.addresses ?? [] } == [["10.1.0.2"], ["10.2.0.2"]])
            #expect(container.networks?.first?.aliases == ["site"])
            #expect(house.hookCalls.allSatisfy { $0.source == "cni" && $0.wait == true })
            #expect(house.hookCalls.map { $0.networks?.map(\.name) ?? [] } == [["front"], ["back"]])
        }
    }

    @Test("takes one link after another back, and once more without an error")
    func deletes() throws {
        try lend { runtime in
            let house = runtime.plugin.house
            _ = try runtime.call("ADD")
            _ = try runtime.call("ADD", interface: "eth1", network: "back")
            #expect(try runtime.call("DEL").status == 0)
            #expect(house.hookCalls.last?.put?.first?.networks?.map(\.name) == ["back"])
            for _ in 0..<2 {
                let output = try runtime.call("DEL", interface: "eth1", network: "back")
                #expect(output.status == 0 && output.out.isEmpty && output.err.isEmpty, "\(output)")
                #expect(house.hookCalls.last?.gone == [runtime.container] && house.hookCalls.last?.put == nil)
            }
        }
    }

    @Test("forgets links that GC does not name, on that network alone")
    func collects() throws {
        try lend { runtime in
            let house = runtime.plugin.house
            let network = "gc\(runtime.container)"
            _ = try runtime.call("ADD", network: network)
            _ = try runtime.call("ADD", interface: "eth1", network: "back")
            let valid = #","cni.dev/valid-attachments":[{"containerID":"\#(runtime.container)","ifname":"eth0"}]"#
            #expect(try runtime.call("GC", network: network, version: "1.1.0", more: valid).status == 0)
            #expect(house.hookCalls.count == 2)
            let none = #","cni.dev/valid-attachments":[]"#
            #expect(try runtime.call("GC", network: network, version: "1.1.0", more: none).status == 0)
            #expect(house.hookCalls.last?.put?.first?.networks?.map(\.name) == ["back"])
        }
    }

    @Test(
        "lets a container start, stop and be checked where the daemon is not well",
        arguments: [nil, "hang", "refuse:eth"])
    func daemonAway(mode: String?) throws {
        try lend(mode) { runtime in
            for command in ["ADD", "CHECK", "DEL", "STATUS", "GC"] {
                let output = try runtime.call(command)
                #expect(output.status == 0, "\(command): \(output)")
                #expect(output.err.split(separator: "\n").count <= 1)
                #expect((command == "ADD") == output.out.contains("10.1.0.2/24"))
            }
        }
    }

    @Test("refuses a call that the specification does not allow, in its form")
    func refuses() throws {
        try lend { runtime in
            for (output, code) in [
                (try runtime.call("FLY"), 4), (try runtime.call("ADD", container: "../../etc/x"), 4),
                (try runtime.call("ADD", version: "0.3.1"), 1),
            ] {
                #expect(output.status == 1 && output.out.contains(#""code":\#(code),"#), "\(output)")
            }
            #expect(runtime.plugin.house.hookCalls.isEmpty)
        }
    }

    @Test("says which versions it speaks")
    func version() throws {
        try lend { runtime in
            let output = try runtime.plugin.run(
                [], environment: ["CNI_COMMAND=VERSION"], input: #"{"cniVersion":"1.0.0"}"#)
            #expect(output.output.out.contains(#""supportedVersions":["0.4.0","1.0.0","1.1.0"]"#))
        }
    }
}
