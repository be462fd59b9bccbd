// The calls of the Varlink interfaces: each is a type that has all that is to be said of it.

/// A method of `intercom.Control`, or of another interface of the daemon: its name is that of the type.
///
/// Its handler is an extension of the type in IntercomServer's folder Methods; everything else stands here.
package protocol ControlMethod: SendableMetatype {
    /// Parameters of a call.
    associatedtype Parameters: Codable & Sendable
    /// Parameters of its reply.
    associatedtype Reply: Codable & Sendable

    /// Name of the interface that it belongs to.
    static var interface: String { get }
    /// Its piece of the interface's description: what it does, its parameters, its reply.
    static var definition: String { get }
    /// The types that the piece speaks of, each behind those that it speaks of itself.
    static var types: [any ControlType.Type] { get }
    /// True where a call declares something that outlives the daemon: it is written to the state directory.
    static var isPersisted: Bool { get }
    /// Callers that may use it.
    static var permission: ControlPermission { get }
}

extension ControlMethod {
    /// The method's full name on the wire, as `intercom.Control.ListNetworks`.
    package static var name: String { "\(interface).\(Self.self)" }

    package static var interface: String { ControlInterface.name }
    package static var types: [any ControlType.Type] { [] }
    package static var isPersisted: Bool { false }
    package static var permission: ControlPermission { .group }
}

/// A type of the interface: what Varlink calls a `type`.
package protocol ControlType: SendableMetatype {
    /// Its piece of the interface's description.
    static var definition: String { get }
}

/// Callers that may use a method.
package enum ControlPermission: Sendable {
    /// Root, the user that the daemon runs as, and members of the group that the socket belongs to.
    case group
    /// Root and the user that the daemon runs as.
    case root
}

/// A call without parameters, or a reply without content.
package struct Nothing: Codable, Equatable, Sendable {
    package init() {}
}

/// Parameters of a call about one thing by its name.
package struct Named: Codable, Equatable, Sendable {
    /// Name of the thing.
    package var name: String

    package init(name: String) {
        self.name = name
    }
}
