// What the service manager hands over when the daemon starts: the control socket that a call came to.

import LinuxNet
import Logging
import Systemd

/// Descriptors that were made before this process.
struct Inheritance: ~Copyable {
    /// `FileDescriptorName=` of the control socket in its unit.
    static let controlSocketName = "control"

    /// Listening; nil where the daemon makes it itself.
    var controlSocket: Descriptor?

    /// Takes over what is there. It changes the environment, so no other thread may be there yet.
    init(logger: Logger) {
        do throws(SystemdError) {
            var inherited = try InheritedDescriptors()
            while let named = inherited.next() { take(named, logger) }
        } catch {
            logger.warning("descriptors of the service manager cannot be taken over: \(error)")
        }
    }

    private mutating func take(_ named: consuming NamedDescriptor, _ logger: Logger) {
        let name = named.name
        switch name {
        case Self.controlSocketName where UnixSocket.adopt(named.descriptor):
            controlSocket = named.takeDescriptor()
        default:
            logger.warning("a descriptor of the service manager is not known and is closed: \(name)")
        }
    }
}
