// A reply that is written piece by piece, so that neither its length nor its work is ever there at once.

/// The next piece of a reply.
enum ReplyPiece {
    /// Work was done, and more is to do before there is something to send.
    case nothingYet
    /// A whole message, with its NUL; more follow.
    case reply([UInt8])
    /// The last message.
    case last([UInt8])
}

/// Writes the replies of one call. Each step does a bounded amount of work: other clients have their turns between.
protocol ReplySource {
    /// Takes the next step.
    mutating func next() -> ReplyPiece
}
