// Sockets of the tests' own on the loopback interface: UDP and TCP at one port.

import LinuxNet
import SystemPackage

extension ListenerSockets {
    /// Sockets at an address of this machine, at a port that nobody else has.
    /// - Parameter address: with port 0: any.
    static func atLoopback(
        _ address: SocketAddress = SocketAddress(v4: 0x7F00_0001, port: 0)
    ) throws(LinuxError) -> ListenerSockets {
        var left = 50
        while true {
            let udp = try UDPSocket.bound(to: address)
            do throws(LinuxError) {
                let tcp = try TCPSocket.listening(at: try udp.localAddress())
                return ListenerSockets(udp: udp, tcp: tcp, cookie: 0)
            } catch {
                // The kernel chooses a port that is free for UDP; a connection may have it.
                left -= 1
                guard error.errno == .addressInUse, address.port == 0, left > 0 else { throw error }
            }
        }
    }
}
