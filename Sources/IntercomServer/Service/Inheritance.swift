// Descriptors that the service manager hands over when the daemon starts: sockets that calls come to, and listeners.

import LinuxNet
import Logging
import Systemd

/// Descriptors that were made before this process.
struct Inheritance: ~Copyable {
    /// Listening; nil where the daemon makes it itself.
    private var controlSocket: Descriptor?
    /// The same for the cluster's bridge.
    private var clusterSocket: Descriptor?
    /// The same for systemd-resolved; it is never made by the daemon.
    private var resolveHookSocket: Descriptor?
    /// Those that it has kept since the last daemon.
    private var listeners = StoredListeners()
    /// The same for gateways.
    private var gateways = StoredGateways()

    /// Nothing was handed over.
    init() {}

    /// Takes over what is there. It changes the environment, so no other thread may be there yet.
    init(logger: Logger) {
        do throws(SystemdError) {
            var inherited = try InheritedDescriptors()
            while let named = inherited.next() { take(named, logger) }
        } catch {
            logger.warning("cannot take over descriptors of the service manager: \(error)")
        }
    }

    /// True when a socket is the service manager's.
    func has(_ purpose: ControlSocket.Purpose) -> Bool {
        switch purpose {
        case .control: Self.isThere(controlSocket)
        case .cluster: Self.isThere(clusterSocket)
        case .resolveHook: Self.isThere(resolveHookSocket)
        }
    }

    private static func isThere(_ socket: borrowing Descriptor?) -> Bool {
        switch socket {
        case .some: true
        case .none: false
        }
    }

    /// A socket: the one that was handed over, else one that is made.
    mutating func take(
        _ purpose: ControlSocket.Purpose, orMakeAt path: String, group: String
    ) throws(LinuxError) -> Descriptor {
        switch purpose {
        case .control: if let inherited = controlSocket.take() { return inherited }
        case .cluster: if let inherited = clusterSocket.take() { return inherited }
        case .resolveHook: if let inherited = resolveHookSocket.take() { return inherited }
        }
        return try UnixSocket.listen(path: path, mode: 0o660, group: group)
    }

    mutating func takeListeners() -> StoredListeners {
        var taken = StoredListeners()
        swap(&taken, &listeners)
        return taken
    }

    mutating func takeGateways() -> StoredGateways {
        var taken = StoredGateways()
        swap(&taken, &gateways)
        return taken
    }

    private mutating func take(_ named: consuming NamedDescriptor, _ logger: Logger) {
        let name = named.name
        if StoredGateways.isName(name) { return gateways.add(named) }
        guard let purpose = ControlSocket.Purpose(rawValue: name) else { return listeners.add(named) }
        guard UnixSocket.adopt(named.descriptor) else {
            return logger.warning(
                "the service manager passed a \(name) socket that does not listen; using an own one")
        }
        switch purpose {
        case .control: controlSocket = named.takeDescriptor()
        case .cluster: clusterSocket = named.takeDescriptor()
        case .resolveHook: resolveHookSocket = named.takeDescriptor()
        }
    }
}
