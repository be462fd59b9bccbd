// The CNI plugin as a program, called as libcni calls it.

import Foundation
import Testing

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
            let container = try #require(house.taken.last?.put?.first)
            #expect(container.id == runtime.container && container.name == runtime.container)
            #expect(container.netns == "/run/netns/x")
            #expect(container.networks?.map(\.name) == ["front", "back"])
            #expect(container.networks?.map { $0.addresses ?? [] } == [["10.1.0.2"], ["10.2.0.2"]])
            #expect(container.networks?.first?.aliases == ["site"])
            #expect(house.taken.allSatisfy { $0.source == "cni" && $0.wait == true })
            #expect(house.taken.map { $0.networks?.map(\.name) ?? [] } == [["front"], ["back"]])
        }
    }

    @Test("takes one link after another back, and once more without an error")
    func deletes() throws {
        try lend { runtime in
            let house = runtime.plugin.house
            _ = try runtime.call("ADD")
            _ = try runtime.call("ADD", interface: "eth1", network: "back")
            #expect(try runtime.call("DEL").status == 0)
            #expect(house.taken.last?.put?.first?.networks?.map(\.name) == ["back"])
            for _ in 0..<2 {
                let output = try runtime.call("DEL", interface: "eth1", network: "back")
                #expect(output.status == 0 && output.out.isEmpty && output.err.isEmpty, "\(output)")
                #expect(house.taken.last?.gone == [runtime.container] && house.taken.last?.put == nil)
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
            #expect(house.taken.count == 2)
            let none = #","cni.dev/valid-attachments":[]"#
            #expect(try runtime.call("GC", network: network, version: "1.1.0", more: none).status == 0)
            #expect(house.taken.last?.put?.first?.networks?.map(\.name) == ["back"])
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
            #expect(runtime.plugin.house.taken.isEmpty)
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
