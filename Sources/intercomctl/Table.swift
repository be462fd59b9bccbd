// Tables for people: aligned columns, 80 wide where they can be.

import DNSWire
import LinuxNet

/// Content of a cell.
protocol TableCell {
    /// The items of a list; of anything else one.
    var items: [String] { get }
}

extension String: TableCell {
    var items: [String] { isEmpty ? [] : [self] }
}

extension [String]: TableCell {
    var items: [String] { self }
}

/// A table with a header line.
struct Table {
    /// Treatment of a cell that is wider than its column.
    enum Overflow {
        /// A list shows how many items it has beyond, a text ends in an ellipsis: so each row is one line.
        case cut
        /// It goes on in the next line.
        case wrap
    }

    /// The width of a line where the output is no terminal, and the least where it is one.
    static let leastWidth = 80
    /// A column is not made narrower than this to save another.
    private static let leastColumn = 8
    private static let gap = 2

    private var rows: [[[String]]]
    private let overflow: Overflow
    /// Columns that were fixed by ``fixWidths()``.
    private var widths: [Int] = []

    init(_ header: [String], _ overflow: Overflow = .cut) {
        // Also the header: that of a thing shown alone has its name.
        rows = [header.map { [DisplayText.escaped($0)] }]
        self.overflow = overflow
    }

    /// Adds a line; what is empty is shown as `-`.
    mutating func add(_ cells: [any TableCell]) {
        rows.append(cells.map { cell in cell.items.isEmpty ? ["-"] : cell.items.map(DisplayText.escaped) })
    }

    /// The lines, the header bold on a terminal.
    var text: String {
        var table = self
        return table.takeText(isFirst: true)
    }

    /// Takes the lines that were added since: those that come later have columns of the same widths.
    mutating func takeText(isFirst: Bool) -> String {
        if isFirst { widths = fittedWidths(to: Self.lineWidth) }
        defer { rows = [] }
        return rows.enumerated().map { number, row in
            let lines = self.lines(row)
            return isFirst && number == 0 && Self.isColoured ? "\u{1B}[1m\(lines)\u{1B}[0m" : lines
        }.map { $0 + "\n" }.joined()
    }

    // MARK: - Lines

    private func lines(_ row: [[String]]) -> String {
        let cells = row.enumerated().map { column, items in
            switch overflow {
            case .cut: [Self.cut(items, to: widths[column])]
            case .wrap: Self.wrap(items, to: widths[column])
            }
        }
        let height = cells.map(\.count).max() ?? 0
        return (0..<height).map { line in
            var text = ""
            for (column, cell) in cells.enumerated() {
                let part = line < cell.count ? cell[line] : ""
                text += part
                if column < cells.count - 1 {
                    text += String(repeating: " ", count: max(0, widths[column] - part.count) + Self.gap)
                }
            }
            while text.last == " " { text.removeLast() }
            return text
        }.joined(separator: "\n")
    }

    /// Whole items for which there is room, and the number of the others.
    private static func cut(_ items: [String], to width: Int) -> String {
        let whole = items.joined(separator: ", ")
        guard whole.count > width, items.count > 1 else { return cut(whole, to: width) }
        var shown = ""
        for (number, item) in items.enumerated() {
            let next = shown.isEmpty ? item : "\(shown), \(item)"
            guard next.count + ", +\(items.count - number - 1)".count <= width else {
                return shown.isEmpty ? cut("+\(items.count)", to: width) : "\(shown), +\(items.count - number)"
            }
            shown = next
        }
        return shown
    }

    private static func cut(_ text: String, to width: Int) -> String {
        text.count <= width ? text : text.prefix(max(0, width - 1)) + "…"
    }

