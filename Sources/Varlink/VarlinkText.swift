// Calls whose members are known beforehand, written without an encoder: the state directory keeps them by the ten thousand.

/// Writes one call, member by member in the order of their keys. The octets are those that
/// ``VarlinkCall/encode(method:parameters:oneway:more:)`` gives, at a tenth of the cost.
package struct VarlinkText {
    private var octets: [UInt8] = []
    /// True where the next member or element has none before it in its object or array.
    private var isFirst = true
    /// True once a text had an octet beyond printable ASCII.
    private var needsEscapes = false

    /// - Parameter method: full name of the method.
    package init(method: String) {
        octets.reserveCapacity(512)
        octets += "{".utf8
        add("method", method)
        begin("parameters")
        octets += "{".utf8
        isFirst = true
    }

    private mutating func separate() {
        if !isFirst { octets.append(UInt8(ascii: ",")) }
        isFirst = false
    }

    private mutating func begin(_ key: String) {
        separate()
        octets.append(UInt8(ascii: "\""))
        octets += key.utf8
        octets += "\":".utf8
    }

    private mutating func write(_ text: String) {
        let isPlain = text.utf8.allSatisfy {
            (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        guard isPlain else {
            needsEscapes = true
            return JSONText.append(text, to: &octets)
        }
        octets.append(UInt8(ascii: "\""))
        octets += text.utf8
        octets.append(UInt8(ascii: "\""))
    }

    /// Adds a text; nil: nothing.
    package mutating func add(_ key: String, _ text: String?) {
        guard let text else { return }
        begin(key)
        write(text)
    }

    /// Adds a number; nil: nothing.
    package mutating func add(_ key: String, _ number: (some BinaryInteger)?) {
        guard let number else { return }
        begin(key)
        octets += number.description.utf8
    }

    /// Adds a truth value; nil: nothing.
    package mutating func add(_ key: String, _ isTrue: Bool?) {
        guard let isTrue else { return }
        begin(key)
        octets += (isTrue ? "true" : "false").utf8
    }

    /// Adds an array of texts; nil: nothing.
    package mutating func add(_ key: String, _ texts: [String]?) {
        addArray(key, texts) { text, element in text.write(element) }
    }

    /// Adds an array of objects; nil: nothing.
    /// - Parameters:
    ///   - key: the member's key.
    ///   - elements: an object each.
    ///   - members: adds the members of an element.
    package mutating func add<Element>(
        _ key: String, _ elements: [Element]?, _ members: (inout VarlinkText, Element) -> Void
    ) {
        addArray(key, elements) { text, element in text.writeObject { members(&$0, element) } }
    }

    /// Adds an object.
    /// - Parameters:
    ///   - key: the member's key.
    ///   - members: adds its members.
    package mutating func add(_ key: String, _ members: (inout VarlinkText) -> Void) {
        begin(key)
        writeObject(members)
    }

    private mutating func addArray<Element>(
        _ key: String, _ elements: [Element]?, _ write: (inout VarlinkText, Element) -> Void
    ) {
        guard let elements else { return }
        begin(key)
        octets.append(UInt8(ascii: "["))
        isFirst = true
        for element in elements {
            separate()
            write(&self, element)
        }
        octets.append(UInt8(ascii: "]"))
        isFirst = false
    }

    private mutating func writeObject(_ members: (inout VarlinkText) -> Void) {
        octets.append(UInt8(ascii: "{"))
        isFirst = true
        members(&self)
        octets.append(UInt8(ascii: "}"))
        isFirst = false
    }

    /// The message with its NUL.
    package consuming func message() -> [UInt8] {
        octets += "}}".utf8
        var message = needsEscapes ? ASCIIJSON.escaped(octets) : octets
        message.append(0)
        return message
    }
}
