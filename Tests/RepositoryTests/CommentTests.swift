// Comments and pages of documentation: how they begin, and that their code is compiled.

import Foundation
import Testing

@Suite("Documentation in the sources")
struct CommentTests {
    /// Words that begin a clause without a head: the reader has to guess the noun. `Of several names, the first` is fine.
    private static let headless = [
        "That of", "What", "Where", "Whether", "Whose", "Which", "Who", "How", "When", "From where", "Of what",
        "By what",
    ]

    /// The first line of each comment: of a doc comment, and of the one that begins a file.
    private static func beginnings(in text: String) -> [(line: Int, text: Substring)] {
        var all: [(Int, Substring)] = []
        var isInside = false
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let code = line.drop { $0 == " " }
            let isComment = code.hasPrefix("/// ") || (number == 0 && code.hasPrefix("// "))
            if isComment, !isInside { all.append((number + 1, code.drop { $0 == "/" }.dropFirst())) }
            isInside = code.hasPrefix("///")
        }
        return all
    }

    @Test("begins with a noun or a verb, never with What, Where, Whether, How or That of")
    func beginnings() throws {
        var faults: [String] = []
        for path in Repository.swiftFiles(below: ["Sources", "Tests", "Benchmarks/Micro"]) {
            for (line, text) in Self.beginnings(in: try Repository.text(of: path)) {
                if Self.headless.contains(where: { text.hasPrefix($0 + " ") }) {
                    faults.append("\(path):\(line): \(text)")
                }
            }
        }
        #expect(faults == [])
    }

    /// Text without indentation and empty lines, so that the place of a piece of code does not matter.
    private static func lines(_ text: some StringProtocol) -> String {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
            .joined(separator: "\n")
    }

    @Test("has a page for each room, with an example that is compiled and run as a test")
    func examples() throws {
        let compiled = try Repository.swiftFiles(below: ["Tests/Examples"])
            .map { Self.lines(try Repository.text(of: $0)) }
        let pages = Repository.files(below: ["Sources"], extension: "md")
        #expect(pages.count == 17)
        for page in pages {
            let parts = try Repository.text(of: page).components(separatedBy: "```")
            let examples = parts.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
                .filter { $0.hasPrefix("swift\n") }.map { Self.lines($0.dropFirst("swift\n".count)) }
            #expect(!examples.isEmpty, "\(page) has no example")
            for example in examples {
                let isCompiled = compiled.contains { $0.contains(example) }
                #expect(isCompiled, "\(page): this is not in Tests/Examples:\n\(example)")
            }
        }
    }
}
