// JSON of runtimes as Swift's types: one way to read it, with an error that says where it is wrong.

import FoundationEssentials

extension RuntimeWireError {
    /// Reads octets as JSON of a type.
    /// - Parameter what: what the octets are, for the error.
    static func read<Value: Decodable>(
        _ type: Value.Type, from octets: [UInt8], _ what: String
    ) throws(RuntimeWireError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(octets))
        } catch {
            throw .badJSON(what: what, reason: reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        func path(_ context: DecodingError.Context) -> String {
            let keys = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
            return keys.isEmpty ? "" : " at \(keys.joined(separator: "."))"
        }
        switch error {
        case .keyNotFound(let key, let context): return "no \(key.stringValue)\(path(context))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            return "\(context.debugDescription)\(path(context))"
        @unknown default: return "\(error)"
        }
    }
}
