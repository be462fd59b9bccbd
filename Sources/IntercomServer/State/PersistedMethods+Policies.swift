// Calls about policies, as they are kept: each policy whole, whichever call changed it.

import ControlAPI

extension SetPolicy: PersistedMethod {
    static var turn: RestoreTurn { .policies }

    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {
        declarations.put(call, about: .policy(parameters.name))
    }

    static func restore(_ parameters: Parameters, by plane: ControlPlane) throws(ControlError) {
        try change(plane, parameters)
    }

    static func words(for parameters: Parameters) -> String { "policy \(parameters.name)" }
}

extension RemovePolicy: PersistedMethod {
    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {
        // Without some of its rules a policy is kept by SetPolicy.
        if parameters.names == nil { declarations.remove(.policy(parameters.name)) }
    }
}

extension AllowNames: PersistedMethod {
    /// Nothing: the policy is kept whole, by SetPolicy.
    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {}
}

extension DenyNames: PersistedMethod {
    /// Nothing: the policy is kept whole, by SetPolicy.
    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {}
}
