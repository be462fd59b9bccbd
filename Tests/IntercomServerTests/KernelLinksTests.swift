// Links of a container with what keeps each from its network, and places that have to be read again.

import Diagnosis
import LinuxNet
import Testing

@testable import IntercomServer

@Suite("The links of a container, for people,")
struct KernelLinksTests {
    private static let bridge = ["host link 1 lo up", "host link 2 br0 bridge up", "add 7 web", "7 link 1 lo up"]

    @Test(
        "say what keeps each from its network: the first thing that is wrong on the way, or nothing",
        arguments: [
            (["7 link 2 eth0 veth up other=3@0", "host link 3 v3 veth up master=2 other=2@7"], "eth0 br0 no address"),
            (
                [
                    "7 link 2 eth0 veth up other=3@0", "host link 3 v3 veth up master=2 other=2@7",
                    "7 address 10.0.0.2/24 on 2",
                ], "eth0 br0"
            ),
            (
                ["7 link 2 eth0 veth other=3@0", "host link 3 v3 veth up master=2 other=2@7"],
                "eth0 br0 no address down"
            ),
            (
                ["7 link 2 eth0 veth up other=3@0", "host link 3 v3 veth master=2 other=2@7"],
                "eth0 br0 no address peerDown(\"v3\")"
            ),
            (
                ["7 link 2 eth0 veth up other=3@0", "host link 3 v3 veth up other=2@7"],
                "eth0 - no address notPlugged(\"v3\")"
            ),
            (
                [
                    "host link 2 br0 bridge", "7 link 2 eth0 veth up other=3@0",
                    "host link 3 v3 veth up master=2 other=2@7",
                ], "eth0 br0 no address networkDown(\"br0\")"
            ),
            (
                [
                    "host link 5 private bridge up", "7 link 2 eth0 veth up other=3@0",
                    "host link 3 v3 veth up master=5 other=2@7",
                ], "eth0 private no address excluded(\"private\")"
            ),
            // A link that is not the other end's, one that nobody's end is, and one of another namespace's.
            (["7 link 2 eth0 veth up other=3@0", "host link 3 v3 veth up master=2 other=9@7"], ""),
            (["7 link 2 eth0 veth up other=3@0"], ""), (["7 link 4 d dummy up"], ""),
            (["7 link 2 m macvlan up other=2@0", "7 address 10.0.0.2/24 on 2"], "m br0"),
            (["7 link 2 m macvlan up other=2@9"], ""),
        ])
    func troubles(told: [String], expected: String) throws {
        var topology = KernelTopology(selection: InterfaceSelection(patterns: ["*"], exclude: ["private"]))
        for line in Self.bridge + told { try topology.take(line) }
        let links = topology.links(of: NamespaceID(rawValue: 7)).map { link in
            [
                link.name, link.interface ?? "-", link.hasAddress ? nil : "no address",
                link.trouble.map { "\($0)" },
            ].compactMap(\.self).joined(separator: " ")
        }
        #expect(links == (expected.isEmpty ? [] : [expected]))
    }

    @Test("are none of a namespace that nobody watches")
    func unknown() throws {
        var topology = KernelTopology(selection: InterfaceSelection(patterns: ["*"], exclude: []))
        for line in Self.bridge { try topology.take(line) }
        #expect(topology.links(of: NamespaceID(rawValue: 8)).isEmpty)
    }
}

@Suite("Places that have to be read again")
struct KernelGapsTests {
    private static func place(_ number: Int32) -> Place { .namespace(NamespaceID(rawValue: number)) }

    @Test("are due at once, the host before all, then who waits longest; one that was read is not any more")
    func order() {
        var gaps = KernelGaps()
        #expect(gaps.nextDue == nil)
        for place in [Self.place(1), Self.place(2), .host] { gaps.add(place) }
        let now = ContinuousClock.now
        #expect(gaps.due(at: now) == [.host, Self.place(1), Self.place(2)])
        gaps.yield(Self.place(1), from: now)
        #expect(gaps.due(at: now) == [.host, Self.place(2), Self.place(1)])
        gaps.remove(.host)
        gaps.remove(Self.place(2))
        #expect(gaps.due(at: now) == [Self.place(1)])
        #expect(gaps.due(at: now - .seconds(1)).isEmpty && gaps.nextDue == now)
    }

    @Test("that cannot be read wait 20 ms, and twice as long with each failure, for ten seconds at most")
    func patience() {
        var gaps = KernelGaps()
        gaps.add(Self.place(1))
        var now = ContinuousClock.now
        var pauses: [Duration] = []
        for _ in 0..<12 {
            gaps.postpone(Self.place(1), from: now)
            // What is lost of it meanwhile does not make it due.
            gaps.add(Self.place(1))
            guard let due = gaps.nextDue else { break }
            pauses.append(now.duration(to: due))
            #expect(gaps.due(at: due - .milliseconds(1)).isEmpty && gaps.due(at: due) == [Self.place(1)])
            now = due
        }
        let expected = [20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_000, 10_000, 10_000]
        #expect(pauses == expected.map { .milliseconds($0) })
        gaps.postpone(Self.place(2), from: now)
        #expect(gaps.due(at: now + .seconds(60)) == [Self.place(1)])
    }
}
