// The picture of top: counts in, lines of text out; and the octets that draw it without flicker.

import DNSWire

/// Lines of a screen.
struct TopScreen {
    struct Line: Equatable {
        var text: String
        var isHeading = false
    }

    private let counts: TopCounts
    private let order: TopOrder

    init(_ counts: TopCounts, by order: TopOrder) {
        self.counts = counts
        self.order = order
    }

    /// Lines for a screen: the most active of each kind for which there is room.
    /// - Parameters:
    ///   - width: columns; a line has no more.
    ///   - height: lines; there are no more.
    func lines(width: Int, height: Int) -> [Line] {
        let kinds = TopCounts.Kind.allCases.map { ($0, counts.rows($0, by: order)) }
        // Summary and keys; a blank line and a heading for each kind.
        var room = max(0, height - 2 - 2 * kinds.count)
        var shares: [Int] = []
        for (index, (_, rows)) in kinds.enumerated().reversed() {
            // Servers are few; containers get what the others leave.
            let share = min(rows.count, index == 0 ? room : room / (index + 1))
            shares.insert(share, at: 0)
            room -= share
        }
        var lines = [Line(text: summary, isHeading: true)]
        for ((kind, rows), share) in zip(kinds, shares) {
            lines += [Line(text: "")] + section(kind, rows, share, width)
        }
        let body = lines.prefix(max(0, height - 1)).map {
            Line(text: String($0.text.prefix(width)), isHeading: $0.isHeading)
        }
        return height < 1 ? [] : body + [Line(text: String(keys.prefix(width)))]
    }

    /// The whole table, as it is printed once.
    func table(width: Int) -> String {
        let sections = TopCounts.Kind.allCases.flatMap { kind in
            let rows = counts.rows(kind, by: order)
            return rows.isEmpty ? [] : [Line(text: "")] + section(kind, rows, rows.count, width)
        }
        return ([Line(text: summary)] + sections).map { $0.text + "\n" }.joined()
    }

    /// Octets for a terminal that show lines in the place of those before: each line is overwritten, nothing is cleared first.
    /// - Parameter isColoured: headings in bold.
    static func drawing(_ lines: [Line], isColoured: Bool) -> String {
        let (home, endOfLine, endOfScreen) = ("\u{1B}[H", "\u{1B}[K", "\u{1B}[J")
        let (bold, plain) = ("\u{1B}[1m", "\u{1B}[0m")
        let text = lines.map { isColoured && $0.isHeading ? bold + $0.text + plain : $0.text }
        return home + text.joined(separator: endOfLine + "\r\n") + endOfLine + endOfScreen
    }

    // MARK: - Text

    private var summary: String {
        let all = counts.all
        let missed = counts.missed > 0 ? ", \(counts.missed) missed" : ""
        return "\(Self.rate(all.questions, counts.span)) questions/s, \(all.failures) failed, "
            + "half within \(Self.time(all, 0.5)), 99 % within \(Self.time(all, 0.99)); "
            + "last \(counts.span) s\(missed)"
    }

    private var keys: String {
        "q quit; sort by: "
            + TopOrder.allCases.map { "\($0.key) \($0.rawValue)\($0 == order ? "*" : "")" }.joined(separator: ", ")
    }

    private static let figures = ["/S", "HITS", "FAILED", "P50", "P99"]
    private static let figureWidth = 9

    private func section(
        _ kind: TopCounts.Kind, _ rows: [(key: String, tally: TopCounts.Tally)], _ share: Int, _ width: Int
    ) -> [Line] {
        let title =
            switch kind {
            case .container: "CONTAINER"
            case .name: "NAME"
            case .upstream: "UPSTREAM"
            }
        let more = rows.count > share ? " (\(share) of \(rows.count))" : ""
        return [Line(text: Self.row(title + more, Self.figures, width), isHeading: true)]
            + rows.prefix(share).map { key, tally in
                let figures = [
                    Self.rate(tally.questions, counts.span), kind == .upstream ? "-" : "\(tally.hits)",
                    "\(tally.failures)",
                    Self.time(tally, 0.5), Self.time(tally, 0.99),
                ]
                return Line(text: Self.row(DisplayText.escaped(key), figures, width))
            }
    }

    private static func row(_ name: String, _ figures: [String], _ width: Int) -> String {
        let room = max(1, width - figures.count * figureWidth)
        let name = name.count <= room ? name : name.prefix(room - 1) + "…"
        return name + String(repeating: " ", count: room - name.count)
            + figures.map { String(repeating: " ", count: max(1, figureWidth - $0.count)) + $0 }.joined()
    }

    private static func rate(_ count: Int, _ seconds: Int) -> String {
        let tenths = (count * 10 + seconds / 2) / seconds
        return tenths < 1000 ? "\(tenths / 10).\(tenths % 10)" : "\((tenths + 5) / 10)"
    }

    private static func time(_ tally: TopCounts.Tally, _ part: Double) -> String {
        tally.questions == 0 ? "-" : Units.time(nanoseconds: tally.time(of: part) &* 1000)
    }
}
