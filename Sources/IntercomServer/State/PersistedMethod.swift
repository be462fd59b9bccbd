// Methods whose calls outlive the daemon: what a call means for what holds, and how it is made again at the next start.

import ControlAPI
import DNSWire
import Varlink

/// A method whose calls are kept, as their name and their parameters, until others take them back.
///
/// To keep the calls of another method, conform it: nothing else has to know of it.
protocol PersistedMethod: SendableMetatype {
    associatedtype Parameters: Codable & Sendable

    /// Full name under which a call is kept.
    static var name: String { get }
    /// Turn in which the calls are made again.
    static var turn: RestoreTurn { get }

    /// Takes a call that was carried out into what holds. One that makes no sense there changes nothing.
    /// - Parameters:
    ///   - parameters: of the call.
    ///   - call: the same as it is kept, where nothing has to be changed in it.
    ///   - declarations: what holds.
    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations)
    /// Makes the call again; nothing where it removes something, for it is kept no longer than the declaration that it removes.
    static func restore(_ parameters: Parameters, by plane: ControlPlane) throws(ControlError)
    /// Container that has to be there before the call can be made again; nil: none.
    static func container(of parameters: Parameters) -> String?
    /// Words for a message about the call, as "container web on network n".
    static func words(for parameters: Parameters) -> String
    /// The call as a Varlink message with its NUL.
    static func encode(_ parameters: Parameters) -> [UInt8]
}

/// Turns in which kept calls are made again: networks and containers need their policies, containers their
/// networks, everything else needs its container.
enum RestoreTurn: Int, Comparable, Sendable {
    case policies, networks, containers, others

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension PersistedMethod {
    static var turn: RestoreTurn { .others }

    static func restore(_ parameters: Parameters, by plane: ControlPlane) throws(ControlError) {}
    static func container(of parameters: Parameters) -> String? { nil }
    static func words(for parameters: Parameters) -> String { name }

    static func encode(_ parameters: Parameters) -> [UInt8] { VarlinkCall.encode(method: name, parameters: parameters) }
}

/// All methods whose calls are kept.
enum PersistedMethods {
    /// By their full names.
    static let named: [String: any PersistedMethod.Type] = {
        let methods =
            ControlInterface.methods.compactMap { $0 as? any PersistedMethod.Type }
            + [Attach.self, KeptNetwork.self, KeptContainer.self, DroppedPublications.self]
        return Dictionary(methods.map { ($0.name, $0) }) { first, _ in first }
    }()
}
