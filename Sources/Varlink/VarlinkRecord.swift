// Replies whose members are known beforehand, written without an encoder: those of a monitor come by the ten thousand a second.

/// Writes one reply after which more follow, whose parameters are one object of texts and numbers. The octets are those that
/// ``VarlinkReply/encode(_:continues:)`` gives, at a tenth of the cost.
package struct VarlinkRecord {
    private var octets: [UInt8]
    private var isEmpty = true
    /// True once a text had an octet beyond printable ASCII.
    private var needsEscapes = false

    /// - Parameter name: the parameter: letters.
    package init(named name: StaticString) {
        octets = []
        octets.reserveCapacity(256)
        octets += "{\"continues\":true,\"parameters\":{\"".utf8
        octets += name.description.utf8
        octets += "\":{".utf8
    }

    private mutating func begin(_ key: StaticString) {
        if !isEmpty { octets.append(UInt8(ascii: ",")) }
        isEmpty = false
        octets.append(UInt8(ascii: "\""))
        octets += key.description.utf8
        octets += "\":".utf8
    }

    /// Adds a text; nil: nothing. Members come in the order of their keys.
    package mutating func add(_ key: StaticString, _ text: String?) {
        guard let text else { return }
        begin(key)
        if !text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { needsEscapes = true }
        JSONText.append(text, to: &octets)
    }

    /// Adds a number.
    package mutating func add(_ key: StaticString, _ number: Int) {
        begin(key)
        octets += number.description.utf8
    }

    /// The message with its NUL.
    package consuming func message() -> [UInt8] {
        octets += "}}}".utf8
        var message = needsEscapes ? ASCIIJSON.escaped(octets) : octets
        message.append(0)
        return message
    }
}
