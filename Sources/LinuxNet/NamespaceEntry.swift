// Entering a network namespace, setns(2): always on a thread made for it, so that no other thread ever changes its own.

internal import CLinux
internal import Synchronization
internal import SystemPackage

/// Errands inside a network namespace. They need CAP_SYS_ADMIN over it.
package enum NamespaceEntry {
    /// Octets of queries that may wait in a listener: over a thousand.
    private static let receiveBuffer: Int32 = 1 << 20

    /// Makes the listener of the namespace that this thread is in; brings its loopback interface up if it is down.
    /// - Parameters:
    ///   - address: where it answers, 127.0.0.11:53; with port 0 at any that is free, the same for UDP and TCP.
    ///   - takesAnyPort: true when any port will do where something in the namespace has that one.
    /// - Throws: ``LinuxError``: `addressInUse` from `bind` or `listen` when something in the namespace has the port.
    static func makeListener(
        at address: SocketAddress, orAtAnyPort takesAnyPort: Bool = false
    ) throws(LinuxError) -> ListenerSockets {
        try bringUpLoopback()
        if address.port == 0 { return try anyPortListener(at: address) }
        do throws(LinuxError) {
            return try boundListener(at: address)
        } catch  where takesAnyPort && error.errno == .addressInUse {
            return try anyPortListener(at: address.withPort(0))
        }
    }

    /// Makes a listener in the namespace that this process is in, whose loopback interface is up.
    /// - Parameter address: where it answers, 127.0.0.11:53.
    /// - Throws: ``LinuxError``: `addressInUse` when another program has the port.
    package static func makeOwnListener(at address: SocketAddress) throws(LinuxError) -> ListenerSockets {
        try boundListener(at: address)
    }

    /// Makes a listener at an address of the host, for what comes in through one of its interfaces.
    /// - Parameters:
    ///   - address: an address of that interface, with port 53.
    ///   - interface: `ifi_index`.
    /// - Throws: ``LinuxError``: `addressInUse` when another program has the port, with its name in the subject;
    ///   `addressNotAvailable` when the interface does not have the address.
    package static func makeGatewayListener(
        at address: SocketAddress, on interface: UInt32
    ) throws(LinuxError) -> ListenerSockets {
        do throws(LinuxError) {
            let udp = try UDPSocket.bound(to: address, on: interface, receiveBuffer: receiveBuffer)
            let tcp = try TCPSocket.listening(at: address, on: interface)
            let cookie = try udp.networkNamespaceCookie()
            return ListenerSockets(udp: udp, tcp: tcp, cookie: cookie)
        } catch  where error.errno == .addressInUse {
            let holder = holder(ofPortAt: address).map { "\(address), which \($0.command) (pid \($0.pid)) has" }
            throw LinuxError(call: error.call, errno: error.errno, subject: holder ?? error.subject)
        }
    }

    private static func boundListener(at address: SocketAddress) throws(LinuxError) -> ListenerSockets {
        let udp = try UDPSocket.bound(to: address, receiveBuffer: receiveBuffer)
        let tcp = try TCPSocket.listening(at: address)
        let cookie = try udp.networkNamespaceCookie()
        return ListenerSockets(udp: udp, tcp: tcp, cookie: cookie)
    }

    /// Makes a listener at a port that the kernel chooses.
    private static func anyPortListener(at address: SocketAddress) throws(LinuxError) -> ListenerSockets {
        // The port that UDP is given may be taken for TCP: then it is another one's turn.
        for _ in 0..<16 {
            let udp = try UDPSocket.bound(to: address, receiveBuffer: receiveBuffer)
            let cookie = try udp.networkNamespaceCookie()
            guard let tcp = try TCPSocket.listeningUnlessInUse(at: try udp.localAddress()) else { continue }
            return ListenerSockets(udp: udp, tcp: tcp, cookie: cookie)
        }
        throw LinuxError(call: "bind", errno: .noBufferSpace, subject: "\(address): no port for UDP and TCP")
    }

    /// Runs `body` on a fresh thread inside the namespace and waits for it; the caller's thread stays where it is.
    /// - Throws: ``LinuxError`` when the namespace cannot be entered, or what `body` throws.
    package static func run<Made: ~Copyable & Sendable>(
        in namespace: borrowing NetworkNamespace,
        _ body: @escaping @Sendable () throws(LinuxError) -> Made
    ) throws(LinuxError) -> Made {
        let outcome = Outcome<Made>()
        // The number stays good: the namespace is borrowed until the thread has ended.
        let descriptor = namespace.descriptor.rawValue
        let identity = namespace.identity
        let thread = try Thread.start(name: "namespace") {
            do throws(LinuxError) {
                try enter(descriptor, identity)
                outcome.put(.success(try body()))
            } catch {
                outcome.put(.failure(error))
            }
        }
        thread.join()
        return try outcome.take()
    }

    /// Moves the calling thread into a namespace (setns(2)).
    fileprivate static func enter(_ descriptor: Int32, _ identity: NamespaceIdentity) throws(LinuxError) {
        try system("setns", identity.description) { clinux_enter_namespace(descriptor, CLONE_NEWNET) }
    }

    /// Sets IFF_UP on `lo` of the namespace that this thread is in; the kernel gives it 127.0.0.1/8 then.
    private static func bringUpLoopback() throws(LinuxError) {
        let socket = try Descriptor.socket(AF_INET, SOCK_DGRAM)
        // The name is a string that the shim copies, bounded by IFNAMSIZ.
        try system("ioctl SIOCSIFFLAGS", "lo") { unsafe clinux_bring_up(socket.rawValue, "lo") }
    }
}

extension NetworkNamespace {
    /// Moves the calling thread into the namespace; it has to be one that was made for that.
    /// - Throws: ``LinuxError``: `notPermitted` without CAP_SYS_ADMIN over the namespace.
    func enter() throws(LinuxError) {
        try NamespaceEntry.enter(descriptor.rawValue, identity)
    }
}

/// Carries what one thread has made to the thread that waits for it.
private final class Outcome<Made: ~Copyable & Sendable>: Sendable {
    private let result = Mutex<Result<Made, LinuxError>?>(nil)

    func put(_ made: consuming sending Result<Made, LinuxError>) {
        var made: Result<Made, LinuxError>? = made
        result.withLock { swap(&$0, &made) }
    }

    func take() throws(LinuxError) -> Made {
        let taken = result.withLock { result in
            var taken: Result<Made, LinuxError>? = nil
            swap(&taken, &result)
            return taken
        }
        guard let taken else { throw LinuxError(call: "setns", errno: .canceled) }
        return try taken.get()
    }
}
