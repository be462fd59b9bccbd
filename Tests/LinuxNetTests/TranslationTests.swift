// Destinations that address translation leads to, by connection tracking: octet by octet, and in a real namespace.

import Foundation
import Testing

@testable import LinuxNet

@Suite("A flow that address translation leads elsewhere")
struct TranslationTests {
    private static let source = SocketAddress(v4: 0x7F00_0001, port: 40_000)
    private static let docker = SocketAddress(v4: 0x7F00_000B, port: 53)

    @Test("is asked for by its exact tuple: addresses, UDP, ports")
    func request() {
        // As `conntrack -G -p udp -s 127.0.0.1 -d 127.0.0.11 --sport 40000 --dport 53` sends it, with NLA_F_NESTED.
        let expected: [UInt8] =
            [72, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0] + [2, 0, 0, 0] + [52, 0, 1, 0x80]
            + [20, 0, 1, 0x80] + [8, 0, 1, 0, 127, 0, 0, 1] + [8, 0, 2, 0, 127, 0, 0, 11]
            + [28, 0, 2, 0x80] + [5, 0, 1, 0, 17, 0, 0, 0] + [6, 0, 2, 0, 0x9C, 0x40, 0, 0]
            + [6, 0, 3, 0, 0, 53, 0, 0]
        #expect(NetlinkRequest.flow(from: Self.source, to: Self.docker).bytes == expected)
        let v6 = NetlinkRequest.flow(from: SocketAddress(v6: 1, port: 9), to: SocketAddress(v6: 1, port: 53)).bytes
        #expect(v6[16] == 10 && v6.count == 96)
    }

    /// An entry of the kernel's: both tuples, with `reply` as the source of replies.
    private func entry(_ reply: [UInt8], port: [UInt8]) -> [UInt8] {
        func padded(_ octets: [UInt8]) -> [UInt8] {
            octets + [UInt8](repeating: 0, count: (4 - octets.count % 4) % 4)
        }
        let address = padded([UInt8(4 + reply.count), 0, reply.count == 4 ? 1 : 3, 0] + reply)
        let ports = padded([5, 0, 1, 0, 17, 0, 0, 0] + [UInt8(4 + port.count), 0, 2, 0] + port)
        let parts = [UInt8(4 + address.count), 0, 1, 0x80] + address + [UInt8(4 + ports.count), 0, 2, 0x80] + ports
        let tuple = [UInt8(4 + parts.count), 0, 2, 0x80] + parts
        let status: [UInt8] = [8, 0, 3, 0, 0, 0, 1, 0x88]
        let payload = [2, 0, 0, 0] + status + tuple
        return [UInt8(16 + payload.count), 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0] + payload
    }

