// Error of a call of libsystemd.

internal import CSystemd
package import SystemPackage

/// A call of libsystemd that failed: which one and why. Its description is a message for the operator.
package struct SystemdError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name of the call, as in its manual page.
    package let call: String
    /// Why it failed.
    package let errno: Errno

    package var description: String { "\(call): \(errno)" }
}

/// Makes a call that says its error as a negative errno(3), as all of libsystemd does.
@discardableResult
func checked(_ name: String, _ call: () -> Int32) throws(SystemdError) -> Int32 {
    let returned = call()
    guard returned < 0 else { return returned }
    throw SystemdError(call: name, errno: Errno(rawValue: -returned))
}
