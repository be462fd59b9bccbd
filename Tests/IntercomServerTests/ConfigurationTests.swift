// Meaning of a configuration file, and the shipped file, which has the defaults.

import Attachment
import DNSWire
import Foundation
import Registry
import Testing

@testable import IntercomServer

@Suite("A configuration file")
struct ConfigurationTests {
    @Test(
        "without any key is the defaults",
        arguments: ["", "\n# nothing\n", "\u{FEFF}", "route = []\r\n[server]\r\n[cache]"])
    func empty(_ text: String) throws {
        #expect(try Configuration.parse(text: text, file: "f") == Configuration())
        let configuration = Configuration()
        #expect(configuration.server.domain.description == "internal")
        #expect(configuration.server.ttl == 5)
        #expect(configuration.server.listen == .auto)
        #expect(configuration.control.socket == "/run/intercom/control.sock")
        #expect(configuration.cache.size == 16_777_216)
    }

    @Test("sets every key of its tables")
    func everyKey() throws {
        let configuration = try Configuration.parse(
            text: """
                server = { workers = 2, domain = "Lan.", ttl = 0, listen = "redirect", version = "1.0", identity = "ns1" }
                control.socket = "/tmp/c"
                control.group = ""
                [discover]
                enabled = false
                interfaces = ["br*", 'docker0']
                namespaces = []
                exclude = ["vpn"]
                resolv-conf = false
                [forward]
                upstreams = ["10.0.0.1", "10.0.0.2:5353", "fd00::1", "[fd00::2]:54", "fe80::1%eth0"]
                from = "namespace"
                single-labels = true
                case-randomization = true
                local = true
                [cache]
                size = 4096
                min-ttl = 1
                max-ttl = 2
                max-negative-ttl = 3
                serve-stale = false
                prefetch = false
                [metrics]
                per-container = true
                [log]
                queries = "journal"
                dnstap = "/run/tap"
                [[network]]
                name = "quiet"
                log-queries = "off"
                """, file: "f")
        var expected = Configuration()
        expected.server.workers = 2
        expected.server.domain = try Name("lan")
        expected.server.ttl = 0
        expected.server.listen = .redirect
        expected.server.version = "1.0"
        expected.server.identity = "ns1"
        expected.control.socket = "/tmp/c"
        expected.control.group = ""
        expected.discover.isEnabled = false
        expected.discover.interfaces = ["br*", "docker0"]
        expected.discover.namespaces = []
        expected.discover.exclude = ["vpn"]
        expected.discover.writesResolverConfiguration = false
        expected.forward.upstreams = try ["10.0.0.1", "10.0.0.2:5353", "fd00::1", "[fd00::2]:54", "fe80::1%eth0"].map {
            try ServerAddress($0)
        }
        expected.forward.from = .namespace
        expected.forward.forwardsSingleLabels = true
        expected.forward.forwardsLocal = true
        expected.forward.randomizesCase = true
        expected.cache.size = 4096
        expected.cache.minimumTTL = 1
        expected.cache.maximumTTL = 2
        expected.cache.maximumNegativeTTL = 3
        expected.cache.servesStale = false
        expected.cache.prefetches = false
        expected.metrics.perContainer = true
        expected.log.queries = .journal
        expected.log.dnstap = "/run/tap"
        expected.log.networks = ["quiet": .off]
        expected.networks = [NetworkDefinition(name: "quiet", source: .configuration)]
        #expect(configuration == expected)
    }

