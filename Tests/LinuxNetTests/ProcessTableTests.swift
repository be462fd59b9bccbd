// Processes by /proc: the files about descriptors octet by octet, and this process itself.

import Foundation
import Testing

@testable import LinuxNet

@Suite("The table of processes")
struct ProcessTableTests {
    @Test("reads mount and inode of a descriptor, as proc_pid_fdinfo(5) has them")
    func descriptors() {
        let text = "pos:\t0\nflags:\t02000002\nmnt_id:\t9\nino:\t110562249\nscm_fds: 0\n"
        let facts = DescriptorFacts(text)
        #expect(facts?.mount == 9 && facts?.inode == 110_562_249)
        // Before Linux 5.14; no number; too long for one; a later line does not count.
        #expect(DescriptorFacts("pos:\t0\nflags:\t02\nmnt_id:\t9\n") == nil)
        #expect(DescriptorFacts("mnt_id:\tx\nino:\t1\n") == nil)
        #expect(DescriptorFacts("mnt_id:\t9\nino:\t99999999999999999999999\n") == nil)
        #expect(DescriptorFacts("mnt_id:\t9\nino:\t1\nino:\t2\n")?.inode == 1)
        #expect(DescriptorFacts("") == nil)
    }

    @Test("finds the process that has a socket, and none for a file of the same number elsewhere")
    func owners() throws {
        let socket = try UDPSocket.bound(to: SocketAddress(v4: 0x7F00_0001, port: 0))
        let facts = try #require(
            DescriptorFacts(ofFileAt: "/proc/self/fdinfo/\(socket.rawValue)", limit: 4096))
        let namespace = try #require(NamespaceIdentity(ofFileAt: "/proc/self/ns/net"))
        let owner = try #require(ProcessTable.owners(of: [facts.inode], in: namespace)[facts.inode])
        #expect(owner.pid == ProcessDescriptor.own && owner.namespace == namespace && !owner.command.isEmpty)
        #expect(ProcessTable.owners(of: [], in: namespace) == [:])
    }

    @Test("describes this process, and none where there is none")
    func process() throws {
        let own = try #require(try ProcessTable.process(ProcessDescriptor.own))
        #expect(own.namespace == NamespaceIdentity(ofFileAt: "/proc/self/ns/net"))
        #expect(try ProcessTable.process(-1) == nil && ProcessTable.process(0) == nil)
    }

    @Test("tells whether a file is mounted at a path, as proc_pid_mountinfo(5) has it, and not deleted since")
    func mounts() {
        func isMounted(_ lines: String...) -> Bool {
            ProcessTable.isMounted(at: "/etc/resolv.conf", from: "/netns/", lines.joined(separator: "\n"))
        }
        let root = "22 1 0:20 / / rw,relatime - ext4 /dev/vda rw"
        let file = "/etc/netns/app/resolv.conf"
        #expect(isMounted(root, "97 22 0:20 \(file) /etc/resolv.conf rw,relatime - ext4 /dev/vda rw"))
        // Of a file system of its own for /etc.
        #expect(isMounted("97 22 0:21 /netns/app/resolv.conf /etc/resolv.conf rw - ext4 /dev/vdb rw"))
        #expect(!isMounted(root))
        #expect(!isMounted("97 22 0:20 \(file)//deleted /etc/resolv.conf rw - ext4 /dev/vda rw"))
        #expect(!isMounted("97 22 0:20 \(file) /etc/resolv.confx rw - ext4 /dev/vda rw"))
        #expect(!isMounted("97 22 0:20 /run/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda rw"))
        #expect(!isMounted("97 22 0:20 \(file)", "", "/etc/resolv.conf"))
    }

    @Test("asks the kernel for a neighbor, and for the port of a bridge, by RTM_GETNEIGH")
    func neighborRequests() {
        // ndmsg: family, padding, link, state, flags, type; then NDA_DST (1), or NDA_MASTER (9) and NDA_LLADDR (2).
        let v4 = NetlinkRequest.neighbor(at: .v4(0x0A00_0002), on: 2)
        #expect(
            Array(v4.bytes[16...]) == [2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0] + [8, 0, 1, 0] + [10, 0, 0, 2])
        let v6 = NetlinkRequest.neighbor(at: .v6(0xFD << 120 | 2), on: 2)
        #expect(
            Array(v6.bytes[16...])
                == [10, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0] + [20, 0, 1, 0] + [0xFD] + [UInt8](repeating: 0, count: 14)
                + [2])
        let port = NetlinkRequest.port(of: HardwareAddress(rawValue: 0x0200_0000_0007), ofBridge: 2)
        #expect(
            Array(port.bytes[16...])
                == [7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] + [8, 0, 9, 0] + [2, 0, 0, 0]
                + [10, 0, 2, 0] + [2, 0, 0, 0, 0, 7] + [0, 0])
    }

    @Test("asks the kernel for the number of a process's namespace by NETNSA_PID")
    func request() {
        // Header (RTM_GETNSID 90); rtgenmsg and padding; the attribute, 8 octets, type 2.
        #expect(
            Array(NetlinkRequest.id(ofNamespaceOf: 4711).bytes[16...])
                == [0, 0, 0, 0] + [8, 0, 2, 0] + [0x67, 0x12, 0, 0])
    }
}
