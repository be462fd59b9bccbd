// The outcome of a query, and the verdict of the rules that it comes of.

import DNSWire
import Registry

/// The outcome of a query.
enum Outcome {
    /// The answer is in the buffer.
    case answered(length: Int, AnswerSource)
    /// Not ours: ``Responder/query`` goes to this upstream group.
    case forward(group: UInt32)
    /// The CNAME records in ``Responder/chain`` lead to a name that is not ours: it goes to this upstream group.
    case follow(group: UInt32)
    /// An upstream asks us what we asked it.
    case loop(token: UInt64)
    /// A question of ours that proves that the listener is heard: ``Responder/arrived``. The answer is in the buffer.
    case heard(length: Int)
    /// It waits until its addresses may be reached.
    case held(AnswerSource)
    case drop

    /// True for the question of a proof.
    var isHeard: Bool { if case .heard = self { true } else { false } }

    /// True where the answer waits until its addresses may be reached.
    var isHeld: Bool { if case .held = self { true } else { false } }
}

/// The verdict of the rules on a query.
enum Ruling {
    case answer(AnswerContent, AnswerSource)
    case forward(group: UInt32)
    /// See ``Outcome/follow(group:)``.
    case follow(group: UInt32)
    case loop(token: UInt64)
    case heard
    /// NXDOMAIN, as nearly every name that is denied gets it. It is written apart from other answers, as programs ask for many
    /// names that nobody has (search domains).
    case denied(AnswerSource, isUnderDomain: Bool)
    /// An answer without data, and ``Responder/explanation`` says why.
    case explained(AnswerContent, AnswerSource)
}
