// Text for people: aligned columns, and nothing from outside that could steer a terminal.

import LinuxNet

/// A table with a header line.
struct Table {
    private var rows: [[String]]

    init(_ header: [String]) {
        rows = [header]
    }

    /// Adds a line; what is empty is shown as `-`.
    mutating func add(_ cells: [String]) {
        rows.append(cells.map { $0.isEmpty ? "-" : printable($0) })
    }

    /// The lines, the header bold on a terminal.
    var text: String {
        var widths = [Int](repeating: 0, count: rows.map(\.count).max() ?? 0)
        for row in rows { for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) } }
        let lines = rows.enumerated().map { number, row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
            }
            return number == 0 && Self.isColoured ? "\u{1B}[1m\(line)\u{1B}[0m" : line
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// no-color.org: the variable counts if it is set and not empty.
    private static var isColoured: Bool {
        Files.isTerminal(.standardOutput) && (Environment.value(of: "NO_COLOR") ?? "").isEmpty
    }
}

/// Text without control characters: what came from outside neither breaks a line nor steers a terminal.
func printable(_ text: String) -> String {
    var safe = ""
    for scalar in text.unicodeScalars {
        if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
            safe += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
            safe.unicodeScalars.append(scalar)
        }
    }
    return safe
}

/// A list in one cell.
func list(_ items: [String]) -> String { items.joined(separator: ", ") }
