// Where the kernel is heard from.

internal import SystemPackage

/// The socket by which the kernel tells of links and addresses.
package struct KernelEar: ~Copyable, Sendable {
    /// What is heard comes from it.
    package let netlink: RouteNetlink
    /// Whether it hears all namespaces that have a number in this one; else this one alone.
    package let hearsAll: Bool
    /// This namespace's number in itself: what is told of it may carry that.
    package let hostNumber: NamespaceID

    /// Takes over a socket that was made elsewhere.
    package init(adopting netlink: consuming RouteNetlink, hearsAll: Bool, hostNumber: NamespaceID) {
        self.netlink = netlink
        self.hearsAll = hearsAll
        self.hostNumber = hostNumber
    }

    /// Gives up all but the socket.
    package consuming func takeNetlink() -> RouteNetlink { netlink }

    /// Hears all namespaces, or where that is not to be had the one that this thread is in.
    /// - Parameter receiveBuffer: octets of what is told that may wait.
    /// - Throws: ``LinuxError``, for example `notPermitted` without CAP_NET_ADMIN.
    package static func open(receiveBuffer: Int32) throws(LinuxError) -> KernelEar {
        var asking = try RouteNetlink()
        var buffer = RouteNetlink.makeBuffer()
        let hostNumber = try asking.number(of: try NetworkNamespace.current(), using: &buffer)
        do throws(LinuxError) {
            let socket = try RouteNetlink.hearing(allNamespaces: true, receiveBuffer: receiveBuffer)
            return KernelEar(adopting: socket, hearsAll: true, hostNumber: hostNumber)
        } catch  where error.errno == .notPermitted || error.errno == .protocolNotAvailable {
            let socket = try RouteNetlink.hearing(allNamespaces: false, receiveBuffer: receiveBuffer)
            return KernelEar(adopting: socket, hearsAll: false, hostNumber: hostNumber)
        }
    }
}
