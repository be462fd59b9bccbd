// One answer for a lookup of systemd-resolved, of what a worker says about each of its keys.

import ControlAPI
import DNSWire

/// Collects the findings about the keys of a lookup, which fail or succeed together.
struct HookAnswer {
    /// The most records that are passed on, of all keys together: Docker's largest service has some hundred replicas.
    private static let recordLimit = 1024

    private var records: [ResolveRecord.Answer] = []
    /// True when a name is there, with records of the type or without.
    private var exists = false
    /// True when a name under the domain is nobody's.
    private var isDenied = false
    /// True when a key is none of ours: then others may know it.
    private var isForOthers = false

    /// Takes in what a worker says about one key; nil: it says nothing, or the key cannot be asked about.
    mutating func take(_ resolution: Resolution?) {
        guard let resolution, case .answered(let source) = resolution.decision, source.isOfContainers else {
            isForOthers = true
            return
        }
        do throws(WireError) {
            let message = try Message(resolution.message.span)
            if message.header.flags.responseCode == .nameError {
                isDenied = true
            } else {
                exists = true
                try takeRecords(of: message)
            }
        } catch {
            isForOthers = true
        }
    }

    private mutating func takeRecords(of message: borrowing Message) throws(WireError) {
        var cursor = message.records
        while let record = try cursor.next(), record.section == .answer, records.count < Self.recordLimit {
            records.append(.init(raw: Base64.text(try record.uncompressed(in: message.bytes))))
        }
    }

    /// The reply: records of whichever key has some; no data; a denial where each name is ours and nobody has it; else
    /// nothing, and systemd-resolved goes on.
    var reply: ResolveRecord.Reply {
        if !records.isEmpty { return .init(rcode: Int(ResponseCode.noError.rawValue), answer: records) }
        if isForOthers { return .init() }
        if exists { return .init(rcode: Int(ResponseCode.noError.rawValue), answer: []) }
        return isDenied ? .init(rcode: Int(ResponseCode.nameError.rawValue)) : .init()
    }
}

extension AnswerSource {
    /// True for what containers and their domain alone decide: everything else is for the host's own resolver.
    fileprivate var isOfContainers: Bool {
        switch self {
        case .network, .reverse, .domain, .emptyName, .underscored: true
        default: false
        }
    }
}
