// Guesses of the known word that somebody may have meant.

enum Spelling {
    /// The known word nearest to a misspelled one; nil where none is near.
    static func suggestion(for word: String, among known: [String]) -> String? {
        let typed = Array(word.lowercased().unicodeScalars)
        // A third of the letters may be wrong; more, and it is another word. Nobody misspells a text of this length.
        guard (1...64).contains(typed.count) else { return nil }
        let limit = max(1, typed.count / 3)
        let nearest = known.map { (word: $0, distance: distance(typed, Array($0.lowercased().unicodeScalars))) }
            .min { $0.distance < $1.distance }
        return nearest.flatMap { $0.distance <= limit ? $0.word : nil }
    }

    /// `; did you mean …?`, or nothing.
    static func hint(for word: String, among known: [String], quoted: (String) -> String = { "'\($0)'" }) -> String {
        suggestion(for: word, among: known).map { "; did you mean \(quoted($0))?" } ?? ""
    }

    /// Insertions, deletions, replacements and swaps of neighbours that make one word of the other
    /// (optimal string alignment).
    private static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
                row.append(best)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
