// An argument of a call over a bus, sd_bus_message_append_basic(3).

internal import CSystemd

/// A value of one of D-Bus's types (D-Bus Specification, "Type System"), as far as calls of ours have them.
package indirect enum BusArgument: Hashable, Sendable {
    /// Character data, `s`.
    case string(String)
    /// True or false, `b`.
    case boolean(Bool)
    /// Number of 32 bits with sign, `i`.
    case signed(Int32)
    /// Octet, `y`.
    case octet(UInt8)
    /// Values of one type, which has this signature, as `s` or `(iay)`.
    case array(of: String, [BusArgument])
    /// Several values together.
    case structure([BusArgument])

    /// Type of the value.
    package var signature: String {
        switch self {
        case .string: "s"
        case .boolean: "b"
        case .signed: "i"
        case .octet: "y"
        case .array(let element, _): "a\(element)"
        case .structure(let fields): "(\(fields.map(\.signature).joined()))"
        }
    }

    /// Appends the value to a message that is being made; below 0 where that fails.
    func append(to message: OpaquePointer?) -> Int32 {
        switch self {
        case .string(let text):
            // The string lives while the call runs, which copies it; so do the numbers below.
            return unsafe text.withCString { unsafe sd_bus_message_append_basic(message, Self.type("s"), $0) }
        case .boolean(let value):
            var number: Int32 = value ? 1 : 0
            return unsafe sd_bus_message_append_basic(message, Self.type("b"), &number)
        case .signed(let value):
            var number = value
            return unsafe sd_bus_message_append_basic(message, Self.type("i"), &number)
        case .octet(let value):
            var octet = value
            return unsafe sd_bus_message_append_basic(message, Self.type("y"), &octet)
        case .array(let element, let values):
            return unsafe append(values, to: message, "a", element)
        case .structure(let fields):
            return unsafe append(fields, to: message, "r", fields.map(\.signature).joined())
        }
    }

    private func append(
        _ values: [BusArgument], to message: OpaquePointer?, _ kind: Character, _ contents: String
    ) -> Int32 {
        // The signature is a string that the call copies.
        var status = unsafe sd_bus_message_open_container(message, Self.type(kind), contents)
        for value in values where status >= 0 { status = unsafe value.append(to: message) }
        return status < 0 ? status : unsafe sd_bus_message_close_container(message)
    }

    private static func type(_ character: Character) -> CChar { CChar(bitPattern: character.asciiValue ?? 0) }
}
