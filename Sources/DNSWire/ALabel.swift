// Names in scripts other than Latin: the form in which they travel (RFC 5890 §2.3.2.1).

/// Punycode (RFC 3492): text of any script as letters, digits and hyphens.
enum Punycode {
    // RFC 3492 §5.
    private static let base = 36, tMin = 1, tMax = 26, skew = 38, damp = 700, initialBias = 72, initialN: UInt32 = 128

    /// The text's encoding, without `xn--`. The time is quadratic in its length: labels are short.
    static func encode(_ scalars: [UInt32]) -> [UInt8] {
        var output = scalars.filter { $0 < initialN }.map { UInt8(truncatingIfNeeded: $0) }
        let basic = output.count
        if basic > 0 { output.append(UInt8(ascii: "-")) }
        var n = initialN
        var delta = 0
        var bias = initialBias
        var handled = basic
        while handled < scalars.count, let next = scalars.filter({ $0 >= n }).min() {
            // At most 63 scalars below 2²¹: nothing here comes near an overflow.
            delta += Int(next - n) * (handled + 1)
            n = next
            for scalar in scalars {
                if scalar < n { delta += 1 }
                guard scalar == n else { continue }
                append(delta, bias, to: &output)
                bias = adapt(delta, points: handled + 1, isFirst: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            n += 1
        }
        return output
    }

    /// A number as a variable-length integer (RFC 3492 §3.3).
    private static func append(_ number: Int, _ bias: Int, to output: inout [UInt8]) {
        var rest = number
        var k = base
        while true {
            let threshold = min(max(k - bias, tMin), tMax)
            if rest < threshold { break }
            output.append(digit(threshold + (rest - threshold) % (base - threshold)))
            rest = (rest - threshold) / (base - threshold)
            k += base
        }
        output.append(digit(rest))
    }

    private static func digit(_ value: Int) -> UInt8 {
        let number = UInt8(truncatingIfNeeded: value)
        return number < 26 ? UInt8(ascii: "a") + number : UInt8(ascii: "0") + number - 26
    }

    /// RFC 3492 §6.1.
    private static func adapt(_ delta: Int, points: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / points
        var k = 0
        while delta > (base - tMin) * tMax / 2 {
            delta /= base - tMin
            k += base
        }
        return k + (base - tMin + 1) * delta / (delta + skew)
    }
}

extension Name {
    /// This name with its labels in other scripts (U-labels) as A-labels, `xn--…`: what programs ask for (RFC 5891 §4).
    ///
    /// Capital letters are made small. Octets that are no UTF-8 stay as they are: they are no text.
    /// - Throws: ``NameError/badULabel(_:reason:)`` for a label that cannot be one, such as an emoji;
    ///   ``NameError/labelTooLong(_:)`` where the A-label is.
    public func withALabels() throws(NameError) -> Name {
        guard wire.contains(where: { $0 >= 0x80 }) else { return self }
        var converted: [[UInt8]] = []
        for label in labels { converted.append(try Self.aLabel(label)) }
        return try Name(labels: converted)
    }

    private static func aLabel(_ label: [UInt8]) throws(NameError) -> [UInt8] {
        guard label.contains(where: { $0 >= 0x80 }), let text = String(validating: label, as: UTF8.self) else {
            return label
        }
        let scalars = Array(text.lowercased().unicodeScalars)
        for (position, scalar) in scalars.enumerated() {
            guard isPermitted(scalar) else {
                throw .badULabel(text, reason: "letters, digits and hyphens can be in a name; give its form as xn--…")
            }
            let isMark = [.nonspacingMark, .spacingMark].contains(scalar.properties.generalCategory)
            // U+0300...036F are accents: nearly every one has a character of its own together with its letter (NFC).
            if isMark, position == 0 || 0x300...0x36F ~= scalar.value {
                throw .badULabel(text, reason: "an accent stands apart from its letter; write both as one character")
            }
        }
        return Array("xn--".utf8) + Punycode.encode(scalars.map(\.value))
    }

    /// True for what RFC 5892 §2 permits by a character's general category (PVALID), and the hyphen and underscore.
    private static func isPermitted(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "-" || scalar == "_" { return true }
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .nonspacingMark, .spacingMark, .decimalNumber: return true
        default: return false
        }
    }
}
