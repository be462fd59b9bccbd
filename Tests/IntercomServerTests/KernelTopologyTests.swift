// From links and addresses of the kernel to networks and containers of the registry: tables of steps.

import DNSWire
import LinuxNet
import Registry
import Testing

@testable import IntercomServer

/// Messages of the kernel, and the differences they make.
private struct Step {
    var told: [String]
    var changes: [String]

    init(_ told: String..., gives changes: [String]) {
        self.told = told
        self.changes = changes
    }
}

/// Two namespaces on a bridge, each by a veth: `web` has the links 2, `app` too; the host's ends are 3 and 4.
private let twoOnABridge = [
    "host link 1 lo up", "host link 2 br0 bridge up", "host address 10.0.0.1/24 on 2", "add 7 web", "7 link 1 lo up",
    "7 link 2 eth0 veth up other=3@0", "7 address 10.0.0.2/24 on 2", "7 address 127.0.0.1/8 on 1 host", "add 8 app",
    "8 link 2 eth0 veth up other=4@0", "8 address 10.0.0.3/24 on 2", "host link 3 v3 veth up master=2 other=2@7",
    "host link 4 v4 veth up master=2 other=2@8",
]

@Suite("The kernel's links and addresses become networks and containers:")
struct KernelTopologyTests {
    @Test("a container with more links and addresses than are kept of one costs no more, and is named")
    func limits() throws {
        var topology = KernelTopology(selection: InterfaceSelection(patterns: ["*"], exclude: []))
        for line in twoOnABridge { try topology.take(line) }
        _ = topology.takeChanges()
        let limit = KernelNamespace.containerLimit
        for number in 0..<(2 * limit) {
            try topology.take("7 link \(number + 10) x\(number) dummy up")
            try topology.take("7 address 10.0.\(4 + number / 250).\(1 + number % 250)/16 on 2")
        }
        #expect(topology.containers[NamespaceID(rawValue: 7)]?.state.links.count == limit)
        #expect(topology.containers[NamespaceID(rawValue: 7)]?.state.addresses[2]?.count == limit)
        #expect(topology.truncated == ["web"])
        // Known links and addresses are still followed.
        try topology.take("7 no address 10.0.0.2/24 on 2")
        try topology.take("7 address 10.0.0.9/24 on 2")
        #expect(topology.containers[NamespaceID(rawValue: 7)]?.state.addresses[2]?.count == limit)
        let others = topology.takeChanges().map(\.line).filter { !$0.contains("web") }
        #expect(!others.contains { $0.contains("app") }, "nobody else is looked at: \(others)")
    }

    private func play(
        _ steps: [Step], before: [String] = [], interfaces: [String] = ["*"], exclude: [String] = [],
        declared: Set<String> = []
    ) throws {
        var topology = KernelTopology(
            selection: InterfaceSelection(patterns: interfaces, exclude: exclude, declared: declared))
        for line in before { try topology.take(line) }
        if !before.isEmpty { _ = topology.takeChanges() }
        for step in steps {
            for line in step.told { try topology.take(line) }
            #expect(topology.takeChanges().map(\.line).sorted() == step.changes.sorted(), "\(step.told)")
            #expect(topology.takeChanges() == [], "nothing is told twice")
        }
    }

    @Test("a bridge is a network, called as its alias where it has one; its addresses say its subnets")
    func bridge() throws {
        try play([
            Step("host link 2 br0 bridge", gives: ["network 2 br0"]),
            Step("host link 2 br0 bridge up", gives: []),
            Step("host address 10.0.0.1/24 on 2", gives: ["network 2 br0 10.0.0.0/24"]),
            Step("host address fe80::1/64 on 2 link", gives: []),
            Step("host address fd00::1/64 on 2 tentative", gives: []),
            Step("host address fd00::1/64 on 2", gives: ["network 2 br0 10.0.0.0/24 fd00::/64"]),
            // The host has this address, though it has no subnet.
            Step("host address 192.0.2.1/32 on 2", gives: ["network 2 br0 10.0.0.0/24 fd00::/64"]),
            Step(
                "host link 2 br0 bridge up alias=frontend", gives: ["network 2 br0 (frontend) 10.0.0.0/24 fd00::/64"]),
            Step("host link 2 br9 bridge up", gives: ["network 2 br9 10.0.0.0/24 fd00::/64"]),
            Step("host no address 10.0.0.1/24 on 2", gives: ["network 2 br9 fd00::/64"]),
            Step("host no link 2 br9", gives: ["no network 2"]),
        ])
    }

