// Receiving from netlink sockets, netlink(7): one datagram, who sent it, and never a wait.

internal import CLinux

/// Receives one datagram of a netlink socket into the beginning of a buffer (recvmsg(2) with MSG_DONTWAIT).
/// - Returns: its length and its origin; nil when none waits.
/// - Throws: ``LinuxError``: `noBufferSpace` once after the socket's buffer overflowed.
func receiveNetlink(
    _ descriptor: borrowing Descriptor, _ call: String, into buffer: inout [UInt8]
) throws(LinuxError) -> (count: Int, origin: clinux_netlink_origin)? {
    var origin = clinux_netlink_origin()
    let count = try systemUnlessBlocked(call, "netlink") {
        // The array's own storage and its count, and one record that the shim fills; used while the closure runs.
        unsafe buffer.withUnsafeMutableBytes {
            unsafe clinux_receive_netlink(descriptor.rawValue, $0.baseAddress, $0.count, &origin)
        }
    }
    return count.map { ($0, origin) }
}
