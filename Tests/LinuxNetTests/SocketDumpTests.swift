// Servers of a namespace by sock_diag: requests and replies octet by octet, and real sockets.

import Foundation
import Testing

@testable import LinuxNet

@Suite("A dump of the sockets of a namespace")
struct SocketDumpTests {
    private static let docker = SocketAddress(v4: 0x7F00_000B, port: 53)

    /// A message of the kernel's, `struct inet_diag_msg` behind its header.
    private func message(
        _ address: [UInt8], port: UInt16, peer: UInt16 = 0, inode: UInt8, family: UInt8 = 2, cut: Int = 0
    ) -> [UInt8] {
        var payload: [UInt8] = [
            family, 7, 0, 0, UInt8(port >> 8), UInt8(port & 0xFF), UInt8(peer >> 8), UInt8(peer & 0xFF),
        ]
        payload += address + [UInt8](repeating: 0, count: 12 + 16 + 4 + 8 + 16) + [inode, 0, 0, 0]
        payload.removeLast(cut)
        let length = UInt8(16 + payload.count)
        return [length, 0, 0, 0, 20, 0, 2, 0, 1, 0, 0, 0, 9, 0, 0, 0] + payload
    }

    /// NLMSG_DONE.
    private let done: [UInt8] = [20, 0, 0, 0, 3, 0, 2, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0]

    @Test("asks for the servers at one address alone")
    func request() {
        // As `ss -lun src 127.0.0.11` sends it.
        let expected: [UInt8] =
            [92, 0, 0, 0, 20, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0] + [2, 17, 0, 0, 128, 0, 0, 0]
            + [UInt8](repeating: 0, count: 48) + [
                20, 0, 1, 0, 7, 16, 20, 0, 2, 32, 0, 0, 255, 255, 255, 255, 127, 0, 0, 11,
            ]
        #expect(NetlinkRequest.servers(over: .datagram, at: Self.docker).bytes == expected)
        let stream = NetlinkRequest.servers(over: .stream, at: Self.docker).bytes
        #expect(Array(stream[16..<24]) == [2, 6, 0, 0, 0, 4, 0, 0])
    }

    @Test("gives ports of the address's own, unconnected sockets, the oldest first")
    func ports() throws {
        let datagram =
            message([127, 0, 0, 11], port: 40_123, inode: 9) + message([127, 0, 0, 11], port: 53, inode: 3)
            + message([127, 0, 0, 1], port: 5353, inode: 1) + message([127, 0, 0, 11], port: 7000, peer: 9, inode: 2)
            + message([0, 0, 0, 0], port: 68, inode: 4) + message([127, 0, 0, 11], port: 5, inode: 5, family: 10)
        var sockets: [DumpedSocket] = []
        #expect(try SocketDump.read(datagram.span, into: &sockets) == nil)
        #expect(try SocketDump.read(done.span, into: &sockets)?.errorNumber == 0)
        #expect(sockets.count == 5)
        #expect(SocketDump.ports(of: sockets, at: Self.docker) == [53, 40_123])
        var many: [DumpedSocket] = []
        for number: UInt8 in 0..<200 {
            let one = message([127, 0, 0, 11], port: 1000 + UInt16(number), inode: number)
            _ = try SocketDump.read(one.span, into: &many)
        }
        #expect(SocketDump.ports(of: many, at: Self.docker).count == SocketDump.maximumPorts)
    }

    @Test("asks for the sockets that listen on one port, at whichever address")
    func portRequest() {
        // As `ss -ltn sport = 80` sends it, but for its address of no family.
        let expected: [UInt8] =
            [88, 0, 0, 0, 20, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0] + [10, 6, 0, 0, 0, 4, 0, 0]
            + [UInt8](repeating: 0, count: 48) + [16, 0, 1, 0, 7, 12, 16, 0, 0, 0, 0, 0, 80, 0, 0, 0]
        #expect(NetlinkRequest.listeners(onPort: 80, 10).bytes == expected)
    }

    @Test("finds the addresses at which a port is open in another namespace, IPv4 and IPv6", .needsRoot)
    func openPort() throws {
        try Scratch.lend(namespaces: 1) { names in
            try Scratch.ip("-n", names[0], "link", "set", "lo", "up")
            let namespace = try NetworkNamespace(path: "/run/netns/\(names[0])")
            #expect(try NamespaceEntry.addresses(listeningOn: 53, in: namespace) == [])
            let listener = try NamespaceEntry.run(in: namespace) { () throws(LinuxError) in
                try NamespaceEntry.makeListener(at: Self.docker.withPort(0))
            }
            let port = try listener.tcp.localAddress().port
            #expect(try NamespaceEntry.addresses(listeningOn: port, in: namespace) == [.v4(0x7F00_000B)])
            #expect(try NamespaceEntry.addresses(listeningOn: port &+ 1, in: namespace) == [])
        }
    }

    @Test("refuses a message that is cut off")
    func damaged() {
        for cut in [1, 4, 40, 70] {
            var sockets: [DumpedSocket] = []
            let bytes = message([127, 0, 0, 11], port: 1, inode: 1, cut: cut)
            #expect(throws: NetlinkError.self) { try SocketDump.read(bytes.span, into: &sockets) }
        }
    }

    @Test("finds the servers of another namespace, UDP and TCP, and no other sockets there", .needsRoot)
    func namespace() throws {
        try Scratch.lend(namespaces: 1) { names in
            try Scratch.ip("-n", names[0], "link", "set", "lo", "up")
            let namespace = try NetworkNamespace(path: "/run/netns/\(names[0])")
            #expect(try NamespaceEntry.boundPorts(at: Self.docker, in: namespace) == BoundPorts())
            let listener = try NamespaceEntry.run(in: namespace) { () throws(LinuxError) in
                try NamespaceEntry.makeListener(at: Self.docker.withPort(0))
            }
            let others = try NamespaceEntry.run(in: namespace) { () throws(LinuxError) in
                try UDPSocket.bound(to: SocketAddress(v4: 0x7F00_0001, port: 5353), receiveBuffer: 1 << 16)
            }
            let port = try listener.udp.localAddress().port
            #expect(
                try NamespaceEntry.boundPorts(at: Self.docker, in: namespace)
                    == BoundPorts(datagram: [port], stream: [port]))
            _ = others.rawValue
        }
    }
}
