// The mark of our own questions inside a container's namespace, socket(7) SO_MARK.

internal import CLinux

/// Marks that our sockets give their packets.
package enum SocketMark {
    /// Packets of questions that we ask from inside a namespace: our rules of nftables there lead them nowhere else.
    ///
    /// A number that other programs' masks do not meet: WireGuard's wg-quick has 0xCA6C, Tailscale 0xFF0000, Kubernetes
    /// 0x4000 and 0x8000.
    package static let ownQuestion: UInt32 = 0x1C53
}

extension Descriptor {
    /// Sets the mark of a socket's packets; needs CAP_NET_ADMIN over its namespace.
    func setMark(_ mark: UInt32) throws(LinuxError) {
        try setOption(SOL_SOCKET, SO_MARK, Int32(bitPattern: mark))
    }
}
