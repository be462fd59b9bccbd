// Errands in namespaces: what is made inside is handed over. One thread does many, going from namespace to namespace.

internal import CLinux
internal import Synchronization
internal import SystemPackage

/// Sockets that were made inside a namespace.
package struct OpenedNamespace: ~Copyable, Sendable {
    /// The namespace's SO_NETNS_COOKIE.
    package let cookie: UInt64
    /// The number of the namespace in the host's.
    package let number: NamespaceID
    /// The number that the host's namespace has in it; ``NamespaceID/notAssigned`` where the kernel has given it none. We give
    /// it none either: by it a container's root with CAP_NET_ADMIN lists and deletes the host's links.
    package let hostNumber: NamespaceID
    /// Nil where none was asked for, or ``refusal`` says why there is none.
    package var listener: ListenerSockets?
    /// Why there is no listener: `addressInUse` when something in the namespace has the port.
    package let refusal: LinuxError?
    /// Answers questions about the namespace's links and addresses; or notifies of them, if that was asked for.
    package let netlink: RouteNetlink

    package init(
        cookie: UInt64, number: NamespaceID, hostNumber: NamespaceID, listener: consuming ListenerSockets?,
        refusal: LinuxError?, netlink: consuming RouteNetlink
    ) {
        self.cookie = cookie
        self.number = number
        self.hostNumber = hostNumber
        self.listener = listener
        self.refusal = refusal
        self.netlink = netlink
    }

    /// Gives up all but the socket of rtnetlink.
    package consuming func takeNetlink() -> RouteNetlink { netlink }
}

/// Sockets to make in one namespace. It is carried out once, and its result is taken once.
package final class NamespaceErrand: Sendable {
    /// Address of the listener, 127.0.0.11:53; nil: none is made.
    package let listener: SocketAddress?
    /// True when any other port will do where something in the namespace has the listener's.
    package let takesAnyPort: Bool
    /// Octets of notifications that may wait in the socket of rtnetlink; nil: it is not subscribed, and answers only.
    package let receiveBuffer: Int32?
    private let namespace: Mutex<NetworkNamespace?>
    private let outcome = Mutex<Result<OpenedNamespace, LinuxError>?>(nil)

    /// An errand that nobody has carried out yet.
    package init(
        in namespace: consuming sending NetworkNamespace, listener: SocketAddress?, takesAnyPort: Bool = false,
        receiveBuffer: Int32?
    ) {
        self.listener = listener
        self.takesAnyPort = takesAnyPort
        self.receiveBuffer = receiveBuffer
        self.namespace = Mutex(namespace)
    }

    /// Descriptor of the namespace, to be passed on while the errand is not carried out; nil afterwards.
    package var namespaceDescriptor: Int32? {
        namespace.withLock { namespace in
            switch namespace {
            case .some(let namespace): namespace.descriptor.rawValue
            case .none: nil
            }
        }
    }

    /// Carries out the errand by `body`, which is given the namespace.
    package func carryOut(_ body: (borrowing NetworkNamespace) throws(LinuxError) -> OpenedNamespace) {
        guard let namespace = namespace.withLock({ $0.take() }) else { return }
        var made: Result<OpenedNamespace, LinuxError>?
        do throws(LinuxError) {
            made = .success(try body(namespace))
        } catch {
            made = .failure(error)
        }
        outcome.withLock { swap(&$0, &made) }
    }

    /// The result; once.
    /// - Throws: ``LinuxError``: `notPermitted` from `setns` without CAP_SYS_ADMIN over the namespace; `canceled` before it
    ///   was carried out, and when it was taken.
    package func take() throws(LinuxError) -> OpenedNamespace {
        let made = outcome.withLock { $0.take() }
        guard let made else { throw LinuxError(call: "setns", errno: .canceled) }
        return try made.get()
    }
}

extension NamespaceEntry {
    /// Carries out errands on one thread, and waits for it.
    /// - Throws: ``LinuxError`` when no thread can be made.
    package static func carryOut(_ errands: [NamespaceErrand]) throws(LinuxError) {
        guard !errands.isEmpty else { return }
        try Thread.start(name: "namespaces") {
            do throws(LinuxError) {
                let host = try HostSide.take()
                for errand in errands {
                    errand.carryOut { namespace throws(LinuxError) in try host.open(namespace, errand) }
                }
                host.giveBack()
            } catch {
                for errand in errands { errand.carryOut { _ throws(LinuxError) in throw error } }
            }
        }.join()
    }

    /// Descriptors of the host's namespace that a thread takes along into others, and leaves to the next thread.
    private final class HostSide: Sendable {
        /// The one that nobody has. More are not kept: after a burst the process has as many descriptors as before it.
        private static let idle = Mutex<HostSide?>(nil)

        private struct Netlink: ~Copyable {
            var socket: RouteNetlink
            var buffer = RouteNetlink.makeBuffer()
            /// True when a request has failed: a part of its answer may still be in the socket.
            var hasFailed = false
        }

        private let namespace: NetworkNamespace
        /// For the one thread that has taken this.
        private let netlink: Mutex<Netlink>

        private init() throws(LinuxError) {
            netlink = Mutex(Netlink(socket: try RouteNetlink()))
            namespace = try NetworkNamespace.current()
        }

        /// One that nobody has, or a new one. To be called in the host's namespace.
        static func take() throws(LinuxError) -> HostSide {
            if let idle = idle.withLock({ $0.take() }) { return idle }
            return try HostSide()
        }

        /// Leaves this to another thread.
        func giveBack() {
            if netlink.withLock({ $0.hasFailed }) { return }
            Self.idle.withLock { $0 = self }
        }

        /// The number of a namespace in the host's.
        private func number(of other: borrowing NetworkNamespace) throws(LinuxError) -> NamespaceID {
            try netlink.withLock { netlink throws(LinuxError) in
                netlink.hasFailed = true
                let number = try netlink.socket.number(of: other, using: &netlink.buffer)
                netlink.hasFailed = false
                return number
            }
        }

        /// Enters a namespace with the calling thread, which stays there, and makes what is wanted.
        func open(
            _ other: borrowing NetworkNamespace, _ errand: NamespaceErrand
        ) throws(LinuxError) -> OpenedNamespace {
            let number = try number(of: other)
            var buffer = RouteNetlink.makeBuffer()
            try other.enter()
            var socket =
                if let room = errand.receiveBuffer {
                    try RouteNetlink.subscribed(allNamespaces: false, receiveBuffer: room)
                } else {
                    try RouteNetlink()
                }
            let hostNumber = try socket.knownNumber(of: namespace, using: &buffer)
            let cookie = try socket.descriptor.networkNamespaceCookie()
            var listener: ListenerSockets?
            var refusal: LinuxError?
            do throws(LinuxError) {
                if let address = errand.listener {
                    listener = try NamespaceEntry.makeListener(at: address, orAtAnyPort: errand.takesAnyPort)
                }
            } catch {
                refusal = error
            }
            return OpenedNamespace(
                cookie: cookie, number: number, hostNumber: hostNumber, listener: listener, refusal: refusal,
                netlink: socket)
        }
    }
}
