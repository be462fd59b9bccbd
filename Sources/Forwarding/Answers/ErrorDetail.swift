// Extended DNS Errors of an answer (RFC 8914), as values and as they lie in an OPT record.

package import DNSWire

/// A remark of an upstream, or of this forwarder, about an answer (Extended DNS Error, RFC 8914 §2).
package struct ErrorDetail: Sendable, Hashable {
    /// INFO-CODE.
    package var code: ExtendedError
    /// EXTRA-TEXT: UTF-8 for people, empty where nothing was said. Bytes of an upstream: not to be trusted.
    package var text: [UInt8]

    /// A detail of this forwarder's own.
    package init(_ code: ExtendedError, text: String = "") {
        self.code = code
        self.text = Array(text.utf8)
    }

    private init(_ code: ExtendedError, octets: [UInt8]) {
        self.code = code
        text = octets
    }
}

extension ErrorDetail {
    /// The most that are passed on of one reply.
    private static let maximum = 8

    /// The options of an OPT record that say this.
    static func options(_ details: [ErrorDetail]) -> [UInt8] {
        var options: [UInt8] = []
        for detail in details {
            options.append(word: OptionCode.extendedError.rawValue)
            options.append(word: UInt16(truncatingIfNeeded: 2 + detail.text.count))
            options.append(word: detail.code.rawValue)
            options += detail.text
        }
        return options
    }

    /// Those options of a message's OPT record that are Extended DNS Errors.
    static func options(_ edns: EDNS, of message: Span<UInt8>) -> [UInt8] {
        var octets: [UInt8] = []
        var count = 0
        var options = edns.options
        while count < maximum, let option = try? options.next(message) {
            guard option.code == .extendedError, option.length >= 2 else { continue }
            var text: [UInt8] = []
            text.append(message, option.offset + 2..<option.offset + option.length)
            // Clients refuse a whole message for a text that is no UTF-8 (RFC 8914 §2).
            if String(validating: text, as: UTF8.self) == nil { text = [] }
            let code = ExtendedError(rawValue: message.word16(option.offset))
            octets += Self.options([ErrorDetail(code, octets: text)])
            count += 1
        }
        return octets
    }

    /// Reads options that are all Extended DNS Errors.
    static func details(in options: Span<UInt8>) -> [ErrorDetail] {
        var details: [ErrorDetail] = []
        var offset = 0
        while offset < options.count {
            let end = self.end(options, offset)
            var text: [UInt8] = []
            text.append(options, offset + ExtendedError.optionLength..<end)
            details.append(ErrorDetail(ExtendedError(rawValue: options.word16(offset + 4)), octets: text))
            offset = end
        }
        return details
    }

    /// The number of these options.
    static func count(in options: Span<UInt8>) -> Int {
        var count = 0
        var offset = 0
        while offset < options.count {
            offset = end(options, offset)
            count += 1
        }
        return count
    }

    /// Writes the options at an offset of a buffer without their texts; gives the offset behind them.
    static func writeBare(_ options: Span<UInt8>, into buffer: inout MutableSpan<UInt8>, at start: Int) -> Int {
        var place = start
        var offset = 0
        while offset < options.count {
            ExtendedError(rawValue: options.word16(offset + 4)).write(into: &buffer, at: place)
            place += ExtendedError.optionLength
            offset = end(options, offset)
        }
        return place
    }

    /// The end of the option at an offset.
    private static func end(_ options: Span<UInt8>, _ offset: Int) -> Int {
        offset + 4 + Int(options.word16(offset + 2))
    }
}
