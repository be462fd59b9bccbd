// The difference of two configurations: which declarations go, which are replaced, which are new.

import Synchronization
import Testing

@testable import IntercomServer

@Suite("The difference of two lists of declarations")
struct ListDifferenceTests {
    private struct Element: Equatable, CustomStringConvertible {
        var name: String
        var value: Int

        init(_ text: String) {
            name = String(text.prefix(1))
            value = Int(text.dropFirst()) ?? 0
        }

        var description: String { "\(name)\(value)" }
    }

    @Test(
        "An element goes with its key, is replaced where its value is another, and stays where only its place is another",
        arguments: [
            ("", "", "", "", ""),
            ("", "a1 b1", "", "", "a1 b1"),
            ("a1 b1", "", "a1 b1", "", ""),
            ("a1 b1 c1", "c1 a1 b1", "", "", ""),
            ("a1 b1 c1", "a1 b2 c1", "", "b1", "b2"),
            ("a1 b1 c1", "d1 c2 a1", "b1", "c1", "d1 c2"),
            ("a1", "b1", "a1", "", "b1"),
        ])
    func table(row: (old: String, new: String, removed: String, replaced: String, declared: String)) {
        func list(_ text: String) -> [Element] { text.split(separator: " ").map { Element(String($0)) } }
        let difference = ListDifference(from: list(row.old), to: list(row.new), by: \.name)
        #expect(difference.removed == list(row.removed))
        #expect(difference.replaced == list(row.replaced))
        #expect(difference.declared == list(row.declared))
    }

    /// An element that counts how often any two are compared.
    private struct Counted: Equatable {
        static let comparisons = Atomic<Int>(0)

        var name: Int
        var value: Int

        static func == (one: Self, other: Self) -> Bool {
            comparisons.add(1, ordering: .relaxed)
            return one.name == other.name && one.value == other.value
        }
    }

    @Test("Each element is compared once at most, whether all are the same, others, or gone")
    func comparisons() {
        let old = (0..<4000).map { Counted(name: $0, value: 1) }
        for new in [old, old.reversed(), old.map { Counted(name: $0.name, value: 2) }, []] {
            Counted.comparisons.store(0, ordering: .relaxed)
            let difference = ListDifference(from: old, to: new, by: \.name)
            #expect(Counted.comparisons.load(ordering: .relaxed) == new.count)
            #expect(difference.removed.count + difference.replaced.count == (new.first?.value == 1 ? 0 : old.count))
        }
    }
}
