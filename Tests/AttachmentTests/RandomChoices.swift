// Choices of a random history, which come again with the same seed.

/// Source of the choices in a random history.
protocol Choices {
    /// A number from 0 to one less than `bound`.
    mutating func below(_ bound: Int) -> Int
}

extension Choices {
    mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }
}

/// Numbers that look random and come again with the same seed (SplitMix64).
struct Random: Choices {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((word ^ word >> 31) % UInt64(bound))
    }
}
