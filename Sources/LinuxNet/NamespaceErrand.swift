// Many namespaces entered one after another by one thread: what is made in each is handed over.

internal import CLinux
internal import Synchronization
internal import SystemPackage

/// What was made inside a namespace.
package struct OpenedNamespace: ~Copyable, Sendable {
    package let namespace: NetworkNamespace
    /// The namespace's SO_NETNS_COOKIE.
    package let cookie: UInt64
    /// Why there is no listener: `addressInUse` when something in the namespace has the port.
    package let listener: Result<ListenerSockets, LinuxError>
    /// Answers questions about the namespace's links and addresses; or tells of them, if that was asked for.
    package let netlink: RouteNetlink
}

/// One namespace to be entered. ``NamespaceEntry/carryOut(_:)`` does it, once.
package final class NamespaceErrand: Sendable {
    /// What the sockets of rtnetlink are for.
    package enum Netlink: Sendable {
        case questions
        /// Changes too; with room for so many octets of them.
        case changes(receiveBuffer: Int32)
    }

    private let address: SocketAddress
    private let netlink: Netlink
    private let namespace: Mutex<NetworkNamespace?>
    private let outcome = Mutex<Result<OpenedNamespace, LinuxError>?>(nil)

    /// - Parameter listener: where the namespace's listener answers, 127.0.0.11:53.
    package init(in namespace: consuming sending NetworkNamespace, listener: SocketAddress, netlink: Netlink) {
        self.address = listener
        self.netlink = netlink
        self.namespace = Mutex(namespace)
    }

    /// Enters the namespace with the calling thread, which does not come back from it by this.
    fileprivate func carryOut() {
        guard let namespace = namespace.withLock({ $0.take() }) else { return }
        var made: Result<OpenedNamespace, LinuxError>?
        do throws(LinuxError) {
            try namespace.enter()
            made = .success(try open(namespace))
        } catch {
            made = .failure(error)
        }
        outcome.withLock { swap(&$0, &made) }
    }

    private func open(_ namespace: consuming NetworkNamespace) throws(LinuxError) -> OpenedNamespace {
        let socket =
            switch netlink {
            case .questions: try RouteNetlink()
            case .changes(let room): try RouteNetlink.hearing(allNamespaces: false, receiveBuffer: room)
            }
        let cookie = try socket.descriptor.networkNamespaceCookie()
        let listener: Result<ListenerSockets, LinuxError>
        do throws(LinuxError) {
            listener = .success(try NamespaceEntry.makeListener(at: address))
        } catch {
            listener = .failure(error)
        }
        return OpenedNamespace(namespace: namespace, cookie: cookie, listener: listener, netlink: socket)
    }

    /// What was made; once.
    /// - Throws: ``LinuxError``: `notPermitted` from `setns` without CAP_SYS_ADMIN over the namespace; `canceled` before it
    ///   was carried out, and when it was taken.
    package func take() throws(LinuxError) -> OpenedNamespace {
        let made = outcome.withLock { $0.take() }
        guard let made else { throw LinuxError(call: "setns", errno: .canceled) }
        return try made.get()
    }
}

extension NamespaceEntry {
    /// Carries out errands on one thread, which goes from namespace to namespace, and waits for it.
    /// - Throws: ``LinuxError`` when no thread can be made.
    package static func carryOut(_ errands: [NamespaceErrand]) throws(LinuxError) {
        guard !errands.isEmpty else { return }
        try Thread.start(name: "namespaces") {
            for errand in errands { errand.carryOut() }
        }.join()
    }
}
