// Policies: questions that a container may not ask are answered here, before anything leaves; answers of upstreams, fresh or from
// the cache, are judged as they are written for a view.

import DNSWire
import Registry

extension Responder {
    /// The denial of the question by the policy of a view; nil: it may be asked, or the view has no policy.
    ///
    /// A name that a chain leads to is judged where the policy is strict about these: what was asked for is allowed.
    /// Only what concerns nobody else needs no rule: the asker's loopback addresses, and names and addresses of containers
    /// on its networks where the policy says so. Names above these exist (RFC 8020), and have no data.
    /// - Parameters:
    ///   - view: the view that asks.
    ///   - isOwnName: true when a container on its networks has the name.
    @inline(never)
    mutating func judge(_ view: ViewID, isOwnName: Bool) -> Ruling? {
        guard !view.isHost, let policy = directory.policy(of: view) else { return nil }
        if isFollowing, !directory.policyIsStrictAboutAliases(policy) { return nil }
        let allowsOwnNames = directory.policyAllowsOwnNames(policy)
        if isOwnName, allowsOwnNames { return nil }
        if name.isReverse {
            if let block = name.reverseBlock, block.isLoopback { return nil }
            if allowsOwnNames, directory.findReverse(name, view: view) != nil { return nil }
        }
        if !probes.isEmpty, let token = LoopProbe.token(in: name), probes.contains(token) { return nil }
        let type = query.question.type
        guard let denial = directory.denial(of: name, type, by: policy) else { return nil }
        if !isOwnName, allowsOwnNames, directory.hasNamesBeneath(name, view: view) {
            return .answer(.noData, .emptyName)
        }
        if notes.count(isAudit: denial.isAudit) {
            notes.add(PolicyNote(denial, by: directory.policyName(policy), of: name, type, to: view))
        }
        if denial.isAudit { return nil }
        explain("policy \(directory.policyName(policy)): \(Self.rule(of: denial, name, type))")
        // The name is allowed, and other types of it: NXDOMAIN would deny these, too (RFC 2308 §5).
        return .explained(denial.reason == .type ? .noData : .noName, .policy)
    }

    /// The rule that denies a question, in words.
    static func rule(
        of denial: Directory.PolicyDenial, _ name: borrowing FoldedName, _ type: RecordType
    ) -> String {
        switch denial.reason {
        case .rule(let label):
            "deny " + (label == 0 ? "" : "*.") + text(of: name.labels(label, name.labelCount))
        case .byDefault: "default deny"
        case .type: "types, without \(type)"
        case .undeclared: "nobody has declared it"
        }
    }

    /// A name without its root, for people.
    private static func text(of labels: Span<UInt8>) -> String {
        var wire: [UInt8] = []
        wire.append(labels)
        wire.append(0)
        return (try? Name(wire: wire.span))?.description ?? ""
    }

    /// Sets the text of an answer that denies, which names policy and rule.
    mutating func explain(_ text: String) {
        explanation = Array(text.utf8)
        guard explanation.count > Self.maximumExplanation else { return }
        explanation = explanation.prefix(Self.maximumExplanation - 3) + Array("...".utf8)
    }

    // MARK: - Answers of upstreams

    /// Judges the answer of an upstream that has been written for a view: each name that a CNAME leads to, and addresses that
    /// names of outside should not lead to.
    /// - Parameters:
    ///   - length: octets of the answer.
    ///   - group: the upstreams that gave it; nil: those that the question would go to now.
    ///   - view: the view that asked.
    ///   - buffer: begins with the answer.
    /// - Returns: octets of the changed answer, and who gave it; nil: it stays as it is.
    @inline(never)
    mutating func judge(
        _ length: Int, from group: UInt32?, for view: ViewID, in buffer: consuming MutableSpan<UInt8>
    ) -> (length: Int, source: AnswerSource)? {
        guard !view.isHost, let policy = directory.policy(of: view) else { return nil }
        var buffer = buffer
        if directory.policyIsStrictAboutAliases(policy),
            let denial = deniedTarget(in: buffer.span.extracting(first: length), view, policy), !denial.isAudit
        {
            return deny(length, .noName, view, in: buffer)
        }
        guard directory.policyDropsPrivateAddresses(policy),
            PrivateRecords.isFound(in: buffer.span.extracting(first: length)),
            !isOfOwnServers(buffer.span.extracting(first: length), view, group)
        else { return nil }
        let count = buffer.span.word16(Header.answerCountOffset)
        let left = PrivateRecords.drop(from: &buffer, length: length)
        notes.count(dropped: left > 0 ? count &- buffer.span.word16(Header.answerCountOffset) : count)
        if left > 0, buffer.span.word16(Header.answerCountOffset) > 0 { return (left, .cache) }
        explain("policy \(directory.policyName(policy)): private-addresses = deny")
        return deny(length, .noData, view, in: buffer)
    }

