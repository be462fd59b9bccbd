// What an answer of ours says, once the rules have decided.

import DNSWire
import Registry

/// What is said to a question, before it is written.
enum AnswerContent {
    /// The records that a name has of the type that is asked for; it exists, even if it has none.
    case records(Directory.Match)
    /// The addresses of `localhost`.
    case loopback
    /// The server's version or identity.
    case identity(ChaosName)
    /// The name exists, and has no such record.
    case noData
    /// The name does not exist: NXDOMAIN.
    case noName
    /// The same, to who may ask nobody else.
    case blocked
    /// A code, and nothing else.
    case code(ResponseCode)
}

extension Responder {
    /// Writes what is to be said; what is left is ``AnswerWriter/finish()``.
    mutating func write(_ content: AnswerContent, into answer: inout AnswerWriter) {
        switch content {
        case .records(let match):
            if query.question.type == .any {
                return answer.append(fixed: AnswerWriter.minimalAny.span, ttl: settings.ttl)
            }
            let hasAny = answer.append(directory.records(match, query.question.type))
            if !hasAny { negative.write(for: name, under: domainLabel, into: &answer) }
        case .loopback:
            switch query.question.type {
            case .a: answer.append(fixed: SpecialUseName.loopbackA.span, ttl: settings.ttl)
            case .aaaa: answer.append(fixed: SpecialUseName.loopbackAAAA.span, ttl: settings.ttl)
            case .any: answer.append(fixed: AnswerWriter.minimalAny.span, ttl: settings.ttl)
            default: negative.write(for: name, under: nil, into: &answer)
            }
        case .identity(let name):
            // It is nobody's business to keep it.
            answer.append(fixed: ChaosName.record(text(of: name)).span, ttl: 0)
        case .noData:
            negative.write(for: name, under: nil, into: &answer)
        case .noName, .blocked:
            answer.code = .nameError
            if case .blocked = content { answer.extendedError = .blocked }
            negative.write(for: name, under: domainLabel, into: &answer)
        case .code(let code):
            answer.code = code
            answer.isAuthoritative = false
        }
    }

    /// The label at which the domain begins in the question's name; nil where it is not under the domain.
    private var domainLabel: Int? {
        mutating get { directory.isUnderDomain(name) ? name.labelCount - settings.domain.labelCount : nil }
    }

    /// What the configuration says for a name of class CHAOS; empty: it is refused.
    func text(of name: ChaosName) -> String {
        switch name {
        case .version: settings.version
        case .identity: settings.identity
        }
    }
}
