// Docker's API as its versions and podman write it; the JSON is of our own, with the members that matter.

import DNSWire
import Testing

@testable import RuntimeWire

private func octets(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite("A container of Docker's API")
struct DockerContainerTests {
    private static let id = String(repeating: "4c01db0b339c8b3a", count: 4)

    /// Docker 20.10, API 1.41: a container on the default bridge with a link, published and exposed ports.
    private static let old = """
        {"Id":"\(id)","Created":"2026-01-01T00:00:00Z","Name":"/web","State":{"Status":"running","Running":true,
        "Paused":false,"Pid":4711,"ExitCode":0,"Health":{"Status":"healthy","FailingStreak":0,"Log":null}},
        "Config":{"Hostname":"4c01db0b339c","Domainname":"","ExposedPorts":{"80/tcp":{},"9/sctp":{}},
        "Labels":{"intercom.alias":"*.app.test, api","intercom.port":"80/tcp=http,x,443"}},
        "HostConfig":{"NetworkMode":"default","Dns":["10.0.0.53"],"Links":["/db:/web/store"],
        "ExtraHosts":["api.example:10.0.0.9","host.docker.internal:host-gateway","six:fd00::9","bad","x:y",":10.0.0.1"]},
        "NetworkSettings":{"Bridge":"","SandboxKey":"/var/run/docker/netns/0123456789ab",
        "Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}],"53/udp":null},"IPAddress":"172.17.0.2",
        "Networks":{"bridge":{"IPAMConfig":null,"Links":null,"Aliases":null,"NetworkID":"n","EndpointID":"e",
        "Gateway":"172.17.0.1","IPAddress":"172.17.0.2","IPPrefixLen":16,"GlobalIPv6Address":"","DriverOpts":null}}}}
        """

    @Test("of 20.10 has name, addresses, links, ports, health and labels")
    func old() throws {
        let container = RuntimeContainer(try DockerContainer(octets(Self.old)))
        #expect(container.name == "web" && container.id == Self.id && container.hostname == "4c01db0b339c")
        #expect(container.pid == 4711 && container.namespace == .own && container.isHealthy == true)
        #expect(container.namespacePath == "/var/run/docker/netns/0123456789ab")
        #expect(container.endpoints.map(\.network) == ["bridge"])
        #expect(container.endpoints.first?.addresses.map(\.description) == ["172.17.0.2"])
        #expect(container.endpoints.first?.aliases == [])
        #expect(container.links == [.init(container: "db", name: "store")])
        #expect(container.ports == [.init(number: 53, transport: "udp"), .init(number: 80, transport: "tcp")])
        #expect(
            container.extraHosts == [
                .init(name: "api.example", address: IPAddress("10.0.0.9")),
                .init(name: "host.docker.internal", address: nil), .init(name: "six", address: IPAddress("fd00::9")),
            ])
        #expect(container.resolvers.map(\.description) == ["10.0.0.53"])
        #expect(container.isWanted)
        #expect(container.labelledAliases == ["*.app.test", "api"])
        #expect(
            container.labelledPorts
                == [.init(number: 80, transport: "tcp", service: "http"), .init(number: 443, transport: "tcp")])
    }

    /// Docker 29, API 1.52: custom networks, DNSNames, both families, no members of the default bridge.
    private static let new = """
        {"Id":"\(id)","Name":"/shop.web.1","State":{"Status":"running","Running":true,"Pid":12,"Health":{"Status":"unhealthy"}},
        "Config":{"Hostname":"shop","Domainname":"example","Labels":null,"Other":[1,2.5,{"a":null}]},
        "HostConfig":{"NetworkMode":"front","Dns":[],"Links":null,"ExtraHosts":["six=[fd00::9]"]},
        "NetworkSettings":{"SandboxKey":"/var/run/docker/netns/x","Ports":{},"Networks":{
        "front":{"Aliases":["web"],"DNSNames":["shop.web.1","web","4c01db0b339c","shop"],"IPAddress":"10.1.0.2",
        "GlobalIPv6Address":"fd00:1::2","Links":["db:store"],"GwPriority":0},
        "back":{"Aliases":[],"IPAddress":"10.2.0.2","Links":["db:store","cache:hot"]},"gone":null}}}
        """

    @Test("of 29 has a name with dots, aliases without its own names, and networks by name")
    func new() throws {
        let container = RuntimeContainer(try DockerContainer(octets(Self.new)))
        #expect(container.name == "shop.web.1" && container.hostname == "shop.example" && container.isHealthy == false)
        #expect(container.endpoints.map(\.network) == ["back", "front"])
        #expect(container.endpoints.last?.addresses.map(\.description) == ["10.1.0.2", "fd00:1::2"])
        #expect(container.endpoints.last?.aliases == ["web", "shop"])
        #expect(container.links.map { "\($0.container):\($0.name)" } == ["cache:hot", "db:store"])
        #expect(container.extraHosts == [.init(name: "six", address: IPAddress("fd00::9"))])
        #expect(container.labels == [:] && container.ports == [])
    }

    private static let namespaces: [(String, RuntimeContainer.Namespace)] = [
        ("default", .own), ("bridge", .own), ("front", .own), ("", .own), ("host", .host), ("none", .isolated),
        ("container:4c01db0b339c", .container("4c01db0b339c")), ("container:/web", .container("web")),
    ]

    @Test("says whose namespace it is in", arguments: namespaces.indices)
    func namespace(index: Int) throws {
        let (mode, namespace) = Self.namespaces[index]
        let text = #"{"Id":"i","HostConfig":{"NetworkMode":"\#(mode)"}}"#
        #expect(RuntimeContainer(try DockerContainer(octets(text))).namespace == namespace)
    }

    @Test(
        "of which nothing but the id is told is a container all the same",
        arguments: [
            #"{"Id":"i"}"#,
            #"{"Id":"i","Name":null,"State":null,"Config":null,"HostConfig":null,"NetworkSettings":null}"#,
            #"{"Id":"i","State":{},"Config":{},"HostConfig":{},"NetworkSettings":{"Networks":null,"Ports":null}}"#,
            #"{"Id":"i","State":{"Running":false,"Pid":5},"NetworkSettings":{"SandboxKey":"","Networks":{}}}"#,
            #"{"Id":"i","State":{"Running":true,"Pid":99999999999},"HostConfig":{"Dns":["x"],"Links":["x",":",""]}}"#,
        ])
    func bare(text: String) throws {
        let container = RuntimeContainer(try DockerContainer(octets(text)))
        #expect(container == RuntimeContainer(name: "i", id: "i"))
    }

    @Test(
        "that its labels leave out is not wanted",
        arguments: [("false", false), ("No", false), ("0", false), ("true", true)])
    func wanted(value: String, isWanted: Bool) throws {
        let text = #"{"Id":"i","Config":{"Labels":{"intercom.enable":"\#(value)"}}}"#
        #expect(RuntimeContainer(try DockerContainer(octets(text))).isWanted == isWanted)
    }

    @Test(
        "that is no JSON, or another, is refused with what is wrong",
        arguments: [
            ("", "a container cannot be read"), ("{}", "no Id"), ("[]", "a container"), (#"{"Id":5}"#, "Id"),
            (#"{"Id":"i","Config":{"Labels":{"a":1}}}"#, "Config.Labels.a"), (#"{"Id":"i""#, "a container"),
            (String(repeating: #"{"Config":"#, count: 5000), "a container"),
        ])
    func refused(text: String, part: String) {
        let error = #expect(throws: RuntimeWireError.self) { try DockerContainer(octets(text)) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test("is listed by its id")
    func list() throws {
        let text = #"[{"Id":"a","Names":["/web","/other/alias"],"State":"running"},{"Id":"b"}]"#
        #expect(try DockerContainerSummary.list(octets(text)).map(\.id) == ["a", "b"])
        #expect(throws: RuntimeWireError.self) { try DockerContainerSummary.list(octets(#"{"message":"no"}"#)) }
    }

    private static let ports: [(String, RuntimeContainer.Port?)] = [
        ("80", .init(number: 80, transport: "tcp")), ("80/tcp", .init(number: 80, transport: "tcp")),
        ("53/udp=dns", .init(number: 53, transport: "udp", service: "dns")), ("0", nil), ("65536", nil), ("", nil),
        ("80/sctp", nil), ("80/tcp/x", nil), ("http", nil), ("-1", nil), ("=x", nil),
    ]

    @Test("says its ports as PORT[/tcp|/udp][=SERVICE]", arguments: ports.indices)
    func port(index: Int) {
        #expect(RuntimeContainer.Port(Self.ports[index].0) == Self.ports[index].1)
    }
}

@Suite("A network of Docker's API")
struct DockerNetworkTests {
    @Test("is a bridge by its option or its id, or the parent of macvlan links; host and none are no networks")
    func networks() throws {
        let text = """
            [{"Name":"bridge","Id":"b","Driver":"bridge","Internal":false,"IPAM":{"Driver":"default","Options":null,
            "Config":[{"Subnet":"172.17.0.0/16","Gateway":"172.17.0.1"}]},"Options":{"com.docker.network.bridge.name":"docker0"}},
            {"Name":"front","Id":"0123456789abcdef","Driver":"bridge","Internal":true,"IPAM":{"Config":[{"Subnet":"10.1.0.0/24"},
            {"Subnet":"fd00:1::/64"},{"Subnet":""},{}]},"Options":{}},
            {"Name":"lan","Id":"l","Driver":"macvlan","Options":{"parent":"eth0.5"},"IPAM":{"Config":null}},
            {"Name":"swarm","Id":"s","Driver":"overlay","Options":null,"IPAM":null},
            {"Name":"host","Id":"h","Driver":"host"},{"Name":"none","Id":"n","Driver":"null"}]
            """
        let networks = try DockerNetwork.list(octets(text)).compactMap { RuntimeNetwork($0) }
        #expect(networks.map(\.name) == ["bridge", "front", "lan", "swarm"])
        #expect(networks.map(\.interface) == ["docker0", "br-0123456789ab", "eth0.5", nil])
        #expect(networks.map(\.isInternal) == [false, true, false, false])
        #expect(networks.map(\.subnets) == [["172.17.0.0/16"], ["10.1.0.0/24", "fd00:1::/64"], [], []])
    }
}

@Suite("An event of Docker's API")
struct DockerEventTests {
    private static let events: [(String, DockerEvent)] = [
        (
            #"{"status":"start","id":"a","from":"img","Type":"container","Action":"start","Actor":{"ID":"a","Attributes":{"name":"web"}},"time":1}"#,
            .changed(id: "a")
        ),
        (#"{"Type":"container","Action":"die","Actor":{"ID":"a"}}"#, .ended(id: "a")),
        (
            #"{"Type":"container","Action":"rename","Actor":{"ID":"a","Attributes":{"oldName":"/x"}}}"#,
            .changed(id: "a")
        ),
        (#"{"Type":"container","Action":"health_status: unhealthy","Actor":{"ID":"a"}}"#, .changed(id: "a")),
        (#"{"Type":"container","Action":"destroy","Actor":{"ID":"a"}}"#, .ended(id: "a")),
        (#"{"Type":"container","Action":"died","Actor":{"ID":"a"}}"#, .ended(id: "a")),
        (#"{"Type":"container","Action":"create","Actor":{"ID":"a"}}"#, .other),
        (#"{"Type":"container","Action":"remove","Actor":{"ID":"a"}}"#, .ended(id: "a")),
        (
            #"{"Type":"network","Action":"connect","Actor":{"ID":"n","Attributes":{"container":"a","name":"front"}}}"#,
            .connected(container: "a", network: "n")
        ),
        (
            #"{"Type":"network","Action":"disconnect","Actor":{"ID":"n","Attributes":{"container":"a"}}}"#,
            .disconnected(container: "a", network: "n")
        ),
        (#"{"Type":"network","Action":"disconnect","Actor":{"ID":"n","Attributes":{}}}"#, .network(id: "n")),
        (#"{"Type":"network","Action":"create","Actor":{"ID":"n"}}"#, .network(id: "n")),
        (#"{"Type":"container","Action":"exec_start: sh -c start","Actor":{"ID":"a"}}"#, .other),
        (#"{"Type":"image","Action":"pull","Actor":{"ID":"i"}}"#, .other),
        (#"{"Type":"container","Action":"start","Actor":{"ID":""}}"#, .other), ("{}", .other),
    ]

    @Test("says what is to be looked at again", arguments: events.indices)
    func event(index: Int) throws {
        #expect(try DockerEvent(octets(Self.events[index].0)) == Self.events[index].1)
    }

    @Test("that is no JSON is refused")
    func refused() {
        #expect(throws: RuntimeWireError.self) { try DockerEvent(octets("EOF")) }
    }
}
