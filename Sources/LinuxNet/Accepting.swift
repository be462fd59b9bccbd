// Accepting connections, accept(2): what its errors mean, and how many of them one call passes over.

internal import CLinux
internal import SystemPackage

/// Meaning of a failed accept(2) for the listening socket.
package enum AcceptFailure: Sendable {
    /// One connection ended before it was accepted; the next may be good.
    case connection
    /// Descriptors or memory are short; the connection waits in the listener's queue.
    case shortage
    /// The socket accepts nothing any more.
    case listener
}

extension LinuxError {
    /// Meaning of this error of accept(2), by "Error handling" and "ERRORS" of its manual page.
    package var acceptFailure: AcceptFailure {
        switch errno {
        case .connectionAbort, .protocolError, Errno(rawValue: ENOPROTOOPT), .hostIsDown, Errno(rawValue: ENONET),
            .noRouteToHost, .notSupportedOnSocket, .networkDown, .networkUnreachable, .timedOut, .notPermitted:
            .connection
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory: .shortage
        default: .listener
        }
    }
}

/// Connections that ended before they were accepted, passed over in one call. An error that does not go away (a security
/// module that forbids the call, EPERM) ends the call then.
private let passedOver = 16

/// The next connection of a TCP or Unix listener, non-blocking and close-on-exec; nil when none waits.
func acceptConnection(from listener: borrowing Descriptor) throws(LinuxError) -> Descriptor? {
    var attempt = 0
    while true {
        attempt += 1
        do throws(LinuxError) {
            let accepted = try systemUnlessBlocked("accept4") {
                clinux_accept(listener.rawValue, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
            }
            guard let accepted else { return nil }
            return Descriptor(adopting: accepted)
        } catch  where error.acceptFailure == .connection && attempt < passedOver {
            continue
        }
    }
}
