// The kernel's part in keeping forgers out.

import LinuxNet
import Testing

@Suite("Museum: sockets to upstreams")
struct SocketTests {
    @Test("forged ICMP lowers the MTU of no path: IP_PMTUDISC_OMIT, ip(7), IPv4 and IPv6 (CVE-2023-28450 and its kind)")
    func pathMTU() throws {
        let v4 = try UDPSocket.connected(to: SocketAddress(v4: 0x7F00_0001, port: 9))
        let ignoresV4 = UDPSocket.ignoresPathMTU(v4, isV6: false)
        #expect(ignoresV4)
        let v6 = try UDPSocket.connected(to: SocketAddress(v6: 1, port: 9))
        let ignoresV6 = UDPSocket.ignoresPathMTU(v6, isV6: true)
        #expect(ignoresV6)
    }
}
