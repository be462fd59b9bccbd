// The host's subscription to changes of links and addresses.

internal import SystemPackage

/// The socket by which the kernel notifies of links and addresses.
package struct KernelSubscription: ~Copyable, Sendable {
    /// The subscribed socket.
    package let netlink: RouteNetlink
    /// True when it covers all namespaces that have a number in this one; else it covers this one alone.
    package let coversAll: Bool
    /// This namespace's number in itself: notifications about it may carry that.
    package let hostNumber: NamespaceID

    /// Takes over a socket that was made elsewhere.
    package init(adopting netlink: consuming RouteNetlink, coversAll: Bool, hostNumber: NamespaceID) {
        self.netlink = netlink
        self.coversAll = coversAll
        self.hostNumber = hostNumber
    }

    /// Gives up all but the socket.
    package consuming func takeNetlink() -> RouteNetlink { netlink }

    /// Subscribes to all namespaces, or where that is not to be had to the one that this thread is in.
    /// - Parameter receiveBuffer: octets of notifications that may wait.
    /// - Throws: ``LinuxError``, for example `notPermitted` without CAP_NET_ADMIN.
    package static func open(receiveBuffer: Int32) throws(LinuxError) -> KernelSubscription {
        var asking = try RouteNetlink()
        var buffer = RouteNetlink.makeBuffer()
        let hostNumber = try asking.number(of: try NetworkNamespace.current(), using: &buffer)
        do throws(LinuxError) {
            let socket = try RouteNetlink.subscribed(allNamespaces: true, receiveBuffer: receiveBuffer)
            return KernelSubscription(adopting: socket, coversAll: true, hostNumber: hostNumber)
        } catch  where error.errno == .notPermitted || error.errno == .protocolNotAvailable {
            let socket = try RouteNetlink.subscribed(allNamespaces: false, receiveBuffer: receiveBuffer)
            return KernelSubscription(adopting: socket, coversAll: false, hostNumber: hostNumber)
        }
    }
}
