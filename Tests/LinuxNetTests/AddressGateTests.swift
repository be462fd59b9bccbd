// Gates for addresses, as the kernel takes them and nft lists them.

import Foundation
import SystemPackage
import Testing

@testable import LinuxNet

@Suite("A gate for addresses", .needsRoot)
struct AddressGateTests {
    private static func block(_ octets: [UInt8], _ length: Int) throws -> AddressBlock {
        try #require(AddressBlock(octets, prefixLength: length))
    }

    private static let cookie: UInt64 = 0x2A

    /// A gate at the interface `peer` of a namespace, which is a veth.
    private static func gate(_ name: String, devices: [(UInt32, String)]) throws -> AddressGate {
        AddressGate(
            cookie: cookie, devices: devices.map { AddressGate.Device(index: $0.0, name: $0.1) },
            networks: [try block([10, 1, 0, 0], 24), try block([0xFD, 0] + [UInt8](repeating: 0, count: 14), 64)],
            blocks: [try block([192, 0, 2, 7], 32), try block([10, 2, 0, 0], 15)],
            sources: [try block([10, 1, 0, 2], 32)])
    }

    private func lend(_ body: (String, borrowing NetworkNamespace) throws -> Void) throws {
        try Scratch.lend(namespaces: 1) { names in
            try Scratch.run(in: names[0], "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
            try body(names[0], try NetworkNamespace(path: "/run/netns/\(names[0])"))
        }
    }

    @Test("is in force as nft lists it, is set anew whatever is there, keeps its addresses, and is removed")
    func live() throws {
        try lend { name, namespace in
            func list() throws -> String { try Scratch.run(in: name, "nft", "--stateless", "list", "ruleset") }
            let gate = try Self.gate(name, devices: [(7, "v0")])
            try NamespaceEntry.run(in: namespace) { () throws(LinuxError) in
                let gates = try AddressGates()
                try gates.set(gate)
                _ = try gates.admit(
                    [
                        .init(octets: [192, 0, 2, 1], seconds: 3600, isOwn: false),
                        .init(octets: [10, 1, 0, 1], seconds: 60, isOwn: true),
                        .init(octets: [0x20, 1] + [UInt8](repeating: 0, count: 13) + [1], seconds: 60, isOwn: false),
                    ], to: Self.cookie)
            }
            let listed = try list()
            for line in [
                "type filter hook ingress device \"v0\" priority -450; policy accept;", "goto c-2a",
                "ip daddr @v4-2a accept",
                "ip6 daddr @v6-2a accept", "fib daddr type local goto h-2a", "ip daddr 10.1.0.0/24 accept",
                "ip daddr 192.0.2.7 accept", "ip daddr 10.2.0.0/15 accept", "ip6 daddr fd00::/64 accept",
                "ip saddr 10.1.0.2 goto s-2a", "fib daddr type anycast goto h-2a", "fib daddr type local counter",
                "fib daddr type broadcast meta mark set 0x00001c55 accept", "meta mark set 0x00001c54 accept",
                "elements = { 192.0.2.1 timeout 1h }",
                "elements = { 10.1.0.1 timeout 1m }", "elements = { 2001::1 timeout 1m }", "size 4096",
                "ct state established meta mark set 0x00000000 accept",
                "ct state related meta l4proto icmp meta mark set 0x00000000 accept",
                "ct state related meta l4proto ipv6-icmp meta mark set 0x00000000 accept",
                "reject with icmpx admin-prohibited",
                "type filter hook prerouting priority mangle; policy accept;", "meta mark 0x00001c55",
                "type filter hook forward priority 0; policy accept;",
            ] {
                #expect(listed.contains(line), "\(line): \(listed)")
            }
            // As often as one likes, on another device, and where the judges were changed.
            try Scratch.run(in: name, "nft", "flush", "table", "inet", "intercom-policy")
            try Scratch.run(in: name, "nft", "flush", "chain", "bridge", "intercom-policy", "forward")
            var other = try Self.gate(name, devices: [(8, "v1")])
            other.formerDevices = [7, 99]
            try NamespaceEntry.run(in: namespace) { [other] () throws(LinuxError) in
                for _ in 0..<3 { try AddressGates().set(other) }
            }
            let again = try list()
            #expect(again.contains("192.0.2.1 timeout 1h") && again.contains("device \"v1\""), "\(again)")
            #expect(!again.contains("\"v0\"") && again.components(separatedBy: "reject with").count == 2, "\(again)")
            let listing = try NamespaceEntry.run(in: namespace) { () throws(LinuxError) in try AddressGates.list() }
            #expect(listing == AddressGates.Listing(cookies: [Self.cookie], devices: [8]))
            try NamespaceEntry.run(in: namespace) { () throws(LinuxError) in
                try AddressGates().remove(cookies: [Self.cookie, 77], devices: [8, 99])
            }
            let rest = try list()
            #expect(!rest.contains("2a") && !rest.contains("ingress"), "\(rest)")
            try NamespaceEntry.run(in: namespace) { () throws(LinuxError) in try AddressGates().removeAll() }
            #expect(try list() == "")
        }
    }

    @Test(
        "has room for 4,096 addresses of a kind: those that end first make room, and one that is there gets its new time"
    )
    func room() throws {
        try lend { name, namespace in
            let gate = try Self.gate(name, devices: [(7, "v0")])
            func entries(_ numbers: Range<Int>, _ seconds: UInt32) -> [AddressGates.Entry] {
                numbers.map {
                    .init(octets: [10, 9, UInt8($0 >> 8), UInt8($0 & 255)], seconds: seconds, isOwn: false)
                }
            }
            let (first, most) = (entries(0..<96, 300), entries(96..<4096, 3000))
            let (more, refreshed) = (entries(5000..<5010, 600), entries(96..<97, 9000))
            let made = try NamespaceEntry.run(in: namespace) { () throws(LinuxError) in
                let gates = try AddressGates()
                try gates.set(gate)
                return [
                    try gates.admit(first, to: Self.cookie), try gates.admit(most, to: Self.cookie),
                    try gates.admit(refreshed, to: Self.cookie), try gates.admit(more, to: Self.cookie),
                ]
            }
            #expect(made == [false, false, false, true])
            let listed = try Scratch.run(in: name, "nft", "list", "set", "netdev", "intercom-policy", "v4-2a")
            #expect(listed.contains("10.9.0.96 timeout 2h30m") && listed.contains("10.9.19.145 timeout 10m"))
            #expect(listed.components(separatedBy: "timeout 5m").count - 1 == 96 - 64, "the soonest")
            #expect(listed.components(separatedBy: "timeout 50m").count - 1 == 3999)
        }
    }

    @Test("is set together with others, each with sets of its own, and has room for as many blocks as a policy")
    func together() throws {
        try lend { name, namespace in
            let first = try Self.gate(name, devices: [(7, "v0")])
            var second = try Self.gate(name, devices: [(8, "v1")])
            second.cookie = 0x2B
            second.blocks = try (0..<AddressGate.maximumBlocks).map {
                try Self.block([10, 3, UInt8($0 >> 8), UInt8($0 & 255)], 32)
            }
            let entry = AddressGates.Entry(octets: [192, 0, 2, 1], seconds: 3600, isOwn: false)
            try NamespaceEntry.run(in: namespace) { [second] () throws(LinuxError) in
                let gates = try AddressGates()
                try gates.set([first, second])
                _ = try gates.admit([entry], to: 0x2B)
            }
            let listed = try Scratch.run(in: name, "nft", "list", "ruleset")
            for line in ["goto c-2a", "goto c-2b", "ip daddr 10.3.15.255 accept", "set o6-2b"] {
                #expect(listed.contains(line), "\(line)")
            }
            #expect(listed.components(separatedBy: "192.0.2.1 timeout").count == 2, "in the set of one alone")
        }
    }

    @Test("that is not there takes no address")
    func absent() throws {
        try lend { _, namespace in
            let entry = AddressGates.Entry(octets: [192, 0, 2, 1], seconds: 60, isOwn: false)
            let failure = #expect(throws: LinuxError.self) {
                try NamespaceEntry.run(in: namespace) { () throws(LinuxError) in
                    _ = try AddressGates().admit([entry], to: Self.cookie)
                }
            }
            #expect(failure?.errno == .noSuchFileOrDirectory)
            let listing = try NamespaceEntry.run(in: namespace) { () throws(LinuxError) in try AddressGates.list() }
            #expect(listing == AddressGates.Listing())
        }
    }
}

@Suite("A block of addresses")
struct AddressBlockTests {
    @Test(
        "has all bits behind its prefix clear, and no length that its family has not",
        arguments: [
            ([10, 1, 2, 3], 24, [10, 1, 2, 0]), ([10, 1, 2, 3], 32, [10, 1, 2, 3]), ([10, 1, 2, 3], 0, [0, 0, 0, 0]),
            ([10, 3, 2, 3], 15, [10, 2, 0, 0]), ([10, 1, 2, 3], 33, nil), ([10, 1, 2, 3], -1, nil),
            ([1, 2, 3], 8, nil),
            ([UInt8](repeating: 255, count: 16), 9, [255, 128] + [UInt8](repeating: 0, count: 14)),
        ] as [([UInt8], Int, [UInt8]?)])
    func blocks(_ octets: [UInt8], _ length: Int, _ expected: [UInt8]?) {
        #expect(AddressBlock(octets, prefixLength: length)?.octets == expected)
    }
}
