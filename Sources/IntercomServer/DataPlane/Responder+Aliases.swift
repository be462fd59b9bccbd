// CNAME records of the operator: the chain from the name that is asked for to one that has records, or to one outside. Those of
// upstreams that lead to a name of ours, or into another upstream group.

import DNSWire
import Registry

/// The end of a chain of CNAME records.
enum ChainEnd {
    /// The records of the last name.
    case records(Directory.Match)
    /// The last name exists, and has no such record.
    case noData
    /// The last name does not exist, for this container.
    case noName
    /// The last name is one of outside, and the container may not use upstreams.
    case blocked
    /// The last name is one of outside, and may not be asked for without recursion: the client follows (RFC 1034 §4.3.2).
    case unfinished
    /// There are more CNAME records than ``Responder/longestChain``, or they lead in a circle.
    case tooLong
}

extension Responder {
    /// CNAME records that are followed: as many as BIND 9 does (`max-query-restarts` is 11, before that 16).
    static var longestChain: Int { 16 }

    /// 5. The records of a name; of an alias the chain that it begins. Questions for the CNAME record itself get it alone.
    @inline(never)
    mutating func ruling(on match: Directory.Match, _ view: ViewID) -> Ruling {
        let source = AnswerSource.record(match.scope)
        let type = query.question.type
        guard directory.isAlias(match), type != .cname, type != .any else { return .answer(.records(match), source) }
        chain.removeAll(keepingCapacity: true)
        chain.append(match)
        while let last = chain.last, chain.count <= Self.longestChain {
            guard directory.readTarget(of: last, into: &target) else { break }
            if directory.hasPolicies, let ruling = judgeTarget(view) { return ruling }
            if !Self.isDelegation(target, type) {
                if let match = directory.find(target, from: 0, view: view) { return rulingOnChain(to: match, view) }
                if let match = directory.findRecord(target, view: view) {
                    guard directory.isAlias(match) else { return rulingOnChain(to: match, view) }
                    chain.append(match)
                    continue
                }
            }
            return endOutsideRecords(view, source)
        }
        return .answer(.chain(.tooLong), source)
    }

    /// A chain that leads to a name of ours. It is kept for the next question, unless a policy judges what it leads to each time.
    private mutating func rulingOnChain(to match: Directory.Match, _ view: ViewID) -> Ruling {
        let policy = directory.hasPolicies ? directory.policy(of: view) : nil
        if policy.map({ !directory.policyIsStrictAboutAliases($0) }) ?? true {
            directory.remember(
                chain, to: match, name, query.question.type, questionEnd: query.question.endOffset, view: view)
        }
        return .answer(.chain(.records(match)), .record(chain.first?.scope ?? match.scope))
    }

    /// The denial of a target by a policy that is strict about what names lead to.
    @inline(never)
    private mutating func judgeTarget(_ view: ViewID) -> Ruling? {
        guard let policy = directory.policy(of: view), directory.policyIsStrictAboutAliases(policy) else { return nil }
        swap(&name, &target)
        defer { swap(&name, &target) }
        let isOwnName = directory.find(name, from: 0, view: view) != nil
        guard case .explained(let content, let source)? = judge(view, isOwnName: isOwnName) else { return nil }
        return .explained(.chain(ChainEnd(content)), source)
    }

    /// The end of a chain whose last name no container and no record has: the rules are asked about it.
    private mutating func endOutsideRecords(_ view: ViewID, _ source: AnswerSource) -> Ruling {
        swap(&name, &target)
        defer { swap(&name, &target) }
        if SpecialUseName(name).content != nil { return .answer(.chain(.noName), source) }
        switch rulingOnOthers(view, isDelegation: Self.isDelegation(name, query.question.type)) {
        case .forward(let group), .follow(let group): return .follow(group: group)
        case .answer(let content, _): return .answer(.chain(ChainEnd(content)), source)
        case .denied: return .answer(.chain(.noName), source)
        case .explained(let content, _): return .explained(.chain(ChainEnd(content)), source)
        case .loop, .heard: return .answer(.chain(.tooLong), source)
        }
    }

    // MARK: - Writing

    /// Writes the chain, then the records of its end, each of which has the name before it as its owner.
    @inline(never)
    mutating func writeChain(_ end: ChainEnd, _ view: ViewID, into answer: inout AnswerWriter) {
        if case .tooLong = end {
            answer.code = .serverFailure
            answer.isAuthoritative = false
            answer.extendedError = .other
            return
        }
        var owner = Header.length
        for position in chain.indices {
            let start = answer.count
            guard answer.append(directory.records(chain[position], .cname), of: owner) else { return }
            owner = start + RecordBuilder.fixedLength
        }
        switch end {
        case .records(let match):
            if appendEnd(match, view, owner, into: &answer) { return }
        case .noName, .blocked:
            // RFC 6604 §3: the code is that of the last name.
            answer.code = .nameError
            if case .blocked = end { answer.extendedError = .blocked }
        case .unfinished: return
        case .noData, .tooLong: break
        }
        records.authority.write(for: name, under: nil, into: &answer)
    }

    /// Writes the records of the last name, with what an operator's record adds to those of a container.
    /// - Returns: false where there is none.
    private mutating func appendEnd(
        _ match: Directory.Match, _ view: ViewID, _ owner: Int, into answer: inout AnswerWriter
    ) -> Bool {
        let type = query.question.type
        if append(match, type, owner, into: &answer) { return true }
        guard !match.isRecord, let other = directory.findRecord(target, view: view) else { return false }
        return append(other, type, owner, into: &answer)
    }

