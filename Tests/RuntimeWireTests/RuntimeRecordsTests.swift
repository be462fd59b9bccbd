// Records of nerdctl's hosts store, and machines of systemd-machined.

import DNSWire
import Testing

@testable import RuntimeWire

private let id = "4c01db0b339c" + String(repeating: "0", count: 52)

/// A record as nerdctl writes it, with results of CNI by the names of networks.
private func record(
    id: String = id, name: String = "web", hostname: String = "4c01db0b339c", networks: String = "{}"
) -> [UInt8] {
    Array(
        """
        {"Namespace":"default","ID":"\(id)","Networks":\(networks),"Hostname":"\(hostname)","ExtraHosts":{"api":"10.0.0.9","bad":"x"},"Name":"\(name)"}
        """.utf8)
}

/// The result of the plugins bridge, portmap and firewall, as libcni returns it.
private let bridge = """
    {"cniVersion":"1.0.0","interfaces":[{"name":"nerdctl0","mac":"9a:0b:54:00:00:01"},
    {"name":"veth1f8c2a3b","mac":"9a:0b:54:00:00:02"},
    {"name":"eth0","mac":"9a:0b:54:00:00:03","sandbox":"/proc/4711/ns/net"}],
    "ips":[{"interface":2,"address":"10.4.0.2/24","gateway":"10.4.0.1"}],"routes":[{"dst":"0.0.0.0/0"}],"dns":{}}
    """

@Suite("A record of nerdctl")
struct NerdctlRecordTests {
    @Test("has name, process, networks with their bridges, and addresses")
    func whole() throws {
        let pair = """
            {"interfaces":[{"name":"veth5"},{"name":"eth1","sandbox":"/proc/4711/ns/net"}],
            "ips":[{"address":"10.5.0.2/24"},{"address":"fd00::2/64"}]}
            """
        let read = try NerdctlRecord(record(networks: #"{"bridge":\#(bridge),"apair":\#(pair)}"#))
        let container = read.container
        #expect(container.id == id && container.name == "web" && container.hostname == nil && container.pid == 4711)
        #expect(container.extraHosts == [.init(name: "api", address: IPAddress("10.0.0.9"))])
        #expect(container.endpoints.map(\.network) == ["apair", "bridge"])
        #expect(
            container.endpoints.map { $0.addresses.map(\.description) } == [["10.5.0.2", "fd00::2"], ["10.4.0.2"]])
        #expect(read.networks.map(\.name) == ["apair", "bridge"])
        // What has one link at the host has no bridge.
        #expect(read.networks.map(\.interface) == [nil, "nerdctl0"])
    }

    @Test("without a name is called as its id begins, and without networks has no process")
    func bare() throws {
        let read = try NerdctlRecord(record(name: "", hostname: "site"))
        #expect(read.container.name == "4c01db0b339c" && read.container.hostname == "site")
        #expect(read.container.pid == nil && read.container.namespacePath == nil && read.networks.isEmpty)
        let null = try NerdctlRecord(record(networks: #"{"bridge":null}"#))
        #expect(null.container.endpoints.map(\.network) == ["bridge"] && null.container.pid == nil)
    }

    @Test(
        "that is torn or odd is refused",
        arguments: [
            [], Array("{".utf8), Array("null".utf8), Array("{}".utf8), record(id: "web"), record(id: "../../etc"),
            record(networks: "[]"), [UInt8](repeating: 0x20, count: NerdctlRecord.maximumLength + 1),
        ])
    func torn(octets: [UInt8]) {
        #expect(throws: RuntimeWireError.self) { try NerdctlRecord(octets) }
    }

    @Test(
        "with a result of another form has what can be read of it",
        arguments: [
            ("[]", 0), (#"{"interfaces":{},"ips":[{"address":"10.4.0.2/24"}]}"#, 1),
            (#"{"ips":[{"address":"x"},{"address":7},{},{"interface":9,"address":"10.4.0.2/24"}]}"#, 1),
            (#"{"interfaces":[{"name":"br"}],"ips":[{"interface":0,"address":"10.4.0.2/24"}]}"#, 0),
            (#"{"interfaces":[{"sandbox":"/proc/-1/ns/net"}],"ips":[{"interface":-1,"address":"10.4.0.2/24"}]}"#, 1),
        ])
    func odd(result: String, addresses: Int) throws {
        let read = try NerdctlRecord(record(networks: #"{"bridge":\#(result)}"#))
        #expect(read.container.endpoints.map(\.addresses.count) == [addresses] && read.container.pid == nil)
    }

    @Test("is one of a publication, in which a network has the bridge that any record has")
    func publication() throws {
        let other = String(repeating: "5", count: 64)
        let bare = try NerdctlRecord(record(id: other, name: "app", networks: #"{"bridge":{}}"#))
        let whole = try NerdctlRecord(record(networks: #"{"bridge":\#(bridge)}"#))
        for records in [[bare, whole], [whole, bare]] {
            let publication = Publication(records)
            #expect(publication.containers.map(\.name) == ["web", "app"])
            #expect(publication.networks.map(\.interface) == ["nerdctl0"])
            #expect(!publication.lacks(of: publication) && publication.lacks(of: Publication([bare])) == false)
            #expect(Publication([bare]).lacks(of: publication))
        }
    }
}

@Suite("A machine of systemd-machined")
struct MachineTests {
    /// The host's ends of its links, each with its bridge, and networks that are published, each with its interface.
    private static let cases: [(links: [(String, String?)], networks: [(String, String)])] = [
        ([], []),
        // --network-zone=front
        ([("vz-front", "vz-front")], [("front", "vz-front")]),
        ([("vb-web", "vz-front")], [("front", "vz-front")]),
        // --network-veth
        ([("ve-web", nil)], [("ve-web", "ve-web")]),
        // --network-bridge=br0: it is found.
        ([("vb-web", "br0")], []),
        ([("ve-web", nil), ("vb-web", "vz-front"), ("vx", "vz-")], [("ve-web", "ve-web"), ("front", "vz-front")]),
        // --network-zone may have dots.
        ([("vb-web", "vz-a.b"), ("vb-app", "vz-a..b")], [("a.b", "vz-a.b")]),
    ]

    @Test("is on a network of the zone's name, or of its link's own", arguments: cases.indices)
    func networks(index: Int) {
        let (links, networks) = Self.cases[index]
        let machine = Machine(
            name: "web", leader: 4711, links: links.map { Machine.HostLink(name: $0.0, bridge: $0.1) })
        #expect(machine.networks.map(\.name) == networks.map(\.0))
        #expect(machine.networks.map(\.interface) == networks.map(\.1))
        #expect(Set(Publication([machine, machine]).networks.map(\.name)) == Set(networks.map(\.0)))
    }

    @Test("is a container by its process, under an id that begins like no other machine's")
    func container() throws {
        let names = ["productiondb1", "productiondb2", "productiondb"]
        let containers = names.compactMap { Machine(name: $0, leader: 4711, links: []).container }
        #expect(containers.map(\.name) == names && containers.allSatisfy { $0.pid == 4711 })
        #expect(Set(containers.map { RuntimeName.short($0.id) }).count == 3)
        #expect(containers.allSatisfy { $0.id.utf8.count == 16 && $0.endpoints.isEmpty })
        // RFC draft-eastlake-fnv: the value of "a".
        #expect(Machine(name: "a", leader: 1, links: []).container?.id == "af63dc4c8601ec8c")
        #expect(Machine(name: "web", leader: 0, links: []).container == nil)
        #expect(Machine(name: "a..b", leader: 1, links: []).container == nil)
    }
}
