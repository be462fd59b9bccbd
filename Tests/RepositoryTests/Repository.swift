// The repository that these tests were compiled from.

import Foundation

/// The working tree.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func text(of path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }

    /// Paths of the files below some folders, in the order of their names.
    static func files(below folders: [String], extension: String) -> [String] {
        folders.flatMap { folder in
            (FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)?.allObjects ?? [])
                .compactMap { $0 as? String }.filter { $0.hasSuffix(".\(`extension`)") }.map { "\(folder)/\($0)" }
        }.sorted()
    }

    static func swiftFiles(below folders: [String]) -> [String] { files(below: folders, extension: "swift") }

    /// Texts of the Swift files below some folders.
    static func sources(below folders: [String]) -> [String] {
        swiftFiles(below: folders).compactMap { try? text(of: $0) }
    }
}
