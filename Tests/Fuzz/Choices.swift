// The fuzzer's octets as choices: what a history does next.

/// Takes one octet for each choice; behind the last all choices are 0.
struct FuzzerChoices: Choices {
    private var octets: ArraySlice<UInt8>

    init(_ octets: Span<UInt8>) {
        self.octets = Array(octets)[...]
    }

    var isEmpty: Bool { octets.isEmpty }

    mutating func below(_ bound: Int) -> Int {
        Int(octets.popFirst() ?? 0) % bound
    }
}
