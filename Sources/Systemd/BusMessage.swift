// A reply of a bus, read value by value, sd_bus_message_read_basic(3).

internal import CSystemd
package import SystemPackage

/// A reply to a call. Values are read in their order; a value of another type than the one that is asked for is an error.
@safe package struct BusMessage: ~Copyable {
    // Safe although it has a pointer: the message is this value's own, as long as it lives.

    /// Types of values (D-Bus Specification, "Type System"), by their characters.
    package enum Kind: UInt8, Sendable {
        /// Character data in UTF-8.
        case string = 0x73  // s
        /// Path of an object.
        case objectPath = 0x6F  // o
        /// Number of 32 bits, without sign.
        case unsigned = 0x75  // u
        /// Number of 32 bits, with sign.
        case signed = 0x69  // i
        /// Sequence of values of one type.
        case array = 0x61  // a
        /// Several values together.
        case structure = 0x72  // r
        /// Value that says its type itself.
        case variant = 0x76  // v
        /// Key and value in an array.
        case entry = 0x65  // e

        fileprivate var character: CChar { CChar(bitPattern: rawValue) }
    }

    private let message: OpaquePointer
    private let call: String

    init(adopting message: OpaquePointer, call: String) {
        unsafe self.message = message
        self.call = call
    }

    deinit {
        // The message is ours, and nobody has it any more.
        _ = unsafe sd_bus_message_unref(message)
    }

    /// Enters an array, a structure, a variant or an entry.
    /// - Parameters:
    ///   - kind: its type.
    ///   - contents: the types in it, as `ssso`.
    /// - Returns: false at the end of the array that it would be an element of.
    /// - Throws: ``BusError`` where something else is next.
    package func enter(_ kind: Kind, _ contents: String) throws(BusError) -> Bool {
        try checked(unsafe sd_bus_message_enter_container(message, kind.character, contents)) > 0
    }

    /// Leaves what was entered last, of which everything has been read.
    /// - Throws: ``BusError``.
    package func leave() throws(BusError) {
        _ = try checked(unsafe sd_bus_message_exit_container(message))
    }

    /// Reads over values.
    /// - Parameter contents: their types.
    /// - Throws: ``BusError``.
    package func skip(_ contents: String) throws(BusError) {
        _ = try checked(unsafe sd_bus_message_skip(message, contents))
    }

    /// Reads a string or an object's path.
    /// - Returns: nil at the end of the array.
    /// - Throws: ``BusError``.
    package func string(_ kind: Kind = .string) throws(BusError) -> String? {
        var text: UnsafePointer<CChar>? = nil
        // Of these types it gives a pointer into the message, which lives as long as this value.
        let status = try checked(
            unsafe withUnsafeMutablePointer(to: &text) { unsafe sd_bus_message_read_basic(message, kind.character, $0) }
        )
        guard status > 0, let text = unsafe text else { return nil }
        return unsafe String(cString: text)
    }

    /// Reads a number without sign.
    /// - Returns: nil at the end of the array.
    /// - Throws: ``BusError``.
    package func unsigned() throws(BusError) -> UInt32? {
        var number: UInt32 = 0
        // It writes 32 bits.
        return try checked(unsafe sd_bus_message_read_basic(message, Kind.unsigned.character, &number)) > 0
            ? number : nil
    }

    /// Reads a number with sign.
    /// - Returns: nil at the end of the array.
    /// - Throws: ``BusError``.
    package func signed() throws(BusError) -> Int32? {
        var number: Int32 = 0
        // It writes 32 bits.
        return try checked(unsafe sd_bus_message_read_basic(message, Kind.signed.character, &number)) > 0 ? number : nil
    }

    private func checked(_ status: Int32) throws(BusError) -> Int32 {
        guard status >= 0 else { throw BusError(call: "reply to \(call)", status: status) }
        return status
    }
}

/// A call over a bus that failed.
package struct BusError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Method or function that failed.
    package let call: String
    /// Error number; sd-bus has one for each error reply, too.
    package let errno: Errno
    /// Name of the error reply, as `org.freedesktop.machine1.NoSuchMachine`; nil where there was none.
    package let name: String?

    init(call: String, status: Int32, name: String? = nil) {
        self.call = call
        errno = Errno(rawValue: status < 0 ? -status : Errno.ioError.rawValue)
        self.name = name
    }

    package var description: String { "\(call): \(name ?? "\(errno)")" }
}
