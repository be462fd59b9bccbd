// One change of what is declared, as the state directory keeps it: the call that made it.

import ControlAPI
import Varlink

/// A call of a persisted method that was carried out: its method and its parameters.
struct Declaration: Sendable {
    /// The method.
    let method: any PersistedMethod.Type
    /// Of the type that the method has.
    private let parameters: any Codable & Sendable
    /// A Varlink message without its NUL: one line of JSON.
    let message: [UInt8]

    init<Method: PersistedMethod>(_ method: Method.Type, _ parameters: Method.Parameters) {
        var message = Method.encode(parameters)
        message.removeLast()
        self.init(method, parameters, message)
    }

    private init<Method: PersistedMethod>(_ method: Method.Type, _ parameters: Method.Parameters, _ message: [UInt8]) {
        self.method = method
        self.parameters = parameters
        self.message = message
    }

    /// Reads a message.
    /// - Throws: ``Unreadable``.
    init(message: [UInt8]) throws(Unreadable) {
        guard let call = try? VarlinkCall(message: message) else { throw .damaged }
        guard let method = PersistedMethods.named[call.method] else { throw .unknownMethod(call.method) }
        self = try Self.read(method, call, message)
    }

    private static func read<Method: PersistedMethod>(
        _ method: Method.Type, _ call: VarlinkCall, _ message: [UInt8]
    ) throws(Unreadable) -> Declaration {
        do throws(InvalidParameter) {
            return Declaration(method, try call.parameters(Method.Parameters.self), message)
        } catch {
            throw .damaged
        }
    }

    /// Why a message is no declaration for this version.
    enum Unreadable: Error, Equatable, CustomStringConvertible {
        /// It is not what was written.
        case damaged
        /// A later version keeps calls of this method.
        case unknownMethod(String)

        /// Predicate of a sentence about the line that it is in.
        var description: String {
            switch self {
            case .damaged: "is damaged"
            case .unknownMethod(let method): "keeps a call that this version does not know (\(method))"
            }
        }
    }

    /// The parameters of a call of this method; nil where it is another's.
    func parameters<Method: PersistedMethod>(of method: Method.Type) -> Method.Parameters? {
        self.method.name == Method.name ? parameters as? Method.Parameters : nil
    }
}

extension Declaration: Equatable {
    static func == (left: Declaration, right: Declaration) -> Bool { left.message == right.message }
}

extension Declaration {
    /// Takes the call into what holds.
    func apply(to declarations: inout Declarations) {
        func apply<Method: PersistedMethod>(_ method: Method.Type) {
            if let parameters = parameters(of: method) { method.apply(parameters, as: self, to: &declarations) }
        }
        apply(method)
    }

    /// Makes the call again.
    func restore(by plane: ControlPlane) throws(ControlError) {
        func restore<Method: PersistedMethod>(_ method: Method.Type) throws(ControlError) {
            if let parameters = parameters(of: method) { try method.restore(parameters, by: plane) }
        }
        try restore(method)
    }

    /// Container that has to be there before the call can be made again.
    var container: String? {
        func container<Method: PersistedMethod>(_ method: Method.Type) -> String? {
            parameters(of: method).flatMap { method.container(of: $0) }
        }
        return container(method)
    }

    /// Words for a message about the call.
    var words: String {
        func words<Method: PersistedMethod>(_ method: Method.Type) -> String {
            parameters(of: method).map { method.words(for: $0) } ?? method.name
        }
        return words(method)
    }
}
