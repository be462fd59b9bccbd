// A call: which method, with what parameters, and what kind of reply is wanted.

import FoundationEssentials

/// Octets that are no Varlink message. The other end is no Varlink peer: the connection is to be closed.
package enum VarlinkCallError: Error, Hashable, Sendable {
    /// Not JSON, or not an object as it has to be.
    case malformed
}

/// A parameter that is missing or of the wrong type: `org.varlink.service.InvalidParameter`.
package struct InvalidParameter: Error, Codable, Hashable, Sendable {
    /// Its place, as `networks[0].name`.
    package let parameter: String

    package init(parameter: String) {
        self.parameter = parameter
    }
}

/// A call of a client.
package struct VarlinkCall: Sendable {
    private struct Envelope: Codable {
        var method: String
        var oneway: Bool?
        var more: Bool?
        var upgrade: Bool?
    }

    private struct OutgoingEnvelope<Parameters: Encodable>: Encodable {
        var method: String
        var parameters: Parameters
        var oneway: Bool?
        var more: Bool?
    }

    /// The method's full name, as `org.varlink.service.GetInfo`.
    package let method: String
    /// The client wants no reply at all.
    package let oneway: Bool
    /// The client takes several replies.
    package let more: Bool
    /// The client wants to speak another protocol afterwards.
    package let upgrade: Bool
    private let message: [UInt8]

    /// Reads a message.
    /// - Throws: ``VarlinkCallError/malformed``.
    package init(message: [UInt8]) throws(VarlinkCallError) {
        guard let envelope = try? JSONDecoder().decode(Envelope.self, from: Data(message)) else { throw .malformed }
        method = envelope.method
        oneway = envelope.oneway ?? false
        more = envelope.more ?? false
        upgrade = envelope.upgrade ?? false
        self.message = message
    }

    /// Octets of the message.
    package var size: Int { message.count }

    /// The interface that the method is of: all before the last dot.
    package var interface: String {
        method.lastIndex(of: ".").map { String(method[..<$0]) } ?? ""
    }

    /// Reads the parameters; where there are none, they are an empty object.
    /// - Throws: ``InvalidParameter``, which names the one that is missing or of the wrong type.
    package func parameters<Parameters: Decodable>(_ type: Parameters.Type) throws(InvalidParameter) -> Parameters {
        try VarlinkParameters.decode(type, from: message)
    }

    /// The message of a call, with its NUL.
    package static func encode(
        method: String, parameters: some Encodable, oneway: Bool = false, more: Bool = false
    ) -> [UInt8] {
        VarlinkParameters.encode(
            OutgoingEnvelope(
                method: method, parameters: parameters, oneway: oneway ? true : nil, more: more ? true : nil))
    }
}
