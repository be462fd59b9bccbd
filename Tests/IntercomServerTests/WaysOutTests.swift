// Ways out of a container, at which a gate can stand or cannot.

import LinuxNet
import Testing

@testable import IntercomServer

@Suite("The ways out of a container")
struct WaysOutTests {
    /// `web` on a bridge, by a veth whose host's end is 3.
    private static let web = [
        "host link 1 lo up", "host link 2 br0 bridge up", "add 7 web", "7 link 1 lo up",
        "7 link 2 eth0 veth up other=3@0", "host link 3 v3 veth up master=2 other=2@7",
    ]

    @Test(
        "are the host's ends of its links; what hangs elsewhere than on these cannot be guarded",
        arguments: [
            ([], .devices([3])),
            (["7 link 4 eth1 veth up other=5@0", "host link 5 v5 veth up other=4@7"], .devices([3, 5])),
            // Down or not, plugged in or not: root in the container can set it up.
            (["7 link 4 eth1 veth other=5@0", "host link 5 v5 veth other=4@7"], .devices([3, 5])),
            // Its other end says that it is another's.
            (["7 link 4 eth1 veth up other=5@0", "host link 5 v5 veth up other=4@8"], .devices([3])),
            (["7 link 4 x veth up other=5", "7 link 5 y veth up other=4"], .devices([3])),
            (["7 link 4 d dummy up", "7 link 5 b bridge up", "7 link 6 t tun up"], .devices([3])),
            (["7 link 4 m macvlan up other=2"], .devices([3])),
            (
                ["7 link 4 m macvlan up other=2@0"],
                .unguarded("its link m (macvlan) hangs on another namespace's, where no gate can stand")
            ),
            (
                ["7 link 4 i ipvlan other=2@9"],
                .unguarded("its link i (ipvlan) hangs on another namespace's, where no gate can stand")
            ),
            (["7 link 4 en0 up"], .unguarded("its link en0 is a device of hardware, where no gate can stand")),
            (
                ["7 link 4 wg0 wireguard up"],
                .unguarded("its link wg0 (wireguard) may lead out of another namespace, where no gate can stand")
            ),
            (["no 7"], .unguarded("its links are not known")),
        ] as [([String], WaysOut)])
    func ways(_ told: [String], _ expected: WaysOut) throws {
        var topology = KernelTopology(selection: InterfaceSelection(patterns: ["*"], exclude: []))
        for line in Self.web + told {
            if line == "no 7" { topology.remove(NamespaceID(rawValue: 7)) } else { try topology.take(line) }
        }
        #expect(topology.waysOut(of: NamespaceID(rawValue: 7)) == expected)
    }

    @Test(
        "are followed where its root moves a link into a namespace of its own making",
        arguments: [
            ([], false), (["7 no link 2"], true), (["7 no link 2", "host link 3 v3 veth up master=2 other=2@9"], true),
            (["7 no link 2", "host no link 3"], false), (["7 no link 2", "host link 3 v3 veth up other=2"], false),
            // Into a container that we know, as only an operator does.
            (
                [
                    "7 no link 2", "add 8 app", "8 link 2 eth0 veth up other=3@0",
                    "host link 3 v3 veth up master=2 other=2@8",
                ], false
            ),
            (["7 no link 2", "add 8 app", "host link 3 v3 veth up master=2 other=2@8"], true),
        ] as [([String], Bool)])
    func moved(_ told: [String], _ leadsElsewhere: Bool) throws {
        var topology = KernelTopology(selection: InterfaceSelection(patterns: ["*"], exclude: []))
        for line in Self.web + told { try topology.take(line) }
        let id = NamespaceID(rawValue: 7)
        guard case .devices(let devices) = topology.waysOut(of: id) else { return }
        #expect((!devices.contains(3) && topology.leadsElsewhere(3, but: id)) == leadsElsewhere)
    }
}