    /// The denial of the first name that a CNAME or DNAME of an answer leads to, and that the policy does not allow; the
    /// explanation says which.
    private mutating func deniedTarget(
        in message: Span<UInt8>, _ view: ViewID, _ policy: UInt32
    ) -> Directory.PolicyDenial? {
        guard let whole = try? Message(message), let question = try? whole.firstQuestion() else { return nil }
        var target = FoldedName()
        var records = whole.records
        while let record = try? records.next(), record.section == .answer {
            guard record.type == .cname || record.type == .dname,
                (try? target.read(message, at: record.rdataOffset)) != nil
            else { continue }
            if directory.policyAllowsOwnNames(policy), directory.find(target, from: 0, view: view) != nil { continue }
            guard let denial = directory.denial(of: target, question.type, by: policy) else { continue }
            if notes.count(isAudit: denial.isAudit) {
                notes.add(PolicyNote(denial, by: directory.policyName(policy), of: target, question.type, to: view))
            }
            let rule = Self.rule(of: denial, target, question.type)
            explain("policy \(directory.policyName(policy)): \(rule), as \(record.type)")
            return denial
        }
        return nil
    }

    /// True for answers of servers that know the container's own networks: former servers, and those of a route.
    private mutating func isOfOwnServers(_ message: Span<UInt8>, _ view: ViewID, _ group: UInt32?) -> Bool {
        if group == UpstreamGroupID.neighbours.rawValue { return true }
        var asked = FoldedName()
        guard (try? asked.read(message, at: Header.length)) != nil else { return false }
        return directory.destination(of: asked, view: view)?.isRoute ?? false
    }

    /// Writes an answer that ``explanation`` explains in the place of another.
    private mutating func deny(
        _ length: Int, _ content: AnswerContent, _ view: ViewID, in buffer: consuming MutableSpan<UInt8>
    ) -> (length: Int, source: AnswerSource)? {
        let question = Self.query(behind: buffer.span.extracting(first: length))
        do throws(WireError) {
            query = try Query(question.span, name: &name)
        } catch {
            return nil
        }
        var answer = AnswerWriter(query, of: question.span, over: .datagram, into: buffer)
        write(content, for: view, into: &answer)
        answer.extendedError = .blocked
        return (answer.finish(explaining: explanation.span), .policy)
    }

    /// DO in the TTL of an OPT record (RFC 3225 §3).
    private static var dnssecOK: UInt32 { 0x8000 }

    /// The query that an answer was written for, as far as another answer needs it.
    static func query(behind answer: Span<UInt8>) -> [UInt8] {
        guard let message = try? Message(answer), let question = try? message.firstQuestion() else { return [] }
        var edns: EDNS?
        var records = message.records
        while let record = try? records.next() {
            // The least that a client takes: what is written has room in it.
            if record.type == .opt {
                edns = EDNS(udpPayloadSize: UInt16(Transport.plainDatagram), dnssecOK: record.ttl & Self.dnssecOK != 0)
            }
        }
        var flags = HeaderFlags()
        flags.rd = message.header.flags.rd
        flags.cd = message.header.flags.cd
        let asked = answer.extracting(Header.length..<question.endOffset)
        var octets: [UInt8] = []
        octets.append(asked)
        return QueryMessage(id: message.header.id, flags: flags, question: octets, edns: edns).octets
    }
}
