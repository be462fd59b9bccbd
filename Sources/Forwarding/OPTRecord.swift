// The OPT record of messages that are put together here (RFC 6891 §6.1.2).

package import DNSWire

/// What an upstream, or this forwarder, said about an answer (Extended DNS Error, RFC 8914 §2).
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

    init(_ code: ExtendedError, octets: [UInt8]) {
        self.code = code
        text = octets
    }
}

/// An OPT record with Extended DNS Errors as its only options.
struct OPTRecord {
    /// Octets of an Extended DNS Error without its text: option code, length, INFO-CODE.
    private static let detailLength = 6

    /// All twelve bits; the upper eight travel in the record.
    var responseCode: ResponseCode
    var dnssecOK: Bool
    var details: [ErrorDetail] = []

    var length: Int {
        details.reduce(EDNS.minimumLength) { $0 + Self.detailLength + $1.text.count }
    }

    /// The same without the texts for people: what is left where room is short.
    var withoutTexts: OPTRecord {
        var shorter = self
        shorter.details = details.map { ErrorDetail($0.code) }
        return shorter
    }

    func write(into message: inout [UInt8]) {
        message.append(0)
        message.append(word16: RecordType.opt.rawValue)
        message.append(word16: UpstreamQuery.udpPayloadSize)
        message.append(word16: (responseCode.rawValue >> 4) << 8)
        message.append(word16: dnssecOK ? 0x8000 : 0)
        message.append(word16: UInt16(truncatingIfNeeded: length - EDNS.minimumLength))
        for detail in details {
            message.append(word16: OptionCode.extendedError.rawValue)
            message.append(word16: UInt16(truncatingIfNeeded: 2 + detail.text.count))
            message.append(word16: detail.code.rawValue)
            message += detail.text
        }
    }
}
