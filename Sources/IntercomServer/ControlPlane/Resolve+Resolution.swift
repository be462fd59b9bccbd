// An answer on the wire, as `resolve` shows it.

import ControlAPI
import DNSWire

extension Resolve.Answer {
    /// - Throws: ``WireError`` where the answer cannot be read: an upstream's, in a part that is passed on unread.
    init(_ resolution: Resolution, asked name: String, _ type: RecordType) throws(WireError) {
        let bytes = resolution.message.span
        let message = try Message(bytes)
        var owner = FoldedName()
        let reply = try Reply.parse(bytes, name: &owner)
        var answers: [Resolve.Record] = []
        var authority: [Resolve.Record] = []
        var records = message.records
        while let record = try records.next() {
            if record.type == .opt { continue }
            let shown = Resolve.Record(
                name: "\(try Name(bytes, at: record.nameOffset))", ttl: Int(record.ttl), type: "\(record.type)",
                data: try MessageText.data(of: record, in: bytes))
            switch record.section {
            case .answer: answers.append(shown)
            case .authority: authority.append(shown)
            case .additional: break
            }
        }
        self.init(
            name: name, type: "\(type)", rcode: "\(reply.responseCode)", flags: MessageText.flags(message.header.flags),
            answers: answers, authority: authority,
            extendedErrors: try reply.edns.map { edns throws(WireError) in try Self.details(of: edns, in: bytes) }
                ?? [],
            source: resolution.source)
    }

    private static func details(of edns: EDNS, in message: Span<UInt8>) throws(WireError) -> [Resolve.ExtendedError] {
        var details: [Resolve.ExtendedError] = []
        var options = edns.options
        while let option = try options.next(message) {
            guard option.code == .extendedError, option.length >= 2 else { continue }
            let data = message.extracting(option.offset..<option.offset + option.length)
            let code = ExtendedError(rawValue: UInt16(data[0]) << 8 | UInt16(data[1]))
            var text: [UInt8] = []
            for index in 2..<max(2, data.count) { text.append(data[index]) }
            details.append(
                Resolve.ExtendedError(
                    code: Int(code.rawValue), meaning: "\(code)",
                    text: text.isEmpty ? nil : String(decoding: text, as: UTF8.self)))
        }
        return details
    }
}
