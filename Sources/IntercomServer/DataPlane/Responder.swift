// Who is answered what: the rules of a query, in their order, as one list.

import DNSWire
import Registry

/// What is to become of a query.
enum Outcome {
    /// The answer is in the buffer.
    case answered(length: Int, AnswerSource)
    /// Not ours: ``Responder/query`` goes to this upstream group.
    case forward(group: UInt32)
    /// An upstream asks us what we asked it.
    case loop(token: UInt64)
    case drop
}

/// What the rules say of a query.
enum Ruling {
    case answer(AnswerContent, AnswerSource)
    case forward(group: UInt32)
    case loop(token: UInt64)
}

/// Answers queries from the directory: no I/O, no allocation, one at a time.
///
/// Some of it is `mutating` although it changes nothing, as is ``Directory``.
struct Responder: ~Copyable {
    var directory: Directory
    /// The tokens of the probes that upstreams are being sent; empty nearly always.
    var probes: [UInt64] = []
    /// The query that ``respond(to:view:over:into:)`` read last.
    private(set) var query = Query.empty
    /// Its name.
    private(set) var name = FoldedName()
    var negative: NegativeAnswer
    private(set) var settings: ServerSettings

    init(settings: ServerSettings, seed: UInt64) {
        self.settings = settings
        self.negative = NegativeAnswer(domain: settings.domain, ttl: settings.ttl)
        self.directory = Directory(domain: settings.domain, seed: seed)
    }

    mutating func apply(_ settings: ServerSettings) {
        self.settings = settings
        directory.setDomain(settings.domain)
        negative = NegativeAnswer(domain: settings.domain, ttl: settings.ttl)
    }

    /// Answers one query from a view, or says that it is to be forwarded.
    mutating func respond(
        to message: Span<UInt8>, view: ViewID, over transport: Transport, into buffer: consuming MutableSpan<UInt8>
    ) -> Outcome {
        do throws(WireError) {
            query = try Query(message, name: &name)
        } catch {
            return refuse(message, into: buffer)
        }
        guard query.header.flags.isQuery else { return refuse(message, into: buffer) }
        switch rule(view) {
        case .answer(let content, let source):
            var answer = AnswerWriter(query, of: message, over: transport, into: buffer)
            write(content, into: &answer)
            return .answered(length: answer.finish(), source)
        case .forward(let group): return .forward(group: group)
        case .loop(let token): return .loop(token: token)
        }
    }

    /// What is not answered, and what is with a header alone: what could not be read, or is no question.
    @inline(never)
    private func refuse(_ message: Span<UInt8>, into buffer: consuming MutableSpan<UInt8>) -> Outcome {
        guard let header = Header(message), !header.flags.isResponse else { return .drop }
        let isMalformed = header.flags.opcode == .query
        let flags = HeaderFlags(
            answering: header.flags, aa: false, isMalformed ? .formatError : .notImplemented)
        Header(id: header.id, flags: flags).write(into: &buffer)
        return .answered(length: Header.length, isMalformed ? .malformed : .notImplemented)
    }

    // MARK: - The rules

    /// The order below is the promise of the design ("Who is answered what"): the first that knows, answers.
    @inline(__always)
    private mutating func rule(_ view: ViewID) -> Ruling {
        let type = query.question.type
        if let edns = query.edns, edns.version > 0 { return .answer(.code(.badVersion), .badVersion) }
        if query.question.recordClass != .in { return chaos() }
        if type.isTransfer { return .answer(.code(.refused), .refused) }

        if let content = SpecialUseName(name).content { return .answer(content, .specialUse) }
        if let match = directory.find(name, view: view) {
            return .answer(.records(match), match.isLink ? .link : .network(match.scope))
        }
        if name.isReverse, let ruling = reverse(view) { return ruling }
        if directory.isServiceNameOfOurs(name, view: view) { return .answer(.noName, .serviceName) }
        if directory.isUnderDomain(name) { return .answer(.noName, .domain) }
        let destination = directory.destination(of: name, view: view)
        if destination?.isRoute != true {
            if name.labelCount == 1 && !mayForwardSingleLabel(type) { return .answer(.noName, .singleLabel) }
            if !settings.forwardsLocal && SpecialUseName.isMulticast(name) { return .answer(.noName, .multicast) }
        }
        if !probes.isEmpty, let token = LoopProbe.token(in: name), probes.contains(token) { return .loop(token: token) }
        guard let destination else { return .answer(.blocked, .blocked) }
        return .forward(group: destination.group)
    }

    /// 5. PTR of an address of an endpoint on my networks; other addresses of their subnets do not exist, and nothing
    /// in the zones of their subnets leaves (RFC 6303 §3): there is an empty name for each block of addresses.
    private mutating func reverse(_ view: ViewID) -> Ruling? {
        if let match = directory.findReverse(name, view: view) {
            return .answer(.records(match), .reverse(match.scope))
        }
        guard let block = name.reverseBlock, directory.isReverseOfMyNetworks(block, view: view) else { return nil }
        return .answer(!block.isAddress && block.labelsBefore == 0 ? .noData : .noName, .subnet)
    }

    /// 6. A single label is a host's short name, which nobody outside can know. The types of the delegation itself
    /// are asked by validators alone (RFC 4035 §4.2), about top-level domains: they go upstream.
    private func mayForwardSingleLabel(_ type: RecordType) -> Bool {
        settings.forwardsSingleLabels || type == .ds || type == .dnskey
    }

    /// CHAOS: the version and the identity, where the configuration gives them.
    private func chaos() -> Ruling {
        let type = query.question.type
        guard query.question.recordClass == .ch, type == .txt || type == .any, let name = ChaosName(name),
            !text(of: name).isEmpty
        else { return .answer(.code(.refused), .refused) }
        return .answer(.identity(name), .chaos)
    }
}
