// JSON as its parts come: replies, lists and the lines that outlive a restart are written by the ten thousand.

/// An encoder that writes a document straight into octets, on one line, with the keys of each object in order.
///
/// Foundation's `JSONEncoder` makes a tree of dictionaries first, which takes several times as long. The document is the same,
/// octet for octet. Types that ask for nested containers or encoders of their own (`nestedContainer`, `superEncoder`) are not
/// encoded: those have to be finished before the next value begins, which the protocol does not promise.
final class JSONText: Encoder {
    /// Nothing has been encoded: a number is not finite, or a type asks for what this encoder has not.
    struct Failure: Error {}

    /// A member of an object that is not complete yet. Its key and its value are in ``octets`` already, without a comma; it ends
    /// where the next one begins.
    private struct Member {
        let key: String
        let start: Int
    }

    /// An array or object that is not complete yet.
    private enum Level {
        case array(isEmpty: Bool)
        /// The places where the object's octets and its members begin.
        case object(start: Int, firstMember: Int)
    }

    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]
    private var octets: [UInt8] = []
    private var levels: [Level] = []
    private var members: [Member] = []
    /// An object while its members are put in order.
    private var ordered: [UInt8] = []
    private var hasFailed = false

    private init() {}

    /// The document of a value.
    /// - Throws: ``Failure``, and what the value throws.
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let text = JSONText()
        try text.write(value)
        if text.hasFailed { throw Failure() }
        return text.octets
    }

    // MARK: - Values

    fileprivate func write(_ value: some Encodable) throws {
        let (depth, start) = (levels.count, octets.count)
        try value.encode(to: self)
        while levels.count > depth { close() }
        if octets.count == start { octets += "{}".utf8 }
    }

    fileprivate func writeNull() { octets += "null".utf8 }

    fileprivate func put(_ value: Bool) { octets += (value ? "true" : "false").utf8 }

    fileprivate func put(_ value: some BinaryInteger) { octets += value.description.utf8 }

    fileprivate func put(real value: some BinaryFloatingPoint & CustomStringConvertible) throws {
        guard value.isFinite else { throw Failure() }
        let digits = value.description
        octets += digits.hasSuffix(".0") ? digits.utf8.dropLast(2) : digits.utf8[...]
    }

    fileprivate func put(_ string: String) { Self.append(string, to: &octets) }

    /// Appends a string in quotes, with the escapes that RFC 8259 §7 asks for.
    static func append(_ string: String, to octets: inout [UInt8]) {
        octets.append(UInt8(ascii: "\""))
        if string.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) {
            for octet in string.utf8 { append(escaping: octet, to: &octets) }
        } else {
            octets += string.utf8
        }
        octets.append(UInt8(ascii: "\""))
    }

    private static func append(escaping octet: UInt8, to octets: inout [UInt8]) {
        switch octet {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): octets += [UInt8(ascii: "\\"), octet]
        case 0x08: octets += "\\b".utf8
        case 0x09: octets += "\\t".utf8
        case 0x0A: octets += "\\n".utf8
        case 0x0C: octets += "\\f".utf8
        case 0x0D: octets += "\\r".utf8
        case ..<0x20: octets += "\\u00\(octet < 0x10 ? "0" : "")\(String(octet, radix: 16))".utf8
        default: octets.append(octet)
        }
    }

    // MARK: - Arrays and objects

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        levels.append(.object(start: octets.count, firstMember: members.count))
        return KeyedEncodingContainer(Object(text: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        levels.append(.array(isEmpty: true))
        octets.append(UInt8(ascii: "["))
        return List(text: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Value(text: self) }

    /// Begins a member of the object that is not complete yet: its value follows.
    fileprivate func beginMember(_ key: some CodingKey) {
        members.append(Self.begin(key.stringValue, in: &octets))
    }

    private static func begin(_ key: String, in octets: inout [UInt8]) -> Member {
        let start = octets.count
        append(key, to: &octets)
        octets.append(UInt8(ascii: ":"))
        return Member(key: key, start: start)
    }

    /// Begins an element of the array that is not complete yet.
    fileprivate func beginElement() {
        if case .array(let isEmpty)? = levels.last, !isEmpty { return octets.append(UInt8(ascii: ",")) }
        levels[levels.count - 1] = .array(isEmpty: false)
    }

    private func close() {
        switch levels.removeLast() {
        case .array: octets.append(UInt8(ascii: "]"))
        case .object(let start, let first):
            Self.closeObject(start, &members, first, &octets, &ordered)
        }
    }

    /// Puts the members of an object in the order of their keys.
    private static func closeObject(
        _ start: Int, _ members: inout [Member], _ first: Int, _ octets: inout [UInt8], _ ordered: inout [UInt8]
    ) {
        ordered.removeAll(keepingCapacity: true)
        ordered.append(UInt8(ascii: "{"))
        for number in order(members[first...]) {
            if ordered.count > 1 { ordered.append(UInt8(ascii: ",")) }
            let end = number + 1 < members.count ? members[number + 1].start : octets.count
            ordered += octets[members[number].start..<end]
        }
        ordered.append(UInt8(ascii: "}"))
        members.removeLast(members.count - first)
        octets.removeLast(octets.count - start)
        octets += ordered
    }

    /// Positions of members in the order of their keys.
    private static func order(_ members: ArraySlice<Member>) -> [Int] {
        var order = Array(members.indices)
        // Objects of types have a handful, nearly in order; a dictionary may have any number.
        guard order.count <= 32 else { return order.sorted { members[$0].key < members[$1].key } }
        for next in order.indices.dropFirst() {
            var place = next
            while place > 0, members[order[place]].key < members[order[place - 1]].key {
                order.swapAt(place, place - 1)
                place -= 1
            }
        }
        return order
    }

    /// Refuses to encode: what is written from now on goes nowhere.
    fileprivate func fail() -> JSONText {
        hasFailed = true
        return JSONText()
    }
}

// MARK: - Containers

/// Members of an object.
private struct Object<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let text: JSONText
    var codingPath: [any CodingKey] { [] }

    func encodeNil(forKey key: Key) {
        text.beginMember(key)
        text.writeNull()
    }

    func encode(_ value: Bool, forKey key: Key) {
        text.beginMember(key)
        text.put(value)
    }

    func encode(_ value: String, forKey key: Key) {
        text.beginMember(key)
        text.put(value)
    }

    func encode(_ value: Int, forKey key: Key) {
        text.beginMember(key)
        text.put(value)
    }

    func encode(_ value: some Encodable, forKey key: Key) throws {
        text.beginMember(key)
        try text.write(value)
    }

    func nestedContainer<Nested: CodingKey>(keyedBy _: Nested.Type, forKey _: Key) -> KeyedEncodingContainer<Nested> {
        text.fail().container(keyedBy: Nested.self)
    }

    func nestedUnkeyedContainer(forKey _: Key) -> any UnkeyedEncodingContainer { text.fail().unkeyedContainer() }

    func superEncoder() -> any Encoder { text.fail() }

    func superEncoder(forKey _: Key) -> any Encoder { text.fail() }
}

