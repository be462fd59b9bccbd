// The kernel's part in keeping forgers out.

import Foundation
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

    @Test(
        "10^5 questions come from ports all over the kernel's range, and none tells the next (CVE-2008-1447 and its kind)"
    )
    func ports() throws {
        let words = try String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)
            .split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        let range = try #require(words.count == 2 ? words[0]...words[1] : nil)
        // Nothing is sent: a socket has its port once it is connected.
        let server = SocketAddress(v4: 0x7F00_0001, port: 9)
        let total = 100_000
        var counts = [Int](repeating: 0, count: 65_536)
        var steps: [Int: Int] = [:]
        var last = 0
        for _ in 0..<total {
            let port = Int(try UDPSocket.connected(to: server).localAddress().port)
            #expect(range.contains(port))
            counts[port] += 1
            steps[port - last, default: 0] += 1
            last = port
        }
        // By chance a port is drawn `mean` times; that one of them is drawn eight deviations more often does not happen.
        let mean = Double(total) / Double(range.count)
        let most = counts.max() ?? 0
        #expect(Double(most) < mean + 8 * mean.squareRoot() + 8, "a port is preferred: \(most) of \(mean)")
        let drawn = counts.count { $0 > 0 }
        #expect(Double(drawn) > 0.9 * Double(range.count) * (1 - exp(-mean)), "\(drawn) of \(range.count)")
        // Neither the same port again, nor the next one, nor any other distance more often than chance has it.
        let commonest = steps.values.max() ?? 0
        #expect(Double(commonest) < mean + 8 * mean.squareRoot() + 8, "a step is preferred: \(commonest) of \(mean)")
    }
}
