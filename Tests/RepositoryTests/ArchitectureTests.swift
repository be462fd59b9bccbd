// ARCHITECTURE.md, CONTRIBUTING.md and SECURITY.md name files, types and functions: each must still exist.

import Foundation
import Testing

/// One piece of text between backticks, as `Registry.takeChanges()` or `Sources/Registry`.
private struct CodeSpan: CustomStringConvertible, Sendable {
    var document: String
    var text: String
    var description: String { "\(document): `\(text)`" }

    static func all(in document: String) throws -> [CodeSpan] {
        var outsideBlocks = ""
        var isInBlock = false
        for line in try Repository.text(of: document).split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") { isInBlock.toggle() }
            if !isInBlock, !line.hasPrefix("    ") { outsideBlocks += line + "\n" }
        }
        let parts = outsideBlocks.split(separator: "`", omittingEmptySubsequences: false)
        return parts.enumerated().filter { $0.offset % 2 == 1 }.map {
            CodeSpan(document: document, text: String($0.element))
        }
    }

    /// A path of the repository, or nil. A pattern (`*`, `…`, `NAME`) is none.
    var path: String? {
        let first = text.split(separator: "/").first.map(String.init) ?? ""
        guard ["Sources", "Tests", "Benchmarks", "config", ".ci"].contains(first),
            !text.contains(where: { "*…{ ".contains($0) }), !text.contains("NAME")
        else { return nil }
        return text
    }

    /// The type and the member of `Type.member` or `Type.member(label:)`, or nil.
    var member: (type: String, name: String)? {
        let beforeArguments = text.prefix { $0 != "(" }
        let parts = beforeArguments.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let initial = parts[0].first, initial.isUppercase, let lower = parts[1].first,
            lower.isLowercase, parts.joined().allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
        else { return nil }
        // A file of the top level, as `Package.swift`.
        if ["swift", "md", "toml"].contains(parts[1]) { return nil }
        return (parts[0], parts[1])
    }
}

@Suite("What the documents name exists")
struct ArchitectureTests {
    static let documents = ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"]

    /// For each type, the members that are declared in the files that declare or extend it.
    private static let declarations: [String: Set<String>] = {
        let types: Set<Substring> = ["struct", "class", "enum", "protocol", "extension", "actor"]
        let members: Set<Substring> = ["func", "var", "let", "case"]
        var all: [String: Set<String>] = [:]
        for text in Repository.sources(below: ["Sources", "Tests", "Benchmarks/Micro"]) {
            var declared: (types: Set<String>, members: Set<String>) = ([], [])
            var before: Substring = ""
            for word in text.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "_" }) {
                if types.contains(before) { declared.types.insert(String(word)) }
                if members.contains(before) { declared.members.insert(String(word)) }
                before = word
            }
            for type in declared.types { all[type, default: []].formUnion(declared.members) }
        }
        return all
    }()

    @Test("Every path in a document exists", arguments: documents)
    func paths(document: String) throws {
        let missing = try CodeSpan.all(in: document).filter { span in
            span.path.map { !Repository.exists($0) } ?? false
        }
        #expect(missing.isEmpty, "\(missing)")
    }

    @Test("Every function in a document is declared in Sources or Tests", arguments: documents)
    func members(document: String) throws {
        let missing = try CodeSpan.all(in: document).filter { span in
            guard let (type, name) = span.member else { return false }
            return Self.declarations[type]?.contains(name) != true
        }
        #expect(missing.isEmpty, "\(missing)")
    }

    @Test("ARCHITECTURE.md names every room of Sources")
    func rooms() throws {
        let text = try Repository.text(of: "ARCHITECTURE.md")
        let rooms = try FileManager.default.contentsOfDirectory(
            atPath: Repository.root.appendingPathComponent("Sources").path)
        #expect(rooms.filter { !text.contains($0) }.isEmpty)
    }
}
