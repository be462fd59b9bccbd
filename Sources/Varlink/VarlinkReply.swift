// Replies: parameters, or an error with parameters of its own.

import FoundationEssentials

/// Writes replies, each with its NUL.
package enum VarlinkReply {
    private struct Success<Parameters: Encodable>: Encodable {
        var parameters: Parameters
        var `continues`: Bool?
    }

    private struct Failure<Parameters: Encodable>: Encodable {
        var error: String
        var parameters: Parameters
    }

    /// The reply of a call that was carried out. Where it `continues`, more replies to the same call come after this one; the
    /// client has asked for it (`more`).
    package static func encode(_ parameters: some Encodable, continues: Bool = false) -> [UInt8] {
        VarlinkParameters.encode(Success(parameters: parameters, continues: continues ? true : nil))
    }

    /// The reply of a call that was carried out, whose parameters are one list of elements.
    /// - Parameters:
    ///   - field: the list's name: letters.
    ///   - elements: JSON, as ``element(_:)`` gives it.
    ///   - continues: more replies with further elements follow.
    package static func encode(list field: String, _ elements: [[UInt8]], continues: Bool) -> [UInt8] {
        var message = Array("{\(continues ? "\"continues\":true," : "")\"parameters\":{\"\(field)\":[".utf8)
        message.reserveCapacity(message.count + elements.reduce(8) { $0 + $1.count + 1 })
        for (number, element) in elements.enumerated() {
            if number > 0 { message.append(UInt8(ascii: ",")) }
            message += element
        }
        message += "]}}".utf8
        message.append(0)
        return message
    }

    /// One element of a list as JSON.
    package static func element(_ value: some Encodable) -> [UInt8] {
        var message = VarlinkParameters.encode(value)
        message.removeLast()
        return message
    }

    /// The reply of a call that was refused, with the error's full name, as `intercom.Control.NoSuchNetwork`.
    package static func encode(error: String, _ parameters: some Encodable) -> [UInt8] {
        VarlinkParameters.encode(Failure(error: error, parameters: parameters))
    }
}

/// A reply as a client reads it.
package struct VarlinkResponse: Sendable {
    private struct Envelope: Decodable {
        var error: String?
        var `continues`: Bool?
    }

    /// A reply of a call that was carried out.
    private struct Success<Parameters: Decodable & Sendable>: Decodable {
        /// nil in a success.
        var error: String?
        var `continues`: Bool?
        var parameters: Parameters
    }

    /// The error's full name; nil where the call was carried out.
    package let error: String?
    /// More replies to the same call follow.
    package let continues: Bool
    private let message: [UInt8]
    /// Its parameters, where they have been read.
    private var known: (any Sendable)?

    /// Reads a message that is likely to be the reply of a call that was carried out, with its parameters in one pass.
    /// - Throws: ``VarlinkCallError/malformed``.
    package init<Parameters: Decodable & Sendable>(
        message: [UInt8], reading type: Parameters.Type
    ) throws(VarlinkCallError) {
        let success = try? JSONDecoder().decode(Success<Parameters>.self, from: Data(message))
        guard let success, success.error == nil else {
            try self.init(message: message)
            return
        }
        self.init(message, continues: success.continues ?? false, success.parameters)
    }

    private init(_ message: [UInt8], continues: Bool, _ known: any Sendable) {
        error = nil
        self.continues = continues
        self.message = message
        self.known = known
    }

    /// Reads a message.
    /// - Throws: ``VarlinkCallError/malformed``.
    package init(message: [UInt8]) throws(VarlinkCallError) {
        guard let envelope = try? JSONDecoder().decode(Envelope.self, from: Data(message)) else { throw .malformed }
        error = envelope.error
        continues = envelope.continues ?? false
        self.message = message
    }

    /// Reads the parameters of the reply or of its error.
    /// - Throws: ``InvalidParameter``, where the peer speaks another version of the interface.
    package func parameters<Parameters: Decodable>(_ type: Parameters.Type) throws(InvalidParameter) -> Parameters {
        if let known = known as? Parameters { return known }
        return try VarlinkParameters.decode(type, from: message)
    }
}

/// The parameters of messages as JSON.
package enum VarlinkParameters {
    private struct Envelope<Parameters: Decodable>: Decodable {
        var parameters: Parameters
    }

    static func decode<Parameters: Decodable>(
        _ type: Parameters.Type, from message: [UInt8]
    ) throws(InvalidParameter) -> Parameters {
        let data = Data(message)
        do {
            return try JSONDecoder().decode(Envelope<Parameters>.self, from: data).parameters
        } catch DecodingError.keyNotFound(let key, let context)
            where key.stringValue == "parameters" && context.codingPath.isEmpty
        {
            return try decodeAbsent(type)
        } catch DecodingError.valueNotFound(_, let context)
            where context.codingPath.map(\.stringValue) == ["parameters"]
        {
            return try decodeAbsent(type)
        } catch {
            throw InvalidParameter(parameter: path(of: error))
        }
    }

    /// Parameters that were left out are none: what has to be there is missing.
    private static func decodeAbsent<Parameters: Decodable>(_ type: Parameters.Type) throws(InvalidParameter)
        -> Parameters
    {
        do {
            return try JSONDecoder().decode(type, from: Data("{}".utf8))
        } catch {
            throw InvalidParameter(parameter: path(of: error))
        }
    }

    /// The place of a mistake, as `networks[0].name`.
    private static func path(of error: any Error) -> String {
        let keys: [any CodingKey]
        switch error {
        case DecodingError.keyNotFound(let key, let context): keys = context.codingPath + [key]
        case DecodingError.valueNotFound(_, let context), DecodingError.typeMismatch(_, let context),
            DecodingError.dataCorrupted(let context):
            keys = context.codingPath
        default: keys = []
        }
        var path = ""
        for (position, key) in keys.enumerated() {
            if position == 0, key.stringValue == "parameters" { continue }
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                path += (path.isEmpty ? "" : ".") + key.stringValue
            }
        }
        return path.isEmpty ? "parameters" : path
    }

    /// A message of JSON with its NUL, all of it printable ASCII. No key's order is left to chance.
    static func encode(_ message: some Encodable) -> [UInt8] { ASCIIJSON.escaped(json(message)) + [0] }

    /// Parameters as JSON on one line, in a fixed order.
    package static func line(_ parameters: some Encodable) -> String {
        String(decoding: json(parameters), as: UTF8.self)
    }

    /// Parameters as people read JSON: indented, in a fixed order.
    package static func text(_ parameters: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(parameters)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    private static func json(_ value: some Encodable) -> [UInt8] {
        // The message is ours: strings and numbers. Only a number that is not finite (NaN) could fail to be encoded.
        (try? JSONText.encode(value)) ?? Array("{}".utf8)
    }
}
