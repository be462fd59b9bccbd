// Input of runtimes' hooks, and the container that they publish of it.

import DNSWire
import Testing

@testable import RuntimeWire

private func octets(_ text: String) -> [UInt8] { Array(text.utf8) }

/// As podman, Docker and nerdctl make ids up.
private let id = "4c01db0b339c" + String(repeating: "0", count: 52)

@Suite("The configuration of an OCI bundle")
struct OCIConfigurationTests {
    @Test("says which namespace, which root and which resolv.conf a container has")
    func whole() throws {
        let configuration = try OCIConfiguration(
            octets(
                """
                {"ociVersion":"1.0.2","process":{"args":["sh"]},"root":{"path":"/images/web"},"hostname":"site",
                "mounts":[{"destination":"/proc","type":"proc"},{"destination":"/etc/resolv.conf","source":"/a"},
                {"destination":"/etc/resolv.conf","type":"bind","source":"/run/web/resolv.conf","options":["bind"]}],
                "linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/run/netns/x"}],"seccomp":{"a":[1]}}}
                """))
        #expect(configuration.hostname == "site" && configuration.root == "/images/web")
        #expect(configuration.namespace == .own && configuration.resolverFile == "/run/web/resolv.conf")
    }

    @Test(
        "without a network namespace is a container of the host's",
        arguments: [
            ("{}", OCIConfiguration.Namespace.host), (#"{"linux":{}}"#, .host), (#"{"linux":null}"#, .host),
            (#"{"linux":{"namespaces":[]}}"#, .host), (#"{"linux":{"namespaces":[{"type":"pid"}]}}"#, .host),
            (#"{"linux":{"namespaces":[{"type":"network"}]}}"#, .own),
        ])
    func namespaces(text: String, namespace: OCIConfiguration.Namespace) throws {
        let configuration = try OCIConfiguration(octets(text))
        #expect(configuration.namespace == namespace && configuration.resolverFile == nil)
        #expect(configuration.root == "rootfs" && configuration.hostname == nil)
    }

    @Test("that is torn, of another form or too long is refused")
    func damaged() {
        for text in ["", "[]", "null", #"{"mounts":{}}"#, #"{"linux":{"namespaces":[1]}}"#, #"{"hostname":1}"#] {
            #expect(throws: RuntimeWireError.self, "\(text)") { try OCIConfiguration(octets(text)) }
        }
        #expect(throws: RuntimeWireError.self) {
            try OCIConfiguration([UInt8](repeating: 0x20, count: OCIConfiguration.maximumLength + 1))
        }
    }
}

@Suite("The container of an OCI hook")
struct OCIContainerTests {
    /// Id, annotations, hostname, the engine's record; name and hostname that are published.
    private static let names: [(String, String, String?, String?, String, String?)] = [
        ("web", "{}", nil, nil, "web", nil),
        ("web", "{}", "site", nil, "web", "site"),
        (id, "{}", nil, nil, "4c01db0b339c", nil),
        (id, "{}", "4c01db0b339c", nil, "4c01db0b339c", nil),
        (id, "{}", "site", nil, "site", "site"),
        (id, "{}", "4c01db0b339c", "db.1", "db.1", nil),
        (id, #"{"nerdctl/name":"web","nerdctl/hostname":"h"}"#, nil, nil, "web", "h"),
        (id, #"{"io.kubernetes.pod.name":"shop-0","io.kubernetes.container.name":"app"}"#, nil, nil, "shop-0", nil),
        (id, #"{"nerdctl/name":"no name"}"#, nil, "web", "web", nil),
        ("a/b c", "{}", nil, nil, "a/b c", nil),
    ]

    @Test(
        "is called as its engine calls it, else by its own id, its hostname or the beginning of its id",
        arguments: names)
    func name(
        id: String, annotations: String, hostname: String?, record: String?, name: String, published: String?
    ) throws {
        let state = try OCIState(octets(#"{"id":"\#(id)","pid":4711,"annotations":\#(annotations)}"#))
        let entry = hostname.map { #","hostname":"\#($0)""# } ?? ""
        let configuration = try OCIConfiguration(
            octets(#"{"linux":{"namespaces":[{"type":"network"}]}\#(entry)}"#))
        let container = try #require(state.container(configuration: configuration, record: record))
        #expect(container.name == name && container.hostname == published)
        #expect(container.id == id && container.pid == 4711)
    }

    @Test("is none without a process, and none in the host's namespace")
    func none() throws {
        let stopped = try OCIState(octets(#"{"id":"web","status":"stopped"}"#))
        #expect(stopped.container(configuration: nil, record: nil) == nil)
        let running = try OCIState(octets(#"{"id":"web","pid":1}"#))
        #expect(running.container(configuration: try OCIConfiguration(octets("{}")), record: nil) == nil)
        // A configuration that cannot be read says nothing.
        #expect(running.container(configuration: nil, record: nil)?.name == "web")
    }

    @Test(
        "has podman's records beside its bundle",
        arguments: [
            ("/s/overlay-containers/web/userdata", "/s/overlay-containers"), ("/run/bundles/web", nil), ("", nil),
            ("/s/other/userdata", nil),
        ] as [(String, String?)])
    func records(bundle: String, directory: String?) throws {
        #expect(try OCIState(octets(#"{"id":"web","bundle":"\#(bundle)"}"#)).recordDirectory == directory)
    }

    @Test("has the name of podman's record, if there is one")
    func record() throws {
        let text = #"[{"id":"a","names":["web","b"],"layer":"x"},{"id":"b"},{"id":"c","names":[]},{"names":["d"]}]"#
        let names = try ["a", "b", "c", "d"].map { try PodmanRecords.name(of: $0, in: octets(text)) }
        #expect(names == ["web", nil, nil, nil])
        for text in ["", "{}", #"[{"id":1}]"#, #"[{"id":"a","na"#] {
            #expect(throws: RuntimeWireError.self) { try PodmanRecords.name(of: "a", in: octets(text)) }
        }
    }
}

@Suite("A container's resolv.conf")
struct ResolverFileTests {
    @Test(
        "names servers, of which eight are taken",
        arguments: [
            ("nameserver 10.89.0.1\nnameserver fd00::1\nsearch dns.podman\n", ["10.89.0.1", "fd00::1"]),
            (
                "# nameserver 1.1.1.1\n nameserver 1.1.1.2\nnameserver\t1.1.1.3 # mine\nnameserver\nnameservers 1.1.1.4",
                ["1.1.1.3"]
            ),
            ("nameserver 127.1\nnameserver x\nnameserver fe80::1%eth0\nnameserver 127.0.0.1", ["127.0.0.1"]), ("", []),
            (
                (1...300).map { "nameserver 10.0.\($0 / 250).\($0 % 250)\n" }.joined(),
                (1...8).map { "10.0.0.\($0)" }
            ),
        ])
    func servers(text: String, servers: [String]) {
        #expect(ResolverFile.servers(text).map(\.description) == servers)
    }
}

@Suite("The container of an LXC hook")
struct LXCStartTests {
    @Test("has LXC's name and process")
    func whole() throws {
        let container = try LXCStart.container(["LXC_NAME": "web", "LXC_PID": "4711", "LXC_HOOK_TYPE": "start-host"])
        #expect(container.name == "web" && container.id == "web" && container.pid == 4711)
    }

    @Test(
        "needs both",
        arguments: [
            [:], ["LXC_NAME": "web"], ["LXC_PID": "1"], ["LXC_NAME": "", "LXC_PID": "1"],
            ["LXC_NAME": "web", "LXC_PID": "0"], ["LXC_NAME": "web", "LXC_PID": "-1"],
            ["LXC_NAME": "web", "LXC_PID": "x"],
            ["LXC_NAME": "web", "LXC_PID": "99999999999"],
        ])
    func missing(environment: [String: String]) {
        #expect(throws: RuntimeWireError.self) { try LXCStart.container(environment) }
    }
}

@Suite("The directory of aardvark-dns")
struct AardvarkDirectoryTests {
    @Test("has each container once, with an endpoint for each of its networks")
    func whole() throws {
        let files = try [
            ("front", "10.89.0.1\n\(id) 10.89.0.2  web,site,4c01db0b339c\n"),
            ("back%int", "10.89.1.1\n\(id) 10.89.1.2 fd00::2 web,4c01db0b339c\n5d02 10.89.1.3  db.1,5d02\ntorn 10."),
        ].map { try #require(try AardvarkNetwork(file: $0.0, octets($0.1))) }
        let definition = try PodmanNetwork(
            octets(
                """
                {"name":"front","id":"e2a6","driver":"bridge","network_interface":"podman1",
                "subnets":[{"subnet":"10.89.0.0/24","gateway":"10.89.0.1"}],"internal":false,"dns_enabled":true}
                """))
        let directory = AardvarkDirectory(files, definitions: [definition])
        #expect(directory.networks.map(\.name) == ["back", "front"] && directory.passedOver == 1)
        #expect(directory.networks.map(\.isInternal) == [true, false])
        #expect(directory.networks.map(\.interface) == [nil, "podman1"])
        #expect(directory.networks.map(\.subnets) == [[], ["10.89.0.0/24"]])
        let containers = directory.containers
        #expect(containers.map(\.id) == [id, "5d02"] && containers.map(\.name) == ["web", "db.1"])
        #expect(containers.map { $0.endpoints.map(\.network) } == [["back", "front"], ["back"]])
        #expect(containers.map { $0.endpoints.map(\.aliases) } == [[[], ["site"]], [[]]])
        #expect(containers[0].endpoints[0].addresses.map(\.description) == ["10.89.1.2", "fd00::2"])
    }

    @Test(
        "lacks a container that it had on a network before",
        arguments: [
            ("10.0.0.1\na 10.0.0.2  x\n", false), ("10.0.0.1\na 10.0.0.3  y\nb 10.0.0.4  z\n", false), ("", true),
            ("10.0.0.1\n", true), ("10.0.0.1\nb 10.0.0.2  x\n", true), ("10.0.0.1\na 10.0.", true),
        ])
    func less(text: String, isLess: Bool) throws {
        func publication(_ text: String) throws -> Publication {
            AardvarkDirectory([try #require(try AardvarkNetwork(file: "n", octets(text)))], definitions: []).publication
        }
        #expect(try publication(text).lacks(of: try publication("10.0.0.1\na 10.0.0.2  x\n")) == isLess)
        #expect(Publication().lacks(of: try publication(text)) == text.contains("  "))
    }

    @Test("leaves out names that can be none in DNS")
    func names() throws {
        let file = try #require(
            try AardvarkNetwork(file: "n", octets("10.0.0.1\n\(id) 10.0.0.2  *,a..b,\\,site,web\n")))
        let container = try #require(AardvarkDirectory([file], definitions: []).containers.first)
        #expect(container.name == "site" && container.endpoints[0].aliases == ["web"])
    }

    @Test("knows of a network's file what it needs; one of another form is refused")
    func definitions() throws {
        let bare = try PodmanNetwork(octets(#"{"name":"n"}"#))
        #expect(bare.interface == nil && bare.subnets == [] && !bare.isInternal)
        for text in ["", "{}", "[]", #"{"name":1}"#, #"{"name":"n","subnets":{}}"#] {
            #expect(throws: RuntimeWireError.self) { try PodmanNetwork(octets(text)) }
        }
    }
}
