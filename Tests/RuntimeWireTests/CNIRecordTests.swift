// Attachments of one container, put together from calls of the CNI plugin.

import DNSWire
import Testing

@testable import RuntimeWire

@Suite("The record of a container's attachments by CNI")
struct CNIRecordTests {
    private static func call(
        _ network: String, _ interface: String, address: String, container: String = "web",
        path: String = "/run/netns/web", aliases: String = "[]", arguments: String = ""
    ) throws -> CNICall {
        let environment = [
            "CNI_COMMAND": "ADD", "CNI_CONTAINERID": container, "CNI_NETNS": path, "CNI_IFNAME": interface,
            "CNI_ARGS": arguments,
        ]
        let text = """
            {"cniVersion":"1.0.0","name":"\(network)","type":"intercom","runtimeConfig":{"aliases":\(aliases)},
            "prevResult":{"ips":[{"address":"\(address)"}]}}
            """
        return try CNICall(environment: environment, configuration: Array(text.utf8))
    }

    @Test("has a network for each link, and loses it with the link")
    func links() throws {
        var record = CNIRecord(try Self.call("front", "eth0", address: "10.1.0.2/24", aliases: #"["site"]"#))
        record.add(try Self.call("back", "eth1", address: "10.2.0.2/24"))
        #expect(record.networks == ["front", "back"])
        let published = record.published
        #expect(published.id == "web" && published.name == "web" && published.namespacePath == "/run/netns/web")
        #expect(published.pid == nil && published.endpoints.map(\.network) == ["front", "back"])
        #expect(published.endpoints.map(\.aliases) == [["site"], []])
        #expect(published.endpoints.map { $0.addresses.map(\.description) } == [["10.1.0.2"], ["10.2.0.2"]])
        // The same link once more replaces what was there.
        record.add(try Self.call("front", "eth0", address: "10.1.0.3/24"))
        #expect(record.networks == ["back", "front"])
        record.remove(interface: "eth1")
        record.remove(interface: "eth7")
        #expect(record.networks == ["front"] && !record.isEmpty)
        record.remove(interface: "eth0")
        #expect(record.isEmpty)
    }

    @Test("keeps what GC names, and what is on other networks")
    func collection() throws {
        var record = CNIRecord(try Self.call("front", "eth0", address: "10.1.0.2/24"))
        record.add(try Self.call("back", "eth1", address: "10.2.0.2/24"))
        record.keep([CNICall.Attachment(container: "web", interface: "eth0")], on: "front")
        #expect(record.networks == ["front", "back"])
        record.keep([CNICall.Attachment(container: "other", interface: "eth0")], on: "front")
        #expect(record.networks == ["back"])
    }

    @Test(
        "has the id and the name that people know the container by",
        arguments: [
            ("web", "", "web", "web"), ("default-web", "", "web", "web"),
            ("k8s.io-web", "", "k8s.io-web", "k8s.io-web"),
            ("default-" + String(repeating: "a1", count: 32), "", String(repeating: "a1", count: 32), "a1a1a1a1a1a1"),
            (String(repeating: "b2", count: 32), "", String(repeating: "b2", count: 32), "b2b2b2b2b2b2"),
            (String(repeating: "b2", count: 32), "K8S_POD_NAME=shop", String(repeating: "b2", count: 32), "shop"),
            (String(repeating: "x", count: 70), "", String(repeating: "x", count: 70), "xxxxxxxxxxxx"),
        ])
    func identity(container: String, arguments: String, id: String, name: String) throws {
        let call = try Self.call("front", "eth0", address: "10.1.0.2/24", container: container, arguments: arguments)
        let published = CNIRecord(call).published
        #expect(published.id == id && published.name == name)
    }

    @Test(
        "has a process instead of a path below /proc",
        arguments: [
            ("/proc/4711/ns/net", 4711), ("/proc/self/ns/net", nil), ("/proc/0/ns/net", nil), ("/run/netns/x", nil),
            ("/proc/99999999999/ns/net", nil), ("/proc/4711/ns/mnt", nil),
        ] as [(String, Int32?)])
    func process(path: String, pid: Int32?) throws {
        let published = CNIRecord(try Self.call("front", "eth0", address: "10.1.0.2/24", path: path)).published
        #expect(published.pid == pid && published.namespacePath == (pid == nil ? path : nil))
    }

    @Test("is the same when it was kept in a file; a file that is torn is refused")
    func file() throws {
        let record = CNIRecord(
            try Self.call("front", "eth0", address: "fd00::2/64", aliases: #"["a\"b"]"#, arguments: "K8S_POD_NAME=shop")
        )
        #expect(try CNIRecord(Array(record.text.utf8)) == record)
        for text in ["", "{}", "[]", String(record.text.prefix(40))] {
            #expect(throws: RuntimeWireError.self) { try CNIRecord(Array(text.utf8)) }
        }
    }
}
