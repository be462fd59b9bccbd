// Kinds of values that a key may have: the types of TOML, and what is made of them.

import Registry
import TOML

/// Reads a value of one kind, or says what is wrong with it.
struct ValueKind<Value> {
    /// The value, its key, and where mistakes go; nil after a mistake.
    let read: (TOMLValue, _ key: String, inout [Mistake]) -> Value?
}

/// Why a value of the right type is refused, as the rest of a sentence that begins with the value.
struct Refusal: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}

extension Refusal {
    /// Refusal of the registry: the value, and why.
    init(_ error: RegistryError) {
        reason = error.refusedValue.map { "'\($0.value)': \($0.reason)" } ?? error.description
    }

    /// Reads a value as the registry reads it.
    static func of<Value>(_ read: () throws(RegistryError) -> Value) throws(Refusal) -> Value {
        do throws(RegistryError) {
            return try read()
        } catch {
            throw Refusal(error)
        }
    }
}

/// A value and where it is.
struct Placed<Value> {
    var value: Value
    var position: TextPosition
}

extension ValueKind {
    /// A kind that is one type of TOML: `extract` gives nil for the others.
    private static func type(
        _ name: String, _ extract: @escaping (TOMLValue.Content) -> Value?
    ) -> ValueKind {
        ValueKind { value, key, mistakes in
            if let extracted = extract(value.content) { return extracted }
            let message = "\(key): expected \(name), found \(value.typeName)"
            mistakes.append(Mistake(position: value.position, message: message))
            return nil
        }
    }

    /// The kind's values turned into something else, or refused.
    func map<Result>(_ transform: @escaping (Value) throws(Refusal) -> Result) -> ValueKind<Result> {
        ValueKind<Result> { value, key, mistakes in
            guard let original = read(value, key, &mistakes) else { return nil }
            do throws(Refusal) {
                return try transform(original)
            } catch {
                mistakes.append(Mistake(position: value.position, message: "\(key): \(error.reason)"))
                return nil
            }
        }
    }

    fileprivate func flatMap<Result>(
        _ transform: @escaping (Value, String, inout [Mistake]) -> Result
    ) -> ValueKind<Result> {
        ValueKind<Result> { value, key, mistakes in
            read(value, key, &mistakes).map { transform($0, key, &mistakes) }
        }
    }
}

extension ValueKind {
    /// Text that the registry reads.
    static func text(_ read: @escaping (String) throws(RegistryError) -> Value) -> Self {
        ValueKind<String>.string.map { text throws(Refusal) in
            try Refusal.of { () throws(RegistryError) in try read(text) }
        }
    }
}

extension ValueKind<String> {
    /// Text that the registry can read, as it stands.
    static func checked<Read>(by read: @escaping (String) throws(RegistryError) -> Read) -> Self {
        text { text throws(RegistryError) in
            _ = try read(text)
            return text
        }
    }
}

extension ValueKind {
    /// A value of a kind, with its place.
    static func placed<Inner>(_ kind: ValueKind<Inner>) -> Self where Value == Placed<Inner> {
        ValueKind { value, key, mistakes in
            kind.read(value, key, &mistakes).map { Placed(value: $0, position: value.position) }
        }
    }

    /// An array of values of a kind; wrong ones are left out, so that all mistakes show.
    static func list<Element>(of kind: ValueKind<Element>) -> Self where Value == [Element] {
        ValueKind<[TOMLValue]>.array.flatMap { values, key, mistakes in
            values.compactMap { kind.read($0, key, &mistakes) }
        }
    }

    /// Such an array with at least one element.
    static func nonEmptyList<Element>(of kind: ValueKind<Element>) -> Self where Value == [Element] {
        ValueKind<[TOMLValue]>.array
            .map { values throws(Refusal) in
                guard !values.isEmpty else { throw Refusal("must not be empty") }
                return values
            }
            .flatMap { values, key, mistakes in values.compactMap { kind.read($0, key, &mistakes) } }
    }
}

extension ValueKind<[TOMLValue]> {
    fileprivate static var array: Self {
        type("an array") { if case .array(let values) = $0 { values } else { nil } }
    }
}

extension ValueKind<Bool> {
    static var boolean: Self {
        type("true or false") { if case .boolean(let value) = $0 { value } else { nil } }
    }
}

extension ValueKind<Int> {
    static func integer(in range: ClosedRange<Int>) -> Self {
        type("an integer") { if case .integer(let value) = $0 { value } else { nil } }
            .map { value throws(Refusal) in
                guard range.contains(value) else {
                    throw Refusal("\(value) is not between \(range.lowerBound) and \(range.upperBound)")
                }
                return value
            }
    }
}

extension ValueKind<[String]> {
    /// One text or several.
    static var texts: Self {
        nonEmptyList(of: .string).orString { text throws(Refusal) in [text] }
    }
}

extension ValueKind<String> {
    /// Any text.
    static var string: Self {
        type("a string") { if case .string(let value) = $0 { value } else { nil } }
    }

    /// Text that is not empty.
    static var nonEmptyString: Self {
        string.map { text throws(Refusal) in
            guard !text.isEmpty else { throw Refusal("must not be empty") }
            return text
        }
    }
}

extension ValueKind where Value: RawRepresentable<String> & CaseIterable {
    /// One of an enumeration's words.
    static var word: Self {
        ValueKind<String>.string.map { text throws(Refusal) in
            if let value = Value(rawValue: text) { return value }
            let words = Value.allCases.map(\.rawValue)
            let quoted = words.map { "'\($0)'" }
            let choice = (quoted.dropLast(2) + [quoted.suffix(2).joined(separator: " or ")]).joined(separator: ", ")
            throw Refusal("'\(text)' is not \(choice)" + Spelling.hint(for: text, among: words))
        }
    }
}

extension ValueKind<TableReader> {
    /// A table, whose keys are then read one by one.
    static func table(_ title: String) -> Self {
        ValueKind { value, key, mistakes in
            if case .table(let members) = value.content {
                return TableReader(members, title: title, position: value.position)
            }
            let message = "\(key): expected a table \(title), found \(value.typeName)"
            mistakes.append(Mistake(position: value.position, message: message))
            return nil
        }
    }
}

extension ValueKind<[TableReader]> {
    /// An array of tables.
    static func tables(_ title: String) -> Self {
        ValueKind { value, key, mistakes in
            guard case .array(let values) = value.content else {
                let message = "\(key): expected tables \(title), found \(value.typeName)"
                mistakes.append(Mistake(position: value.position, message: message))
                return nil
            }
            return values.compactMap { ValueKind<TableReader>.table(title).read($0, key, &mistakes) }
        }
    }
}

extension ValueKind {
    /// This kind, or text that stands for it.
    func orString(_ transform: @escaping (String) throws(Refusal) -> Value) -> ValueKind {
        let fromString = ValueKind<String>.string.map(transform)
        return ValueKind { value, key, mistakes in
            if case .string = value.content { return fromString.read(value, key, &mistakes) }
            return read(value, key, &mistakes)
        }
    }
}
