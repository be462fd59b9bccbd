// A list of any length: printed as it comes, in bounded memory.

import DNSWire
import LinuxNet
import Varlink

/// Prints a list whose elements come one after another: as a table, or as one JSON document `{"FIELD": […]}`.
struct Listing<Element: Encodable> {
    /// Elements that are gathered before the first is printed. A list that has no more is sorted by name, and the columns
    /// fit all of it; the rest of a longer one is printed as it comes, in columns that fit these.
    private static var gathered: Int { 4096 }

    private let field: String
    private let isJSON: Bool
    private let name: (Element) -> String
    private let cells: (Element) -> [any TableCell]
    private var table: Table
    private var first: [Element] = []
    private var printed = 0

    /// - Parameters:
    ///   - field: the list's name in JSON.
    ///   - name: what elements are sorted by.
    ///   - cells: a line of the table.
    init(
        _ field: String, _ header: [String], isJSON: Bool, name: @escaping (Element) -> String,
        cells: @escaping (Element) -> [any TableCell]
    ) {
        self.field = field
        self.isJSON = isJSON
        self.name = name
        self.cells = cells
        table = Table(header)
    }

    mutating func add(_ element: Element) {
        if printed == 0 {
            first.append(element)
            if first.count >= Self.gathered { printGathered() }
        } else {
            print([element])
        }
    }

    /// Prints what was not printed yet, and the end.
    mutating func end() {
        if printed == 0 {
            first.sort { name($0) < name($1) }
            printGathered()
        }
        // As the encoder writes an empty list.
        if isJSON { Files.write(printed == 0 ? "\n\n  ]\n}\n" : "\n  ]\n}\n", to: .standardOutput) }
    }

    private mutating func printGathered() {
        if isJSON { Files.write("{\n  \"\(field)\" : [", to: .standardOutput) }
        print(first)
        first = []
    }

    private mutating func print(_ elements: [Element]) {
        if isJSON {
            var text = ""
            for element in elements {
                text += printed == 0 ? "\n    " : ",\n    "
                text += DisplayText.escapedJSON(VarlinkParameters.text(element)).split(
                    separator: "\n", omittingEmptySubsequences: false
                ).joined(separator: "\n    ")
                printed += 1
            }
            Files.write(text, to: .standardOutput)
        } else {
            let isFirst = printed == 0
            for element in elements { table.add(cells(element)) }
            printed += elements.count
            Files.write(table.takeText(isFirst: isFirst), to: .standardOutput)
        }
    }
}
