// A question as dig takes it, and the messages that it is asked by.

package import DNSWire

/// Transport and EDNS of a question: each row of the table is asked in all six ways.
package struct Manner: Sendable, Hashable, CustomStringConvertible {
    /// The OPT record of a query.
    package enum Extension: Sendable, Hashable, CaseIterable {
        case none, edns, dnssecOK
    }

    package let transport: Transport
    package let edns: Extension

    /// TCP before UDP: what the answer is in full shows what a datagram leaves out.
    package static let all = [Transport.stream, .datagram].flatMap { transport in
        Extension.allCases.map { Manner(transport: transport, edns: $0) }
    }

    /// `tcp` or `udp`.
    package var transportWord: String { transport == .stream ? "tcp" : "udp" }

    package var description: String {
        let way = transport == .stream ? "over TCP" : "over UDP"
        return switch edns {
        case .none: "\(way) without EDNS"
        case .edns: "\(way) with EDNS"
        case .dnssecOK: "\(way) with DO"
        }
    }
}

/// `web AAAA`, `-x 10.1.0.2`, `version.bind CH TXT`, `web +norecurse`, `raw` and octets.
package struct AskedQuestion: Sendable, CustomStringConvertible {
    package let description: String
    /// Question in the query; nil: raw octets.
    package private(set) var asked: (name: Name, type: RecordType, recordClass: RecordClass)?
    /// `raw`: the octets of the whole message.
    private var octets: [UInt8] = []
    private var flags = HeaderFlags(rawValue: 0x0100)
    /// `+edns=VERSION`.
    private var version: UInt8 = 0
    /// `+bufsize=OCTETS`: what the client takes over UDP.
    private var payload: UInt16 = 1232

    init?(_ text: String) {
        description = text
        var words = text.split(separator: " ")[...]
        if words.first == "raw" {
            let digits = words.dropFirst().joined().compactMap(\.hexDigitValue)
            octets = stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
            return
        }
        var name: Name?
        var type = RecordType.a
        var recordClass = RecordClass.in
        if words.first == "-x" {
            guard let address = words.dropFirst().first.flatMap({ IPAddress(String($0)) }) else { return nil }
            (name, type) = (address.reverseName, .ptr)
            words = words.dropFirst(2)
        } else {
            name = words.popFirst().flatMap { try? Name($0) }
        }
        for word in words {
            if word.hasPrefix("+") {
                guard apply(option: word.dropFirst()) else { return nil }
            } else if word == "CH" || word == "HS" {
                recordClass = word == "CH" ? .ch : .hs
            } else if let known = RecordType(text: word) {
                type = known
            } else {
                return nil
            }
        }
        guard let name else { return nil }
        asked = (name, type, recordClass)
    }

    private mutating func apply(option: Substring) -> Bool {
        let parts = option.split(separator: "=")
        switch (parts.first, parts.last) {
        case ("norecurse", _): flags.rd = false
        case ("cdflag", _): flags.cd = true
        case ("adflag", _): flags.ad = true
        case ("response", _): flags.isResponse = true
        case ("opcode", let value?):
            let codes: [OperationCode] = [.iquery, .status, .notify, .update, .dso]
            guard let code = codes.first(where: { $0.description == value }) else { return false }
            flags.opcode = code
        case ("edns", let value?): version = UInt8(value) ?? 0
        case ("bufsize", let value?): payload = UInt16(value) ?? 0
        default: return false
        }
        return true
    }

    /// The query, asked in one manner; nil where it cannot be: what is about EDNS is not asked without, and raw octets
    /// are asked as they are.
    package func message(_ manner: Manner, id: UInt16 = 0x1D1D) -> [UInt8]? {
        guard let asked else { return manner.edns == .none ? octets : nil }
        if version > 0, manner.edns == .none { return nil }
        let isExtended = manner.edns != .none
        var message: [UInt8] = []
        for word in [id, flags.rawValue, 1, 0, 0, isExtended ? 1 : 0] { message.append(word: word) }
        message += asked.name.wire
        message.append(word: asked.type.rawValue)
        message.append(word: asked.recordClass.rawValue)
        guard isExtended else { return message }
        message.append(0)
        message.append(word: RecordType.opt.rawValue)
        message.append(word: payload)
        message += [0, version, manner.edns == .dnssecOK ? 0x80 : 0, 0, 0, 0]
        return message
    }

    /// Name and number of the type, as the upstream of the tests writes them down.
    package var upstreamLine: String {
        guard let asked else { return description }
        return "\(asked.name == .root ? "." : "\(asked.name).") \(asked.type.rawValue)"
    }

    /// The most octets that an answer may have.
    func limit(_ manner: Manner) -> Int {
        if manner.transport == .stream { return 65_535 }
        return manner.edns == .none ? 512 : min(max(Int(payload), 512), Expectation.maximumDatagram)
    }
}

extension [UInt8] {
    fileprivate mutating func append(word: UInt16) {
        self += [UInt8(word >> 8), UInt8(truncatingIfNeeded: word)]
    }
}
