// Reads the keys of one table of a document, and tells which of its keys nobody asked for.

import TOML

/// A table whose keys are read one by one; mistakes are collected, so that one run shows them all.
struct TableReader {
    /// As the file spells it, `[server]` or `[[network]]`; nil for the root.
    let title: String?
    let position: TextPosition
    private(set) var mistakes: [Mistake] = []
    private let members: [TOMLMember]
    /// The keys that were asked for.
    private var known: [String] = []

    init(_ members: [TOMLMember], title: String?, position: TextPosition) {
        self.members = members
        self.title = title
        self.position = position
    }

    /// The value of a key; nil where it is absent or wrong.
    mutating func read<Value>(_ key: String, _ kind: ValueKind<Value>) -> Value? {
        known.append(key)
        guard let member = members.first(where: { $0.key == key }) else { return nil }
        return kind.read(member.value, key, &mistakes)
    }

    /// Sets what a key says; leaves it as it is where the key is absent or wrong.
    mutating func read<Value>(_ key: String, _ kind: ValueKind<Value>, into target: inout Value) {
        if let value = read(key, kind) { target = value }
    }

    /// The value of a key that must be there.
    mutating func require<Value>(_ key: String, _ kind: ValueKind<Value>) -> Value? {
        if !has(key) { refuse(at: position, "\(title ?? "the file") has no '\(key)'") }
        return read(key, kind)
    }

    func has(_ key: String) -> Bool {
        members.contains { $0.key == key }
    }

    /// Place of a key's value; the table's own place where it has none.
    func place(of key: String) -> TextPosition {
        members.first { $0.key == key }?.value.position ?? position
    }

    mutating func refuse(at position: TextPosition, _ message: String) {
        mistakes.append(Mistake(position: position, message: message))
    }

    /// All mistakes, those about unknown keys included.
    consuming func finish() -> [Mistake] {
        for member in members where !known.contains(member.key) {
            let message =
                if let title {
                    "unknown key '\(member.key)' in \(title)" + Spelling.hint(for: member.key, among: known)
                } else {
                    switch member.value.content {
                    case .table:
                        "unknown table [\(member.key)]" + Spelling.hint(for: member.key, among: known) { "[\($0)]" }
                    default:
                        "unknown key '\(member.key)'" + Spelling.hint(for: member.key, among: known)
                    }
                }
            refuse(at: member.position, message)
        }
        return mistakes
    }
}