    /// Writes the records of a name, which are lent once: each look takes a turn.
    /// - Returns: false where there is none.
    private mutating func append(
        _ match: Directory.Match, _ type: RecordType, _ owner: Int, into answer: inout AnswerWriter
    ) -> Bool {
        let records = directory.records(match, type, room: answer.room)
        if records.count == 0 { return false }
        _ = answer.append(records, of: owner)
        return true
    }

    /// Writes a chain that was followed before.
    @inline(never)
    mutating func writeChain(_ number: Int, into answer: inout AnswerWriter) {
        answer.append(prepared: directory.chain(number))
        if directory.isWhole(chain: number) || !answer.isWhole { return }
        let owner = directory.endOwner(ofChain: number)
        _ = answer.append(directory.endRecords(ofChain: number, room: answer.room), of: owner)
    }

    // MARK: - Chains that lead outside

    /// The chain as it goes before an upstream's answer about its last name.
    /// - Parameters:
    ///   - message: the client's query, or its beginning as far as the end of the question.
    ///   - transport: how the answer will go.
    mutating func splice(for message: [UInt8], over transport: Transport) -> Splice {
        append(to: Splice(query, message.span, limit: query.answerLimit(over: transport)))
    }

    /// A chain with the one behind it that ``Outcome/follow(group:)`` has found.
    mutating func append(to splice: Splice) -> Splice {
        var splice = splice
        for match in chain { directory.add(match, to: &splice) }
        return splice
    }

    /// Takes a query of ours in the place of the client's: the forwarder is asked it.
    mutating func take(_ query: Span<UInt8>) {
        guard let read = try? Query(query, name: &name) else { return }
        self.query = read
    }
}

extension Directory {
    fileprivate mutating func add(_ match: Match, to splice: inout Splice) {
        splice.add(records(match, .cname).octets)
    }
}

extension ChainEnd {
    /// The end that an answer about the last name is.
    fileprivate init(_ content: AnswerContent) {
        switch content {
        case .records(let match): self = .records(match)
        case .noName: self = .noName
        case .blocked: self = .blocked
        case .code, .notReady: self = .unfinished
        case .noData, .authority, .loopback, .loopbackPointer, .identity, .chain, .followed: self = .noData
        }
    }
}

// MARK: - CNAME records of upstreams

extension Responder {
    /// True when a CNAME record of an upstream's answer leads to a name of ours or into another upstream group, so that the
    /// chain is followed there: ``chain`` is empty then, as nothing goes before it.
    /// - Parameters:
    ///   - errand: view and upstream group of the question.
    ///   - buffer: begins with the answer.
    @inline(never)
    mutating func leadsElsewhere(_ errand: Errand, in buffer: consuming MutableSpan<UInt8>) -> Bool {
        let buffer = buffer
        guard leadingRecord(in: buffer.span, errand) != nil else { return false }
        chain.removeAll(keepingCapacity: true)
        return true
    }

    /// A chain with the records of an upstream's answer, as far as one leads elsewhere; nil where none does.
    /// - Parameters:
    ///   - splice: the chain so far.
    ///   - answer: begins with the answer to the question for its last target.
    ///   - errand: view and upstream group of that question.
    mutating func extend(_ splice: Splice, by answer: [UInt8], _ errand: Errand) -> Splice? {
        let message = answer.span
        guard let last = leadingRecord(in: message, errand) else { return nil }
        var splice = splice
        do throws(WireError) {
            var records = try Message(message).records
            while let record = try records.next(), record.section == .answer {
                guard record.type == .cname else { continue }
                guard try splice.add(record, of: message) else { return nil }
                if record.nameOffset == last { return splice }
            }
        } catch {
            return nil
        }
        return nil
    }

    /// The offset of the first CNAME record that leads elsewhere.
    private mutating func leadingRecord(in message: Span<UInt8>, _ errand: Errand) -> Int? {
        guard let whole = try? Message(message) else { return nil }
        let header = whole.header
        var records = whole.records
        var position: UInt16 = 0
        while let record = try? records.next(), record.section == .answer {
            position &+= 1
            guard record.type == .cname, (try? target.read(message, at: record.rdataOffset)) != nil else { continue }
            // A server that knows more of the target than its name has the whole answer.
            let isLast = position == header.answerCount && header.authorityCount == 0
            if leadsElsewhere(errand, isUnfinished: isLast) { return record.nameOffset }
        }
        return nil
    }

    /// True when ``target`` is a name of ours, or one of another upstream group: of a routing domain, or any where the
    /// answer says nothing of it.
    private mutating func leadsElsewhere(_ errand: Errand, isUnfinished: Bool) -> Bool {
        if directory.find(target, from: 0, view: errand.view) != nil { return true }
        if directory.hasRecords, directory.findRecord(target, view: errand.view) != nil { return true }
        swap(&name, &target)
        defer { swap(&name, &target) }
        guard SpecialUseName(name).content == nil else { return false }
        switch rulingOnOthers(errand.view, isDelegation: false) {
        case .answer(.records, _): return true
        case .forward(let group) where group != errand.group:
            // Former servers know the names of their networks, and what those lead to.
            if errand.group == UpstreamGroupID.neighbours.rawValue { return false }
            return isUnfinished || directory.routeDomain(of: group) != nil
        default: return false
        }
    }
}
