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

/// Answers queries from the directory: no I/O, no allocation, one at a time.
struct Responder: ~Copyable {
    var directory: Directory
    /// The tokens of the probes that upstreams are being sent; empty nearly always.
    var probes: [UInt64] = []
    /// The query that ``respond(to:view:over:into:)`` read last.
    private(set) var query = Query.empty
    /// Its name.
    private(set) var name = FoldedName()
    private var negative: NegativeAnswer
    private var settings: ServerSettings

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
    ///
    /// The order below is the promise of the design ("Who is answered what"): the first that knows, answers.
    mutating func respond(
        to message: Span<UInt8>, view: ViewID, over transport: Transport, into buffer: consuming MutableSpan<UInt8>
    ) -> Outcome {
        guard let header = Header(message), !header.flags.isResponse else { return .drop }
        guard header.flags.opcode == .query else {
            return bare(header, .notImplemented, .notImplemented, into: buffer)
        }
        do throws(WireError) {
            query = try Query(message, header, name: &name)
        } catch {
            return bare(header, .formatError, .malformed, into: buffer)
        }

        var answer = AnswerWriter(query, of: message, over: transport, into: buffer)
        let type = query.question.type
        if let edns = query.edns, edns.version > 0 { return answer.fail(.badVersion, .badVersion) }
        if query.question.recordClass != .in { return chaos(&answer) }
        if type == .axfr || type == .ixfr { return answer.fail(.refused, .refused) }

        if let outcome = specialUse(&answer) { return outcome }
        if let match = directory.find(name, view: view) { return found(match, &answer) }
        if let outcome = reverse(view, &answer) { return outcome }
        if directory.isServiceNameOfOurs(name, view: view) { return deny(.serviceName, &answer) }
        if directory.isUnderDomain(name) { return deny(.domain, &answer) }
        let destination = directory.destination(of: name, view: view)
        if destination?.isRoute != true {
            if name.labelCount == 1 && !mayForwardSingleLabel(type) { return deny(.singleLabel, &answer) }
            if !settings.forwardsLocal && SpecialUseName.isMulticast(name) { return deny(.multicast, &answer) }
        }
        if !probes.isEmpty, let token = LoopProbe.token(in: name), probes.contains(token) { return .loop(token: token) }
        guard let destination else { return deny(.blocked, &answer, extendedError: .blocked) }
        return .forward(group: destination.group)
    }

    // MARK: - The rules

    /// 2. Names that mean the same everywhere: `localhost`, `invalid` (RFC 6761 §6.3, §6.4), `onion` (RFC 7686 §2),
    /// `resolver.arpa` (RFC 9462 §6.4).
    private mutating func specialUse(_ answer: inout AnswerWriter) -> Outcome? {
        switch SpecialUseName(name) {
        case .none:
            return nil
        case .localhost:
            answer.begin(.noError)
            switch answer.type {
            case .a: answer.append(fixed: SpecialUseName.loopbackA.span, ttl: settings.ttl)
            case .aaaa: answer.append(fixed: SpecialUseName.loopbackAAAA.span, ttl: settings.ttl)
            case .any: answer.append(fixed: AnswerWriter.minimalAny.span, ttl: settings.ttl)
            default: negative.write(for: name, under: nil, into: &answer)
            }
            return answer.finish(.specialUse)
        case .invalid, .onion:
            return deny(.specialUse, &answer)
        case .resolverARPA:
            answer.begin(.noError)
            negative.write(for: name, under: nil, into: &answer)
            return answer.finish(.specialUse)
        }
    }

    /// 3 and 4. A link of this container, a name in its view.
    private mutating func found(_ match: Directory.Match, _ answer: inout AnswerWriter) -> Outcome {
        let source: AnswerSource = match.isLink ? .link : .network(match.scope)
        answer.begin(.noError)
        if answer.type == .any {
            answer.append(fixed: AnswerWriter.minimalAny.span, ttl: settings.ttl)
            return answer.finish(source)
        }
        let records = directory.records(match, answer.type)
        if records.count == 0 {
            negative.write(for: name, under: domainLabel, into: &answer)
        } else {
            answer.append(records, from: directory)
        }
        return answer.finish(source)
    }

    /// 5. PTR of an address of an endpoint on my networks; other addresses of their subnets do not exist, and nothing
    /// in the zones of their subnets leaves (RFC 6303 §3): there is an empty name for each block of addresses.
    private mutating func reverse(_ view: ViewID, _ answer: inout AnswerWriter) -> Outcome? {
        guard directory.isReverse(name) else { return nil }
        if let match = directory.findReverse(name, view: view) {
            let outcome = found(match, &answer)
            guard case .answered(let length, _) = outcome else { return outcome }
            return .answered(length: length, .reverse(match.scope))
        }
        guard let block = name.reverseBlock, directory.isReverseOfMyNetworks(block, view: view) else { return nil }
        guard !block.isAddress && block.labelsBefore == 0 else { return deny(.subnet, &answer) }
        answer.begin(.noError)
        negative.write(for: name, under: nil, into: &answer)
        return answer.finish(.subnet)
    }

    /// 6. A single label is a host's short name, which nobody outside can know. The types of the delegation itself
    /// are asked by validators alone (RFC 4035 §4.2), about top-level domains: they go upstream.
    private func mayForwardSingleLabel(_ type: RecordType) -> Bool {
        settings.forwardsSingleLabels || type == .ds || type == .dnskey
    }

    /// CHAOS: the version and the identity, where the configuration gives them.
    private func chaos(_ answer: inout AnswerWriter) -> Outcome {
        guard query.question.recordClass == .ch, answer.type == .txt || answer.type == .any else {
            return answer.fail(.refused, .refused)
        }
        let text: String
        switch ChaosName(name) {
        case .version: text = settings.version
        case .identity: text = settings.identity
        case nil: text = ""
        }
        guard !text.isEmpty else { return answer.fail(.refused, .refused) }
        answer.begin(.noError)
        answer.appendChaosText(text)
        return answer.finish(.chaos)
    }

    // MARK: - Negative answers

    /// The label at which the domain begins in the question's name; nil where it is not under the domain.
    private var domainLabel: Int? {
        directory.isUnderDomain(name) ? name.labelCount - settings.domain.labelCount : nil
    }

    private mutating func deny(
        _ source: AnswerSource, _ answer: inout AnswerWriter, extendedError: ExtendedError? = nil
    ) -> Outcome {
        answer.begin(.nameError)
        negative.write(for: name, under: domainLabel, into: &answer)
        return answer.finish(source, extendedError: extendedError)
    }

    /// An answer of a header alone, to what could not be read.
    private func bare(
        _ header: Header, _ code: ResponseCode, _ source: AnswerSource, into buffer: consuming MutableSpan<UInt8>
    ) -> Outcome {
        var writer = MessageWriter(buffer, limit: 512)
        writer.writeHeader(
            Header(id: header.id, flags: HeaderFlags(answering: header.flags, aa: false, code)))
        return .answered(length: writer.finish(), source)
    }
}
