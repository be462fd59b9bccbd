// Why something that a runtime said cannot be read.

/// A fault in a message of a runtime, for the adapter's log.
package enum RuntimeWireError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The head of a response, or a line of it, is none of HTTP/1.1.
    case badHead(String)
    /// The body's framing contradicts itself, or is of a kind that nobody asked for.
    case badFraming(String)
    /// More octets than are taken: of a head, a body, a line.
    case tooLong(what: String, limit: Int)
    /// The connection ended before the message did.
    case cutOff
    /// JSON that cannot be read as what it should be, and where.
    case badJSON(what: String, reason: String)
    /// A value that nothing can be made of.
    case badValue(what: String, value: String)

    package var description: String {
        switch self {
        case .badHead(let line): "no HTTP/1.1 response: \(line)"
        case .badFraming(let reason): "the body's length is not clear: \(reason)"
        case .tooLong(let what, let limit): "\(what) is longer than \(limit) octets"
        case .cutOff: "the connection ended in the middle of a response"
        case .badJSON(let what, let reason): "\(what) cannot be read: \(reason)"
        case .badValue(let what, let value): "bad \(what) '\(value)'"
        }
    }
}