/// Elements of an array.
private struct List: UnkeyedEncodingContainer {
    let text: JSONText
    private(set) var count = 0
    var codingPath: [any CodingKey] { [] }

    init(text: JSONText) { self.text = text }

    mutating func encodeNil() {
        begin()
        text.writeNull()
    }

    mutating func encode(_ value: some Encodable) throws {
        begin()
        try text.write(value)
    }

    private mutating func begin() {
        text.beginElement()
        count += 1
    }

    func nestedContainer<Nested: CodingKey>(keyedBy _: Nested.Type) -> KeyedEncodingContainer<Nested> {
        text.fail().container(keyedBy: Nested.self)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { text.fail().unkeyedContainer() }

    func superEncoder() -> any Encoder { text.fail() }
}

/// A value that is neither an array nor an object.
private struct Value: SingleValueEncodingContainer {
    let text: JSONText
    var codingPath: [any CodingKey] { [] }

    func encodeNil() { text.writeNull() }
    func encode(_ value: Bool) { text.put(value) }
    func encode(_ value: String) { text.put(value) }
    func encode(_ value: Double) throws { try text.put(real: value) }
    func encode(_ value: Float) throws { try text.put(real: value) }
    func encode(_ value: Int) { text.put(value) }
    func encode(_ value: Int8) { text.put(value) }
    func encode(_ value: Int16) { text.put(value) }
    func encode(_ value: Int32) { text.put(value) }
    func encode(_ value: Int64) { text.put(value) }
    func encode(_ value: UInt) { text.put(value) }
    func encode(_ value: UInt8) { text.put(value) }
    func encode(_ value: UInt16) { text.put(value) }
    func encode(_ value: UInt32) { text.put(value) }
    func encode(_ value: UInt64) { text.put(value) }
    func encode(_ value: some Encodable) throws { try text.write(value) }
}
