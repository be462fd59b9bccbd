// Finding out whether an upstream asks us: it is asked for a name that nobody else knows, and we listen for it.

import DNSWire

/// The name of a probe: sixteen hexadecimal digits under `intercom.example`. Servers on the way treat the top-level
/// domain as any other (RFC 6761 §6.5), and nobody has the name.
enum LoopProbe {
    static func name(of token: UInt64) throws(NameError) -> Name {
        let number = String(token, radix: 16)
        return try Name("\(String(repeating: "0", count: digits - number.count))\(number).intercom.example")
    }

    /// The token in the name of a probe; nil for any other name.
    static func token(in name: borrowing FoldedName) -> UInt64? {
        guard name.labelCount == 3, Int(name[0]) == digits, name.suffixEquals(suffix.span, fromLabel: 1) else {
            return nil
        }
        var token: UInt64 = 0
        for index in 1...digits {
            switch name[index] {
            case let digit where 0x30...0x39 ~= digit: token = token << 4 | UInt64(digit - 0x30)
            case let digit where 0x61...0x66 ~= digit: token = token << 4 | UInt64(digit - 0x61 + 10)
            default: return nil
            }
        }
        return token
    }

    /// The digits of a token: four bits each.
    private static let digits = UInt64.bitWidth / 4
    private static let suffix: [UInt8] = [8] + Array("intercom".utf8) + [7] + Array("example".utf8) + [0]
}
