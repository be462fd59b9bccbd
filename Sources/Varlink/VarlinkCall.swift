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

/// Types of the parameters of methods: those of a call are read together with it, in one pass over the message.
package struct VarlinkParameterTypes: Sendable {
    private let types: [String: any (Decodable & Sendable).Type]

    /// - Parameter types: by the full names of the methods.
    package init(_ types: [String: any (Decodable & Sendable).Type] = [:]) {
        self.types = types
    }

    fileprivate subscript(method: String) -> (any (Decodable & Sendable).Type)? { types[method] }
}

/// A call of a client.
package struct VarlinkCall: Sendable {
    private struct Envelope: Decodable {
        private enum Member: CodingKey {
            case method, oneway, more, upgrade, parameters
        }

        static let types = CodingUserInfoKey(rawValue: "types")

        let method: String
        let oneway, more, upgrade: Bool?
        /// nil: of no known type, or not as they have to be, which whoever asks for them is told.
        let parameters: (any Sendable)?

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: Member.self)
            method = try members.decode(String.self, forKey: .method)
            oneway = try members.decodeIfPresent(Bool.self, forKey: .oneway)
            more = try members.decodeIfPresent(Bool.self, forKey: .more)
            upgrade = try members.decodeIfPresent(Bool.self, forKey: .upgrade)
            let types = Self.types.flatMap { decoder.userInfo[$0] as? VarlinkParameterTypes }
            parameters = types?[method].flatMap { Self.read($0, from: members) }
        }

        private static func read<Parameters: Decodable & Sendable>(
            _ type: Parameters.Type, from members: KeyedDecodingContainer<Member>
        ) -> (any Sendable)? {
            try? members.decode(type, forKey: .parameters)
        }
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
    /// Its parameters, where they have been read.
    private let known: (any Sendable)?

    /// Reads a message.
    /// - Parameters:
    ///   - message: its octets, without the NUL.
    ///   - types: those of methods that are likely to be called; parameters of others are read when they are asked for.
    /// - Throws: ``VarlinkCallError/malformed``.
    package init(
        message: [UInt8], reading types: VarlinkParameterTypes = VarlinkParameterTypes()
    ) throws(VarlinkCallError) {
        let decoder = JSONDecoder()
        if let key = Envelope.types { decoder.userInfo[key] = types }
        guard let envelope = try? decoder.decode(Envelope.self, from: Data(message)) else { throw .malformed }
        known = envelope.parameters
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
        if let known = known as? Parameters { return known }
        return try VarlinkParameters.decode(type, from: message)
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
