// The program that has a port of this namespace: sock_diag(7) says which socket, /proc/PID/fd whose it is (proc(5)).

internal import CLinux

/// A process and its program.
package struct PortOwner: Sendable, Equatable, CustomStringConvertible {
    /// Its number.
    package let pid: Int32
    /// Its name, as ps(1) shows it; what is no printable ASCII is `?`.
    package let program: String

    /// `dnsmasq (pid 812)`.
    package var description: String { "\(program) (pid \(pid))" }

    /// Sockets that are looked for: more programs than these do not share one port.
    private static let maximumSockets = 64
    /// The longest name of a program, with its newline (TASK_COMM_LEN, `linux/sched.h`).
    private static let maximumName = 64

    /// Finds the process that has a port at an address, or at all addresses, over UDP or TCP. Reading whose descriptors they
    /// are needs CAP_SYS_PTRACE for processes of others.
    /// - Returns: nil where nobody has it any more, or it cannot be seen.
    package static func find(at address: SocketAddress) -> PortOwner? {
        let sockets = Set(sockets(at: address).prefix(maximumSockets).map { "socket:[\($0)]" })
        guard !sockets.isEmpty, let processes = try? Files.entries(of: "/proc") else { return nil }
        for pid in processes.compactMap({ Int32($0) }).sorted() {
            let directory = "/proc/\(pid)/fd"
            guard let descriptors = try? Files.entries(of: directory),
                descriptors.contains(where: { Files.linkTarget("\(directory)/\($0)").map(sockets.contains) ?? false })
            else { continue }
            let name = (try? Files.readBytes("/proc/\(pid)/comm", limit: maximumName)) ?? nil
            return PortOwner(pid: pid, program: text(of: name ?? []))
        }
        return nil
    }

    /// Inodes of the sockets that are bound there.
    private static func sockets(at address: SocketAddress) -> [UInt32] {
        var inodes: [UInt32] = []
        let own = address.networkOctets
        let transports: [Descriptor.Transport] = [.datagram, .stream]
        // A socket of IPv6 at :: may have the port of IPv4, too (ipv6(7) IPV6_V6ONLY).
        for family in [AF_INET, AF_INET6] {
            for transport in transports {
                let request = NetlinkRequest.listeners(onPort: address.port, family, over: transport)
                let found = (try? SocketDump().sockets(request, family: family)) ?? []
                inodes += found.filter { socket in
                    socket.port == address.port && !socket.isConnected
                        && (socket.address == own || socket.address.allSatisfy { $0 == 0 })
                }.map(\.inode)
            }
        }
        return inodes
    }

    private static func text(of name: [UInt8]) -> String {
        let printable = name.prefix { $0 != UInt8(ascii: "\n") }.map {
            (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?")
        }
        return printable.isEmpty ? "a program" : String(decoding: printable, as: UTF8.self)
    }
}
