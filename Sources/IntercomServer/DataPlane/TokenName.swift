// Names that carry a token which nobody can guess: whoever asks for one has it from us.

import DNSWire

/// A kind of names: a label of lower-case hexadecimal digits under two fixed labels.
struct TokenName {
    /// Digits of a token: four bits each.
    private let digits: Int
    private let domain: String
    /// `intercom` and the domain, on the wire.
    private let suffix: [UInt8]

    private init(bits: Int, under domain: String) {
        digits = bits / 4
        self.domain = domain
        suffix = [8] + Array("intercom".utf8) + [UInt8(domain.utf8.count)] + Array(domain.utf8) + [0]
    }

    /// Probes of loops, under `intercom.example`: servers on the way treat that top-level domain as any other
    /// (RFC 6761 §6.5), and nobody has the name.
    static let loopProbe = TokenName(bits: 64, under: "example")

    /// Questions that prove that a listener is heard, under `intercom.invalid`. No name of ours can be under that top-level
    /// domain, and a server that is asked in our place denies it itself (RFC 6761 §6.4): the token goes no further.
    static let hearing = TokenName(bits: 128, under: "invalid")

    /// The name with a token.
    func name(of token: UInt128) throws(NameError) -> Name {
        let number = String(token, radix: 16)
        let label = String(repeating: "0", count: max(0, digits - number.count)) + number
        return try Name("\(label).intercom.\(domain)")
    }

    /// The token in a name of this kind; nil for any other name.
    func token(in name: borrowing FoldedName) -> UInt128? {
        guard name.labelCount == 3, Int(name[0]) == digits, name.suffixEquals(suffix.span, fromLabel: 1) else {
            return nil
        }
        var token: UInt128 = 0
        for index in 1...digits {
            switch name[index] {
            case let digit where 0x30...0x39 ~= digit: token = token << 4 | UInt128(digit - 0x30)
            case let digit where 0x61...0x66 ~= digit: token = token << 4 | UInt128(digit - 0x61 + 10)
            default: return nil
            }
        }
        return token
    }
}
