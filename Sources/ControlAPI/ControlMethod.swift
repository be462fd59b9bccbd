// The calls of the Varlink interface `intercom.Control`: for each its parameters and its reply.

/// A method of `intercom.Control`: its name is that of the type.
package protocol ControlMethod {
    /// What a call carries.
    associatedtype Parameters: Codable & Sendable
    /// What its reply carries.
    associatedtype Reply: Codable & Sendable
}

extension ControlMethod {
    /// The method's full name on the wire, as `intercom.Control.ListNetworks`.
    package static var name: String { "\(ControlInterface.name).\(Self.self)" }
}

/// A call without parameters, or a reply without content.
package struct Nothing: Codable, Equatable, Sendable {
    package init() {}
}

/// Something that is called by its name alone.
package struct Named: Codable, Equatable, Sendable {
    /// What it is called.
    package var name: String

    package init(name: String) {
        self.name = name
    }
}
