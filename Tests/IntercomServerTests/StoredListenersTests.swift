// Listeners that the service manager has kept: taken by the namespace that they are of, whole and serving, or not at all.

import DNSWire
import Glibc
import Registry
import Systemd
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("A listener that was kept over a restart")
struct StoredListenersTests {
    /// Sockets of the name of a namespace, in its order: `u` and `t` at 127.0.0.11, `U` and `T` at ::1, `x` elsewhere.
    private func add(_ kinds: String, of inode: UInt64, to stored: inout StoredListeners) throws {
        let v4 = try Self.pair(Self.intercom)
        let v6 = try Self.pair(SocketAddress(v6: 1, port: 0))
        let elsewhere = try Self.pair(SocketAddress(v4: 0x7F00_0001, port: 0))
        for kind in kinds {
            let socket: Descriptor =
                switch kind {
                case "u": try v4.udp.duplicate()
                case "t": try v4.tcp.duplicate()
                case "U": try v6.udp.duplicate()
                case "T": try v6.tcp.duplicate()
                default: try elsewhere.tcp.duplicate()
                }
            stored.add(NamedDescriptor(name: "\(StoredListenerName(inode: inode))", descriptor: socket))
        }
    }

    private static let intercom = SocketAddress(v4: IPv4Address.intercom.bits, port: 0)

    private static func pair(_ address: SocketAddress) throws -> ListenerSockets {
        try .atLoopback(address)
    }

    /// Listeners that are taken of a namespace: `4` the listener at 127.0.0.11, `6` the one at ::1.
    private func taken(of inode: UInt64, from stored: inout StoredListeners) -> String {
        let v4 = stored.take(NamespaceIdentity(device: 4, inode: inode))
        let v6 = stored.takeV6()
        var text = ""
        if let v4 {
            #expect((try? v4.tcp.localAddress().withPort(0)) == Self.intercom)
            text += "4"
        }
        if let v6 {
            #expect((try? v6.tcp.localAddress().withPort(0)) == SocketAddress(v6: 1, port: 0))
            text += "6"
        }
        return text
    }

    @Test(
        "is taken with both sockets, and the one at ::1 with it; one that lacks a socket, or is elsewhere, is not",
        arguments: [
            ("ut", "4"), ("tu", "4"), ("utUT", "46"), ("TUtu", "46"), ("utU", "4"), ("utT", "4"), ("u", ""), ("t", ""),
            ("UT", ""), ("ux", ""), ("uTU", ""),
        ])
    func whole(kinds: String, taken: String) throws {
        let inode: UInt64 = 0xF000_0000 + 7
        var stored = StoredListeners()
        try add(kinds, of: inode, to: &stored)
        var inodes = stored.inodes
        #expect(inodes == [inode])
        let first = self.taken(of: inode, from: &stored)
        #expect(first == taken)
        // Once; and it is not one that waits any more.
        let second = self.taken(of: inode, from: &stored)
        inodes = stored.inodes
        #expect(second == "" && inodes.isEmpty)
    }

    @Test("is that of its own namespace, and of no other")
    func others() throws {
        let first: UInt64 = 0xF000_0000 + 1
        var stored = StoredListeners()
        try add("ut", of: first, to: &stored)
        try add("utUT", of: first + 1, to: &stored)
        let all = [first + 2, first + 1, first].map { taken(of: $0, from: &stored) }
        #expect(all == ["", "46", "4"])
    }

    @Test("is made to serve again where root in its namespace has shut it down")
    func repaired() throws {
        let inode: UInt64 = 0xF000_0000
        var stored = StoredListeners()
        let name = "\(StoredListenerName(inode: inode))"
        let pair = try Self.pair(Self.intercom)
        #expect(shutdown(pair.tcp.rawValue, Int32(SHUT_RDWR)) == 0)
        stored.add(NamedDescriptor(name: name, descriptor: try pair.udp.duplicate()))
        stored.add(NamedDescriptor(name: name, descriptor: try pair.tcp.duplicate()))
        let taken = taken(of: inode, from: &stored)
        #expect(taken == "4")
        #expect(try TCPSocket.connecting(to: pair.tcp.localAddress()).rawValue >= 0)
    }

    @Test("is let go of where no container has it; what is in use stays with the service manager")
    func unclaimed() throws {
        let inode: UInt64 = 0xF000_0000
        var stored = StoredListeners()
        for number in 0..<3 { try add("ut", of: inode + UInt64(number), to: &stored) }
        stored.add(NamedDescriptor(name: "no inode", descriptor: try Self.pair(Self.intercom).udp.duplicate()))
        let used = StoredListenerName(inode: inode + 1)
        let taken = taken(of: used.inode, from: &stored)
        let isKept = stored.isKept(used)
        let isNew = [stored.keep("9"), stored.keep("9")]
        #expect(taken == "4" && isKept && isNew == [true, false])
        let gone = stored.closeAll(but: ["1", "9"])
        #expect(gone == ["0", "2", "no inode"])
        let left = [stored.isKept(used), stored.isKept(StoredListenerName(inode: inode)), stored.inodes.isEmpty]
        #expect(left == [true, false, true])
        let isLetGo = [stored.letGo(of: "9"), stored.letGo(of: "9")]
        #expect(isLetGo == [true, false])
    }
}
