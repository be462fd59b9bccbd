// Descriptors that the service manager hands over when the daemon starts: the control socket that a call came to, and listeners.

import LinuxNet
import Logging
import Systemd

/// Descriptors that were made before this process.
struct Inheritance: ~Copyable {
    /// `FileDescriptorName=` of the control socket in its unit.
    static let controlSocketName = "control"

    /// Listening; nil where the daemon makes it itself.
    private var controlSocket: Descriptor?
    /// Those that it has kept since the last daemon.
    private var listeners = StoredListeners()

    /// Takes over what is there. It changes the environment, so no other thread may be there yet.
    init(logger: Logger) {
        do throws(SystemdError) {
            var inherited = try InheritedDescriptors()
            while let named = inherited.next() { take(named, logger) }
        } catch {
            logger.warning("cannot take over descriptors of the service manager: \(error)")
        }
    }

    /// True when the control socket is the service manager's.
    var hasControlSocket: Bool {
        switch controlSocket {
        case .some: true
        case .none: false
        }
    }

    /// The control socket: the one that was handed over, else one that is made.
    mutating func takeControlSocket(orMakeAt path: String, group: String) throws(LinuxError) -> Descriptor {
        if let inherited = controlSocket.take() { return inherited }
        return try UnixSocket.listen(path: path, mode: 0o660, group: group)
    }

    mutating func takeListeners() -> StoredListeners {
        var taken = StoredListeners()
        swap(&taken, &listeners)
        return taken
    }

    private mutating func take(_ named: consuming NamedDescriptor, _ logger: Logger) {
        let name = named.name
        switch name {
        case Self.controlSocketName where UnixSocket.adopt(named.descriptor):
            controlSocket = named.takeDescriptor()
        case Self.controlSocketName:
            logger.warning("the service manager passed a control socket that does not listen; using an own one")
        default:
            listeners.add(named)
        }
    }
}
