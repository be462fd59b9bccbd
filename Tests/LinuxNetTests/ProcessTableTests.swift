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

    @Test("asks the kernel for the number of a process's namespace by NETNSA_PID")
    func request() {
        // Header (RTM_GETNSID 90); rtgenmsg and padding; the attribute, 8 octets, type 2.
        #expect(
            Array(NetlinkRequest.id(ofNamespaceOf: 4711).bytes[16...])
                == [0, 0, 0, 0] + [8, 0, 2, 0] + [0x67, 0x12, 0, 0])
    }
}