    @Test("what is no bridge is no network by itself: a card, a veth, a VXLAN that is a bridge's port")
    func others() throws {
        try play([
            Step("host link 2 enp1s0 up", "host address 192.0.2.1/24 on 2", gives: []),
            Step("host link 3 v0 veth up other=2@7", gives: []),
            Step("host link 4 br0 bridge up", gives: ["network 4 br0"]),
            Step("host link 5 vx0 vxlan up master=4", gives: []),
        ])
    }

    @Test("a namespace is a container; with loopback alone it is on no network")
    func none() throws {
        try play([
            Step("add 7 web", "7 link 1 lo up", "7 address 127.0.0.1/8 on 1 host", gives: ["web: "]),
            Step("remove 7", gives: ["no 1007"]),
        ])
    }

    @Test("a veth whose other end is in a bridge is an endpoint, in whatever order that is told")
    func veth() throws {
        let all = Array(twoOnABridge.dropFirst())
        for order in [all, all.reversed().filter { !$0.hasPrefix("add") }] {
            let told = order == all ? all : ["add 7 web", "add 8 app"] + order
            var topology = KernelTopology(selection: InterfaceSelection(patterns: ["*"], exclude: []))
            for line in told { try topology.take(line) }
            #expect(
                topology.takeChanges().map(\.line).sorted()
                    == ["app: eth0 on 2 10.0.0.3", "network 2 br0 10.0.0.0/24", "web: eth0 on 2 10.0.0.2"])
        }
    }

    @Test("the order of a container's networks is that of its links' numbers")
    func order() throws {
        try play(
            [
                Step(
                    "host link 20 br1 bridge up", "host link 21 v21 veth up master=20 other=1@7",
                    "7 link 1 a0 veth up other=21@0",
                    gives: ["network 20 br1", "web: a0 on 20, eth0 on 2 10.0.0.2"])
            ], before: twoOnABridge)
    }

    @Test("address after address: removed, added, the same with another prefix; a second one counts as the first")
    func addresses() throws {
        try play(
            [
                Step("7 no address 10.0.0.2/24 on 2", gives: ["web: eth0 on 2"]),
                Step("7 address 10.0.0.9/24 on 2", gives: ["web: eth0 on 2 10.0.0.9"]),
                Step("7 address 10.0.0.4/24 on 2 secondary", gives: ["web: eth0 on 2 10.0.0.4 10.0.0.9"]),
                Step("7 address 10.0.0.4/16 on 2 secondary", gives: []),
                Step("7 no address 10.0.0.4/24 on 2 secondary", gives: []),
                Step("7 no address 10.0.0.4/16 on 2", gives: ["web: eth0 on 2 10.0.0.9"]),
            ], before: twoOnABridge)
    }

    @Test(
        "an address that is not for others does not count, until it is",
        arguments: [
            "fd00::2/64 on 2 tentative", "fd00::2/64 on 2 dadfailed", "fd00::2/64 on 2 deprecated",
            "fd00::2/64 on 2 temporary", "fe80::2/64 on 2 link", "169.254.7.7/16 on 2 link",
            "10.0.0.8/24 on 2 deprecated",
            "10.0.0.8/32 on 2 host", "127.0.0.5/8 on 2", "::1/128 on 2", "224.0.0.5/32 on 2", "ff05::2/64 on 2",
        ])
    func unusable(address: String) throws {
        try play([Step("7 address \(address)", gives: [])], before: twoOnABridge)
        try play(
            [
                Step("7 address fd00::2/64 on 2", gives: ["web: eth0 on 2 10.0.0.2 fd00::2"]),
                Step("7 address fd00::2/64 on 2 deprecated", gives: ["web: eth0 on 2 10.0.0.2"]),
            ], before: twoOnABridge)
    }

    @Test("a container says nothing of subnets: they are those of the host's own addresses on the bridge")
    func subnets() throws {
        try play(
            [
                Step("7 address 10.2.0.2/16 on 2", gives: ["web: eth0 on 2 10.0.0.2 10.2.0.2"]),
                Step("7 address 8.8.8.8/1 on 2", gives: ["web: eth0 on 2 8.8.8.8 10.0.0.2 10.2.0.2"]),
                Step("7 address 192.168.7.1/8 on 2", gives: ["web: eth0 on 2 8.8.8.8 10.0.0.2 10.2.0.2 192.168.7.1"]),
                Step("host address 192.0.2.1/28 on 2", gives: ["network 2 br0 10.0.0.0/24 192.0.2.0/28"]),
            ], before: twoOnABridge)
    }

    @Test("a link that is down, at either end, is on no network; the other containers are not touched")
    func down() throws {
        try play(
            [
                Step("7 link 2 eth0 veth other=3@0", gives: ["web: "]),
                Step("7 link 2 eth0 veth up other=3@0", gives: ["web: eth0 on 2 10.0.0.2"]),
                Step("host link 3 v3 veth master=2 other=2@7", gives: ["web: "]),
                Step("host link 3 v3 veth up master=2 other=2@7", gives: ["web: eth0 on 2 10.0.0.2"]),
            ], before: twoOnABridge)
    }

    @Test("a link is renamed, plugged into another bridge, unplugged, deleted; moved to another namespace")
    func moves() throws {
        try play(
            [
                Step("7 link 2 lan veth up other=3@0", gives: ["web: lan on 2 10.0.0.2"]),
                Step("host link 5 br1 bridge up", gives: ["network 5 br1"]),
                Step(
                    "host link 3 v3 veth up master=5 other=2@7",
                    gives: ["web: lan on 5 10.0.0.2"]),
                Step("host link 3 v3 veth up other=2@7", gives: ["web: "]),
                Step("host link 3 v3 veth up master=2 other=2@7", gives: ["web: lan on 2 10.0.0.2"]),
                Step("7 no address 10.0.0.2/24 on 2", "7 no link 2 lan", gives: ["web: "]),
                Step("8 link 9 lan veth up other=3@0", gives: []),
                Step("host link 3 v3 veth up master=2 other=9@8", gives: ["app: eth0 on 2 10.0.0.3, lan on 2"]),
                Step("host no link 4 v4", gives: ["app: lan on 2"]),
            ], before: twoOnABridge)
    }

    @Test("only ends that each say they are the other's belong together")
    func ends() throws {
        try play(
            [
                // The number of a link of another namespace, as a veth between two containers has it.
                Step("7 link 5 eth1 veth up other=3@4", "7 address 10.0.0.7/24 on 5", gives: []),
                Step("host link 3 v3 veth up master=2 other=5@9", gives: ["web: "]),
                Step("host link 3 v3 veth up master=2 other=2@7", gives: ["web: eth0 on 2 10.0.0.2"]),
                Step("7 link 2 eth0 veth up other=33@0", gives: ["web: "]),
            ], before: twoOnABridge)
    }

    @Test("a bridge goes: its containers are on no network; it is called otherwise: they are on it still")
    func bridgeGoes() throws {
        try play(
            [
                Step("host link 2 lan bridge up", gives: ["network 2 lan 10.0.0.0/24"]),
                Step(
                    "host link 3 v3 veth up other=2@7", "host link 4 v4 veth up other=2@8", "host no link 2 lan",
                    gives: ["web: ", "app: ", "no network 2"]),
            ], before: twoOnABridge)
        // The kernel may tell of the bridge's end first.
        try play([Step("host no link 2 br0", gives: ["web: ", "app: ", "no network 2"])], before: twoOnABridge)
    }

    @Test(
        "a macvlan or ipvlan is on its parent's network, which is one while somebody is on it",
        arguments: ["macvlan", "macvtap", "ipvlan", "ipvtap"])
    func parents(kind: String) throws {
        try play([
            Step("host link 2 enp1s0 up", "host address 10.1.0.1/24 on 2", gives: []),
            Step("add 7 web", "7 link 2 lan \(kind) other=2@0", "7 address 10.1.0.2/24 on 2", gives: ["web: "]),
            Step(
                "7 link 2 lan \(kind) up other=2@0",
                gives: ["network 2 enp1s0 10.1.0.0/24", "web: lan on 2 10.1.0.2"]),
            Step("add 8 app", "8 link 5 lan \(kind) up other=2@0", gives: ["app: lan on 2"]),
            Step("host link 2 lan0 up alias=office", gives: ["network 2 lan0 (office) 10.1.0.0/24"]),
            Step("host link 2 lan0 alias=office", gives: ["app: ", "no network 2", "web: "]),
            Step(
                "host link 2 lan0 up",
                gives: ["app: lan on 2", "network 2 lan0 10.1.0.0/24", "web: lan on 2 10.1.0.2"]),
            Step("remove 7", gives: ["no 1007"]),
            Step("8 no link 5 lan", gives: ["app: ", "no network 2"]),
        ])
    }

    @Test("a macvlan of a bridge is on that bridge; one whose parent is not the host's is on none")
    func foreignParents() throws {
        try play(
            [
                Step("7 link 5 mv0 macvlan up other=2@0", gives: ["web: eth0 on 2 10.0.0.2, mv0 on 2"]),
                Step("7 link 6 mv1 macvlan up other=2@3", "7 link 7 mv2 macvlan up other=2", gives: []),
            ], before: twoOnABridge)
    }

    @Test("interfaces are taken by pattern, and left alone by pattern; a declared one is a network in any case")
    func selection() throws {
        let told = [
            "host link 2 br-web bridge", "host link 3 br-vpn bridge", "host link 4 virbr0 bridge",
            "host link 5 bond0 bond up",
        ]
        let cases: [(interfaces: [String], exclude: [String], declared: Set<String>, networks: [String])] = [
            (["*"], [], [], ["2 br-web", "3 br-vpn", "4 virbr0"]),
            (["br-*"], [], [], ["2 br-web", "3 br-vpn"]),
            (["br-*"], ["*vpn"], [], ["2 br-web"]),
            ([], [], [], []),
            ([], ["*"], ["virbr0"], ["4 virbr0"]),
            (["br-w??"], [], ["bond0"], ["2 br-web", "5 bond0"]),
        ]
        for (interfaces, exclude, declared, networks) in cases {
            var topology = KernelTopology(selection: InterfaceSelection(patterns: ["*"], exclude: []))
            for line in told { try topology.take(line) }
            topology.select(InterfaceSelection(patterns: interfaces, exclude: exclude, declared: declared))
            #expect(topology.takeChanges().map(\.line).sorted() == networks.map { "network \($0)" })
        }
    }

    @Test("a pair that is in no bridge is a network where it was declared, and no more once that is taken back")
    func pair() throws {
        let told = [
            "host link 1 lo up", "add 7 web", "7 link 2 host0 veth up other=3@0", "7 address 10.0.0.2/28 on 2",
            "host link 3 ve-web veth up other=2@7", "host address 10.0.0.1/28 on 3",
        ]
        var topology = KernelTopology(selection: InterfaceSelection(patterns: ["*"], exclude: []))
        for line in told { try topology.take(line) }
        #expect(topology.takeChanges().map(\.line).sorted() == ["web: "])
        topology.select(InterfaceSelection(patterns: ["*"], exclude: [], declared: ["ve-web"]))
        let changes = ["network 3 ve-web 10.0.0.0/28", "web: host0 on 3 10.0.0.2"]
        #expect(topology.takeChanges().map(\.line).sorted() == changes)
        // Plugged into a bridge it is a port of that one.
        for line in ["host link 4 br0 bridge up", "host link 3 ve-web veth up master=4 other=2@7"] {
            try topology.take(line)
        }
        #expect(topology.takeChanges().map(\.line).sorted() == ["network 4 br0", "web: host0 on 4 10.0.0.2"])
        try topology.take("host link 3 ve-web veth up other=2@7")
        #expect(topology.takeChanges().map(\.line).sorted() == ["web: host0 on 3 10.0.0.2"])
        topology.select(InterfaceSelection(patterns: ["*"], exclude: []))
        #expect(topology.takeChanges().map(\.line).sorted() == ["no network 3", "web: "])
    }

    @Test("a renamed bridge that is excluded under its new name takes its containers with it")
    func excludedByName() throws {
        try play(
            [
                Step("host link 2 vpn0 bridge up", gives: ["app: ", "no network 2", "web: "]),
                Step(
                    "host link 2 br0 bridge up",
                    gives: ["app: eth0 on 2 10.0.0.3", "network 2 br0 10.0.0.0/24", "web: eth0 on 2 10.0.0.2"]),
            ], before: twoOnABridge, exclude: ["vpn*"])
    }

    @Test("a file of another name: the container is called so, and is the same")
    func renamedFile() throws {
        var topology = KernelTopology(selection: InterfaceSelection(patterns: ["*"], exclude: []))
        for line in twoOnABridge { try topology.take(line) }
        _ = topology.takeChanges()
        topology.rename(NamespaceID(rawValue: 7), name: "www", path: "/run/netns/www")
        guard case .container(let container)? = topology.takeChanges().first else {
            Issue.record("nothing has changed")
            return
        }
        #expect(container.name == "www" && container.path == "/run/netns/www")
        #expect(container.cookie == NamespaceCookie(rawValue: 1007))
    }

    @Test(
        "a change of addresses alone is told as such, unless it is one of lo: without it nothing reaches the listener")
    func readdressed() throws {
        let cases: [(told: [String], isAlone: Bool)] = [
            (["7 address 10.0.0.9/24 on 2"], true), (["7 no address 10.0.0.2/24 on 2"], true),
            (["7 address 10.0.0.9/24 on 2", "7 no address 127.0.0.1/8 on 1 host"], false),
            (["7 address 10.0.0.9/24 on 2", "7 link 1 lo"], false),
            (["7 address 10.0.0.9/24 on 2", "host link 2 br0 bridge up alias=front"], true),
        ]
        for (told, isAlone) in cases {
            var topology = KernelTopology(selection: InterfaceSelection(patterns: ["*"], exclude: []))
            for line in twoOnABridge + ["7 link 1 lo up", "7 address 127.0.0.1/8 on 1 host"] { try topology.take(line) }
            _ = topology.takeChanges()
            for line in told { try topology.take(line) }
            let isTold = topology.takeChanges().contains { if case .readdressed = $0 { true } else { false } }
            #expect(isTold == isAlone, "\(told)")
        }
    }

    @Test("the host has addresses on a bridge that can be reached there, and none for the macvlans of a parent")
    func hostAddresses() throws {
        var topology = KernelTopology(selection: InterfaceSelection(patterns: ["*"], exclude: []))
        func addresses(_ told: String...) throws -> [String]? {
            for line in told { try topology.take(line) }
            for change in topology.takeChanges() {
                if case .network(let network) = change { return network.hostAddresses.map(\.description) }
            }
            return nil
        }
        #expect(try addresses("host link 2 br0 bridge up", "host address 10.0.0.1/24 on 2") == ["10.0.0.1"])
        #expect(
            try addresses("host address fd00::1/64 on 2 tentative", "host address fe80::1/64 on 2 link") == nil)
        #expect(try addresses("host address fd00::1/64 on 2") == ["10.0.0.1", "fd00::1"])
        #expect(try addresses("host address fd00::1/64 on 2 deprecated") == ["10.0.0.1"])
        #expect(try addresses("host no address 10.0.0.1/24 on 2") == [])
        #expect(
            try addresses(
                "add 7 web", "host link 3 enp1s0 up", "host address 192.0.2.1/24 on 3",
                "7 link 2 eth0 macvlan up other=3@0") == [])
    }

    @Test("a change of a link that a default route leads over, or of its address, is noticed, and no other")
    func outlets() throws {
        var topology = KernelTopology(selection: InterfaceSelection(patterns: ["*"], exclude: []))
        for line in twoOnABridge { try topology.take(line) }
        topology.outlets = [2]
        for (line, isNoticed) in [
            ("host link 2 br0 bridge up", true), ("host link 2 br0 bridge", true), ("host link 2 br0 bridge up", true),
            ("host no address 10.0.0.1/24 on 2", true), ("host address 10.0.0.1/24 on 2", true),
            ("host link 3 v3 veth master=2 other=2@7", false), ("7 link 2 eth0 veth other=3@0", false),
            ("7 no address 10.0.0.2/24 on 2", false), ("host no link 2 br0", true),
        ] {
            _ = topology.takeOutletChange()
            try topology.take(line)
            let changes = [topology.takeOutletChange(), topology.takeOutletChange()]
            #expect(changes == [isNoticed, false], "\(line)")
        }
        // By a dump: everything but `lo` has gone.
        try topology.take("host link 2 br0 bridge up")
        _ = topology.takeOutletChange()
        for line in ["begin host", "host link 1 lo up", "end host"] { try topology.take(line) }
        let isNoticed = topology.takeOutletChange()
        #expect(isNoticed)
    }

    @Test("a dump shows what has gone without a notification, and what has come; what is told meanwhile counts")
    func dump() throws {
        try play(
            [
                Step(
                    "begin 7", "7 link 1 lo up", "7 address 10.0.0.7/24 on 2", "7 link 2 eth0 veth up other=3@0",
                    "end 7",
                    gives: ["web: eth0 on 2 10.0.0.7"]),
                Step("begin 7", "7 link 1 lo up", "7 link 3 new0 dummy up", "end 7", gives: ["web: "]),
                Step(
                    "begin host", "host link 1 lo up", "host link 4 v4 veth up master=2 other=2@8",
                    "host link 2 br0 bridge up", "host no link 4 v4", "end host",
                    gives: ["app: ", "network 2 br0"]),
                Step("begin host", "end host", gives: ["no network 2"]),
            ], before: twoOnABridge)
    }
}