    /// Lines of at most a width, broken between items and words; a word that is longer stands in a line of its own.
    private static func wrap(_ items: [String], to width: Int) -> [String] {
        let words =
            items.count > 1
            ? items.enumerated().map { $0.offset < items.count - 1 ? $0.element + "," : $0.element }
            : items[0].split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        var lines: [String] = []
        for word in words {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(word)
            }
        }
        return lines
    }

    /// A sentence in lines of a table's width, each ended.
    /// - Parameters:
    ///   - text: the sentence, from whomever.
    ///   - mark: the beginning of the first line; the others are indented by as much.
    static func paragraph(_ text: String, after mark: String) -> String {
        let lines = wrap([DisplayText.escaped(text)], to: lineWidth - mark.count)
        return lines.enumerated().map { number, line in
            (number == 0 ? mark : String(repeating: " ", count: mark.count)) + line + "\n"
        }.joined()
    }

    // MARK: - Widths

    /// The columns' widths: what their cells need; where that is more than a line, those of lists give way first, then
    /// the widest. The first column has the names: it gives way to none.
    private func fittedWidths(to lineWidth: Int) -> [Int] {
        let count = rows.map(\.count).max() ?? 0
        var widths = [Int](repeating: 0, count: count)
        var isList = [Bool](repeating: false, count: count)
        for row in rows {
            for (column, items) in row.enumerated() {
                widths[column] = max(widths[column], items.joined(separator: ", ").count)
                if items.count > 1 { isList[column] = true }
            }
        }
        let least = (0..<count).map {
            min(widths[$0], max(Self.leastColumn, rows[0].indices.contains($0) ? rows[0][$0][0].count : 0))
        }
        var excess = widths.reduce(0, +) + Self.gap * max(0, count - 1) - lineWidth
        for candidates in [(1..<max(1, count)).filter { isList[$0] }, Array(1..<max(1, count))] {
            while excess > 0,
                let widest = candidates.filter({ widths[$0] > least[$0] }).max(by: { widths[$0] < widths[$1] })
            {
                // Down to the next widest, so that columns that give way share what there is.
                let next =
                    candidates.filter { $0 != widest }.map { widths[$0] }.filter { $0 < widths[widest] }.max() ?? 0
                let step = max(1, min(excess, widths[widest] - max(next, least[widest])))
                widths[widest] -= step
                excess -= step
            }
        }
        return widths
    }

    /// The terminal's width, where that is more than ``leastWidth``.
    private static var lineWidth: Int { max(leastWidth, Files.terminalWidth(.standardOutput) ?? 0) }

    /// no-color.org: the variable counts if it is set and not empty.
    private static var isColoured: Bool {
        Files.isTerminal(.standardOutput) && (Environment.value(of: "NO_COLOR") ?? "").isEmpty
    }
}

/// Numbers in people's units.
enum Units {
    /// Octets as `16 MiB`: three digits at most, rounded.
    static func bytes(_ octets: Int) -> String {
        var value = Double(octets)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1000 || unit == "GiB" {
                return value < 10 && unit != "B" ? "\(tenths(value)) \(unit)" : "\(Int(value.rounded())) \(unit)"
            }
            value /= 1024
        }
        return "\(octets) B"
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    /// Seconds as `3 d 4 h`, `2 h 5 min`, `7 min 3 s`, `12 s`.
    static func duration(seconds: Int) -> String {
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60)
        if days > 0 { return hours > 0 ? "\(days) d \(hours) h" : "\(days) d" }
        if hours > 0 { return minutes > 0 ? "\(hours) h \(minutes) min" : "\(hours) h" }
        if minutes > 0 { return seconds % 60 > 0 ? "\(minutes) min \(seconds % 60) s" : "\(minutes) min" }
        return "\(seconds) s"
    }

    /// Nanoseconds as `4.2 µs`, `310 µs`, `12 ms`, `1.5 s`.
    static func time(nanoseconds: Int) -> String {
        var value = Double(nanoseconds) / 1000
        for unit in ["µs", "ms"] {
            if value < 1000 { return value < 10 ? "\(tenths(value)) \(unit)" : "\(Int(value.rounded())) \(unit)" }
            value /= 1000
        }
        return "\(tenths(value)) s"
    }

    /// Microseconds as `0.4 ms`.
    static func milliseconds(_ microseconds: Int) -> String {
        let tenths = (microseconds + 50) / 100
        return "\(tenths / 10).\(tenths % 10) ms"
    }
}