    @Test("is at the address from which its replies come")
    func answer() throws {
        let v4 = entry([127, 0, 0, 11], port: [0xA0, 0x28])
        #expect(try ConnectionTracking.read(v4.span) == .flow(Self.docker.withPort(41_000)))
        let v6 = entry([UInt8](repeating: 0, count: 15) + [1], port: [0, 53])
        #expect(try ConnectionTracking.read(v6.span) == .flow(SocketAddress(v6: 1, port: 53)))
        let error: [UInt8] =
            [36, 0, 0, 0, 2, 0, 0, 1, 1, 0, 0, 0, 9, 0, 0, 0] + [0xFE, 0xFF, 0xFF, 0xFF]
            + [16, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        guard case .end(let end) = try ConnectionTracking.read(error.span) else {
            Issue.record("an error is no flow")
            return
        }
        #expect(end.errorNumber == 2)
    }

    @Test("is nowhere where the entry says too little, and a message that is cut off is refused")
    func damaged() throws {
        for (reply, port) in [([127, 0], [0, 53]), ([127, 0, 0, 1], [53]), ([], [0, 53])] as [([UInt8], [UInt8])] {
            let octets = entry(reply, port: port)
            #expect(try ConnectionTracking.read(octets.span) == .flow(nil))
        }
        let whole = entry([127, 0, 0, 11], port: [0, 53])
        for count in 1..<whole.count {
            let part = Array(whole[..<count])
            #expect(throws: NetlinkError.self) { try ConnectionTracking.read(part.span) }
        }
        let nothing: [UInt8] = []
        #expect(try ConnectionTracking.read(nothing.span) == .flow(nil))
    }

    @Test("that begins is known by its own end, among others, and never read past its message")
    func beginning() throws {
        func tuple(_ kind: UInt8, _ address: [UInt8], _ port: UInt16) -> [UInt8] {
            let ports: [UInt8] =
                [5, 0, 1, 0, 6, 0, 0, 0] + [6, 0, 2, 0, UInt8(port >> 8), UInt8(port & 255), 0, 0]
            return [36, 0, kind, 0x80] + [12, 0, 1, 0x80] + [8, 0, 1, 0] + address + [20, 0, 2, 0x80] + ports
        }
        func message(from source: [UInt8], _ port: UInt16, answeredBy other: [UInt8], _ otherPort: UInt16) -> [UInt8] {
            let payload = [2, 0, 0, 0] + tuple(1, source, port) + tuple(2, other, otherPort)
            return [UInt8(16 + payload.count), 0, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0] + payload
        }
        let datagram =
            message(from: [127, 0, 0, 1], 40_001, answeredBy: [10, 0, 0, 1], 80)
            + message(from: [127, 0, 0, 1], 40_000, answeredBy: [127, 0, 0, 1], 15_001)
        let found = try NewFlows.destination(from: Self.source, in: datagram.span)
        #expect(found == SocketAddress(v4: 0x7F00_0001, port: 15_001))
        #expect(try NewFlows.destination(from: Self.docker, in: datagram.span) == nil)
        for count in 1..<datagram.count {
            let part = Array(datagram[..<count])
            // What is cut off is refused, or not there yet.
            let read = try? NewFlows.destination(from: Self.source, in: part.span)
            #expect((read ?? nil) == nil, "\(count) octets")
        }
    }

    @Test("of a connection is found where it is refused, dropped, or goes through", .needsRoot)
    func connections() throws {
        try Scratch.lend(namespaces: 1) { names in
            try Scratch.ip("-n", names[0], "link", "set", "lo", "up")
            let namespace = try NetworkNamespace(path: "/run/netns/\(names[0])")
            let server = SocketAddress(v4: 0x7F00_0009, port: 8080)
            #expect(try NamespaceEntry.translation(ofConnectionsTo: server, in: namespace) == nil)
            for rule in ["redirect to :15001", "dnat to 127.0.0.8:99"] {
                let text = "table ip nat { chain out { type nat hook output priority -100; tcp dport 8080 \(rule); }; }"
                try Scratch.run(in: names[0], "nft", text)
                let found = try NamespaceEntry.translation(ofConnectionsTo: server, in: namespace)
                let expected = rule.hasPrefix("dnat") ? "127.0.0.8:99" : "127.0.0.1:15001"
                #expect(found?.destination.description == expected && found?.isLocal == true, "\(rule)")
                try Scratch.run(in: names[0], "nft", "delete table ip nat")
            }
        }
    }

    @Test("is found in another namespace, with whether it ends there; without rules there is none", .needsRoot)
    func namespace() throws {
        try Scratch.lend(namespaces: 1) { names in
            try Scratch.ip("-n", names[0], "link", "set", "lo", "up")
            let namespace = try NetworkNamespace(path: "/run/netns/\(names[0])")
            #expect(try NamespaceEntry.translation(of: Self.docker, in: namespace) == nil)
            func rule(_ destination: String) throws {
                for line in [
                    "add table ip nat", "flush table ip nat",
                    "add chain ip nat out { type nat hook output priority -100 ; }",
                    "add rule ip nat out ip daddr 127.0.0.11 udp dport 53 dnat to \(destination)",
                ] {
                    try Scratch.run(in: names[0], "nft", line)
                }
            }
            try rule("127.0.0.2:5353")
            let local = try NamespaceEntry.translation(of: Self.docker, in: namespace)
            #expect(local?.destination == SocketAddress(v4: 0x7F00_0002, port: 5353) && local?.isLocal == true)
        }
    }
}

@Suite("Use of inotify")
struct InotifyUseTests {
    @Test("counts the watches of each object, beside the limits of the kernel")
    func use() throws {
        #expect(InotifyUse.count(ofWatches: "pos:\t0\nflags:\t02\nmnt_id:\t15\nino:\t1057\n") == 0)
        let text = "pos:\t0\ninotify wd:2 ino:1 sdev:2 mask:fc6\ninotify wd:1 ino:9 sdev:2 mask:3\n"
        #expect(InotifyUse.count(ofWatches: text) == 2)
        let before = try #require(InotifyUse.read())
        #expect(before.watchLimit > 0 && before.instanceLimit > 0)
        let inotify = try Inotify()
        _ = try inotify.addWatch("/proc", events: .created)
        _ = try inotify.addWatch("/tmp", events: .created)
        // Other tests make and end such objects meanwhile.
        var found = false
        for _ in 0..<20 where !found {
            let now = try #require(InotifyUse.read())
            found = now.instances > 0 && now.watches >= 2
        }
        #expect(found && inotify.descriptor.rawValue >= 0)
    }
}
