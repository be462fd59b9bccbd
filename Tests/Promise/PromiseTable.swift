// Reads the table of answers: one row a line, its columns apart by two blanks or more.

import DNSWire

/// The file `answers`, whose beginning tells how it is written.
package struct PromiseTable: Sendable {
    /// In the order of the file.
    package private(set) var rows: [Row] = []
    /// Deeds before the first question, in this order.
    package private(set) var deeds: [Deed] = []
    /// Lines that are none of these.
    package private(set) var mistakes: [String] = []

    /// One question, who asks it, and what the answer is.
    package struct Row: Sendable, CustomStringConvertible {
        /// The line of the file, from 1 on.
        package let line: Int
        /// The number of the rule in the design, 1...11; 0 before the first heading.
        package let rule: Int
        /// The container that asks.
        package let asker: String
        package let question: AskedQuestion
        package let expectation: Expectation

        package var description: String { "answers:\(line): \(asker) asks \(question)" }
    }

    init(_ text: String) {
        var rule = 0
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("## "), let number = Int(line.dropFirst(3).prefix { $0.isNumber }) { rule = number }
            if line.isEmpty || line.hasPrefix("#") { continue }
            if line.hasPrefix("!") {
                guard let deed = Deed(line.dropFirst().split(separator: " ").map(String.init)) else {
                    mistakes.append("answers:\(index + 1): no such deed: \(line)")
                    continue
                }
                deeds.append(deed)
            } else if let row = Row(line, number: index + 1, rule: rule) {
                rows.append(row)
            } else {
                mistakes.append("answers:\(index + 1): cannot be read: \(line)")
            }
        }
    }

    /// The address of a server that rows name.
    package func address(ofServer name: String) -> String? {
        for case .server(name, let address) in deeds { return address }
        return nil
    }

    /// The containers that ask, by name.
    package var askers: [String] { Set(rows.map(\.asker)).sorted() }
}

extension PromiseTable.Row {
    init?(_ line: Substring, number: Int, rule: Int) {
        let columns = line.split(separator: "  ").map { String($0.drop { $0 == " " }) }.filter { !$0.isEmpty }
        guard columns.count >= 3, let question = AskedQuestion(columns[1]),
            let expectation = Expectation(Array(columns.dropFirst(2)))
        else { return nil }
        self.line = number
        self.rule = rule
        self.asker = columns[0]
        self.question = question
        self.expectation = expectation
    }
}