    @Test("may route domains under ours and names of addresses, take the host's groups, and have no cache")
    func accepted() throws {
        let configuration = try Configuration.parse(
            text: """
                control.group = "dns"
                cache.size = 0
                server.hosts = ["/etc/hosts.d"]
                [[network]]
                name = "frontend"
                hosts = ["/etc/hosts.d/dev"]
                [[route]]
                domain = "google.internal"
                upstreams = ["169.254.169.254"]
                [[route]]
                domain = "10.in-addr.arpa"
                upstreams = ["10.0.0.1"]
                [[network]]
                name = "vpn"
                routes = [{ domain = "_msdcs.corp.internal", upstreams = ["10.8.0.1"] }]
                """, file: "f", groupExists: { $0 == "dns" })
        #expect(configuration.control.group == "dns" && configuration.cache.size == 0)
        #expect(
            configuration.hosts == [
                HostsPlace(path: "/etc/hosts.d"), HostsPlace(path: "/etc/hosts.d/dev", network: "frontend"),
            ])
        #expect(configuration.routes.map(\.domain.description) == ["google.internal", "10.in-addr.arpa"])
        #expect(configuration.networks.last?.routes.map(\.domain.description) == ["_msdcs.corp.internal"])
        // The group by default is no mistake where the host has none: the file that we ship names it.
        #expect(throws: Never.self) {
            try Configuration.parse(text: "control.group = 'intercom'", file: "f", groupExists: { _ in false })
        }
    }

    @Test("names routes, networks and containers")
    func members() throws {
        let configuration = try Configuration.parse(
            text: """
                [[container]]
                name = "Web_1"
                pid = 4711
                networks = ["front.end", { name = "BACK" }]
                links = ["db:database.local"]
                ports = [80, "53/udp", "443=https", "8080/tcp=http-alt"]
                [[network]]
                name = "front.end"
                interface = "br-front"
                subnets = ["10.1.0.0/24", "fd00:1::/64", "0.0.0.0/0"]
                internal = true
                upstreams = ["10.1.0.53"]
                routes = [{ domain = "local", upstreams = ["10.1.0.55"] }]
                from = "namespace"
                ttl = 30
                [[network]]
                name = "back"
                [[route]]
                domain = "corp.example"
                upstreams = ["10.1.0.53", "10.1.0.54:5353"]
                [[route]]
                domain = "."
                upstreams = ["10.1.0.56"]
                [[container]]
                name = "db"
                netns = "/run/netns/db"
                hostname = "db.example"
                id = "4c01db0b339c"
                resolv-conf = "/run/db.conf"
                [[container.networks]]
                name = "back"
                ip = ["10.2.0.2", "fd00:2::2"]
                alias = ["*.app.test", "store"]
                """, file: "f")

        #expect(configuration.routes.map(\.domain.description) == ["corp.example"])
        // The root's route takes the place of the default upstreams.
        #expect(configuration.forward.upstreams.map(\.description) == ["10.1.0.56:53"])
        #expect(configuration.routes.first?.upstreams.map(\.description) == ["10.1.0.53:53", "10.1.0.54:5353"])

        var front = NetworkDefinition(name: "front.end", source: .configuration)
        front.interface = "br-front"
        front.subnets = try ["10.1.0.0/24", "fd00:1::/64", "0.0.0.0/0"].map { try #require(block($0)) }
        front.isInternal = true
        front.upstreams = [try ServerAddress("10.1.0.53")]
        front.routes = [.init(domain: try Name("local"), upstreams: [try ServerAddress("10.1.0.55")])]
        front.forwardFrom = .namespace
        front.ttl = 30
        #expect(configuration.networks == [front, NetworkDefinition(name: "back", source: .configuration)])

        var web = Configuration.Container(name: "Web_1")
        web.namespace = .pid(4711)
        web.definition.namesItsNetworks = true
        web.definition.endpoints = [.init(network: "front.end"), .init(network: "back")]
        web.definition.links = [.init(container: "db", name: "database.local")]
        web.definition.ports = [
            .init(number: 80), .init(number: 53, transport: .udp), .init(number: 443, service: "https"),
            .init(number: 8080, transport: .tcp, service: "http-alt"),
        ]
        var database = Configuration.Container(name: "db")
        database.namespace = .path("/run/netns/db")
        database.definition.hostname = "db.example"
        database.definition.id = "4c01db0b339c"
        database.resolverConfigurationPath = "/run/db.conf"
        var endpoint = EndpointDefinition(network: "back")
        endpoint.addresses = try ["10.2.0.2", "fd00:2::2"].map { try #require(IPAddress($0)) }
        endpoint.aliases = ["*.app.test", "store"]
        database.definition.namesItsNetworks = true
        database.definition.endpoints = [endpoint]
        #expect(configuration.containers == [web, database])
    }

    private func block(_ text: String) -> Subnet? {
        let parts = text.split(separator: "/")
        guard parts.count == 2, let address = IPAddress(String(parts[0])), let length = Int(parts[1]) else {
            return nil
        }
        return Subnet(address, prefixLength: length)
    }

    @Test(
        "gives sizes in octets or with a unit",
        arguments: [
            ("0", 0), ("4096", 4096), ("\"5120\"", 5120), ("\"7000B\"", 7000), ("\"64KiB\"", 65_536),
            ("\"16 MiB\"", 16_777_216),
            ("\"2GiB\"", 2_147_483_648),
        ])
    func sizes(_ text: String, _ octets: Int) throws {
        #expect(try Configuration.parse(text: "cache.size = \(text)", file: "f").cache.size == octets)
    }

    @Test(
        "knows which addresses are in a subnet",
        arguments: [
            ("10.1.0.0/24", "10.1.0.255", true), ("10.1.0.0/24", "10.1.1.0", false), ("10.1.0.4/32", "10.1.0.4", true),
            ("0.0.0.0/0", "255.255.255.255", true), ("0.0.0.0/0", "::", false), ("::/0", "ffff::", true),
            ("fd00:1::/64", "fd00:1::ffff:0:0:1", true), ("fd00:1::/64", "fd00:1:0:1::", false),
        ])
    func subnets(_ text: String, _ address: String, _ isInside: Bool) throws {
        let subnet = try #require(block(text))
        #expect(subnet.description == text)
        #expect(subnet.contains(try #require(IPAddress(address))) == isInside)
    }
}

@Suite("The configuration file that we ship")
struct ShippedConfigurationTests {
    private let text: String

    init() throws {
        // Tests/IntercomServerTests/ConfigurationTests.swift, three steps below the repository.
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        text = try String(contentsOf: repository.appending(path: "config/intercom.toml"), encoding: .utf8)
    }

    @Test("says the defaults")
    func defaults() throws {
        #expect(try Configuration.parse(text: text, file: "intercom.toml") == Configuration())
    }

    /// The text with its examples in force: an option that is commented out has no space behind its mark.
    private var uncommented: String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("#") && !$0.hasPrefix("# ") ? $0.dropFirst() : $0 }
            .joined(separator: "\n")
    }

    @Test("is right with its examples in force, too")
    func examples() throws {
        let configuration = try Configuration.parse(text: uncommented, file: "intercom.toml")
        var sections = configuration
        sections.routes = []
        sections.networks = []
        sections.containers = []
        sections.records = []
        sections.policies = []
        sections.hosts = []
        sections.server.policy = nil
        #expect(sections.log.networks == ["frontend": .journal])
        sections.log.networks = [:]
        #expect(sections == Configuration())

        #expect(configuration.records.map(\.text) == ["10.1.0.9"])
        #expect(configuration.records.first?.ttl == configuration.server.ttl)

        // Its options beside the rules are at what they are without it.
        var policy = PolicyDefinition(name: "sandbox", source: .configuration)
        for pattern in ["api.example.com", "*.example.org"] { policy.add(.allow, try PolicyPattern(pattern)) }
        policy.add(.deny, try PolicyPattern("internal.example.org"))
        policy.locksPorts = true
        policy.blocks = [try #require(Subnet("10.2.0.0/16"))]
        #expect(configuration.policies == [policy] && configuration.server.policy == "sandbox")

        #expect(configuration.routes.map(\.domain.description) == ["corp.example"])
        let network = try #require(configuration.networks.first)
        #expect(network.name == "frontend")
        #expect(network.subnets.map(\.description) == ["10.1.0.0/24", "fd00:1::/64"])
        // Its options beside name, interface and subnets are at what they are without it.
        #expect(!network.isInternal)
        #expect(network.upstreams == configuration.forward.upstreams)
        #expect(network.routes.map(\.domain.description) == ["lab.example"])
        #expect(network.forwardFrom == configuration.forward.from)
        #expect(network.ttl == configuration.server.ttl)
        let container = try #require(configuration.containers.first)
        #expect(container.namespace == .path("/run/netns/web"))
        #expect(container.definition.endpoints.first?.aliases == ["site", "*.app.test"])
        #expect(container.definition.links == [.init(container: "db", name: "database")])
        #expect(container.definition.ports == [.init(number: 80, service: "http"), .init(number: 443)])
    }

    @Test(
        "has every option, each with a line that says why",
        arguments: [
            (
                "[server]",
                [
                    "workers", "domain", "ttl", "host-names", "listen", "version", "identity",
                    "resolv-conf-directories", "policy", "hosts",
                ]
            ),
            ("[control]", ["socket", "group"]),
            (
                "[discover]",
                ["enabled", "interfaces", "namespaces", "unnamed", "exclude", "receive-buffer", "resolv-conf"]
            ),
            ("[forward]", ["upstreams", "from", "single-labels", "local", "case-randomization"]),
            ("[cache]", ["size", "min-ttl", "max-ttl", "max-negative-ttl", "serve-stale", "prefetch"]),
            ("[cluster]", ["networks", "socket", "group", "unsynced", "export", "forget-after", "max-entries"]),
            ("[metrics]", ["per-container"]),
            ("[log]", ["queries", "dnstap"]),
            ("[[route]]", ["domain", "upstreams"]),
            (
                "[[network]]",
                [
                    "name", "interface", "subnets", "internal", "upstreams", "routes", "from", "ttl", "policy",
                    "search", "gateway-listener", "gateway-unknown", "host",
                    "shared",
                    "log-queries",
                    "hosts",
                ]
            ),
            (
                "[[container]]",
                [
                    "name", "netns", "hostname", "id", "networks", "links", "ports", "policy", "listen", "intercept",
                    "resolv-conf",
                ]
            ),
            (
                "[[policy]]",
                [
                    "name", "default", "allow", "deny", "types", "audit", "own-names", "strict-cname",
                    "private-addresses", "lock", "addresses", "cidrs",
                ]
            ),
        ])
    func everyOption(_ table: String, _ keys: [String]) throws {
        let lines = uncommented.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let header = try #require(lines.firstIndex(of: table))
        let body = lines[(header + 1)...].prefix { !$0.hasPrefix("[") }
        let options = body.indices.filter { !body[$0].hasPrefix("#") && body[$0].contains(" = ") }
        #expect(options.map { String(body[$0].prefix { $0 != " " }) } == keys)
        #expect(options.allSatisfy { lines[$0 - 1].hasPrefix("# ") })
    }
}
