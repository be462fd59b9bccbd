// The rules of answering ("Who is answered what"), in their order, as one list.

import DNSWire
import Registry

/// Answers queries from the directory: no I/O, no allocation, one at a time.
///
/// Some of it is `mutating` although it changes nothing, as is ``Directory``.
struct Responder: ~Copyable {
    var directory: Directory
    /// The tokens of the probes that upstreams are being sent; empty nearly always.
    var probes: [UInt64] = []
    /// The tokens of proofs that listeners are heard.
    var expected = ExpectedTokens()
    /// The token of the last ``Outcome/heard(length:)``.
    private(set) var arrived: UInt128 = 0
    /// The query that ``respond(to:view:over:into:)`` read last.
    var query = Query.empty
    /// Text of the last answer that is explained (RFC 8914 EXTRA-TEXT).
    var explanation: [UInt8] = []
    /// Its name.
    var name = FoldedName()
    /// CNAME records of the operator, from that of the question's name on; see ``Outcome/follow(group:)``.
    var chain: [Directory.Match] = []
    /// The name that the last of them leads to.
    var target = FoldedName()
    /// Questions that policies have denied.
    var notes = PolicyNotes()
    /// True while it answers the name that CNAME records of an answer lead to, not one that a container asks for.
    var isFollowing = false
    var records: OwnRecords
    private(set) var settings: ServerSettings

    init(settings: ServerSettings, seed: UInt64) {
        self.settings = settings
        self.records = OwnRecords(ttl: settings.ttl)
        self.directory = Directory(domain: settings.domain, seed: seed)
        directory.setHostNames(settings.hostNames)
    }

    mutating func apply(_ settings: ServerSettings) {
        self.settings = settings
        directory.setDomain(settings.domain)
        directory.setHostNames(settings.hostNames)
        records = OwnRecords(ttl: settings.ttl)
    }

    /// Answers one query from a view, or says that it is to be forwarded.
    /// - Parameters:
    ///   - message: the query on the wire.
    ///   - view: who asks.
    ///   - transport: how the answer goes.
    ///   - longestDatagram: octets of the longest datagram that reaches the client whole; nil: there is no such bound.
    ///   - buffer: takes the answer.
    @inline(__always)
    mutating func respond(
        to message: Span<UInt8>, view: ViewID, over transport: Transport, longestDatagram: Int? = nil,
        into buffer: consuming MutableSpan<UInt8>
    ) -> Outcome {
        do throws(WireError) {
            query = try Query(message, name: &name)
        } catch {
            return refuse(message, into: buffer)
        }
        if let longestDatagram { query.limitDatagrams(to: longestDatagram) }
        guard query.header.flags.isQuery else { return refuse(message, into: buffer) }
        switch rule(view) {
        case .answer(let content, let source):
            var answer = AnswerWriter(query, of: message, over: transport, into: buffer)
            write(content, for: view, into: &answer)
            return .answered(length: answer.finish(), source)
        case .denied(let source, let isUnderDomain):
            return .answered(length: writeDenial(of: message, isUnderDomain, over: transport, into: buffer), source)
        case .forward(let group): return .forward(group: group)
        case .follow(let group): return .follow(group: group)
        case .loop(let token): return .loop(token: token)
        case .heard:
            var answer = AnswerWriter(query, of: message, over: transport, into: buffer)
            write(.noName, for: view, into: &answer)
            return .heard(length: answer.finish())
        case .explained(let content, let source):
            var answer = AnswerWriter(query, of: message, over: transport, into: buffer)
            write(content, for: view, into: &answer)
            answer.extendedError = source == .policy || source == .blocked ? .blocked : .other
            return .answered(length: answer.finish(explaining: explanation.span), source)
        }
    }

    /// Answers with a header alone what cannot be read (FORMERR) or is no question (NOTIMP); drops responses and noise.
    @inline(never)
    private mutating func refuse(_ message: Span<UInt8>, into buffer: consuming MutableSpan<UInt8>) -> Outcome {
        // Nothing of it is known, nor of the one before.
        query = .empty
        guard let header = Header(message), !header.flags.isResponse else { return .drop }
        let isMalformed = header.flags.opcode == .query
        // RD, RA and CD mean nothing but in answers to questions.
        let flags =
            isMalformed
            ? HeaderFlags(answering: header.flags, aa: false, .formatError)
            : HeaderFlags(refusing: header.flags.opcode)
        Header(id: header.id, flags: flags).write(into: &buffer)
        return .answered(length: Header.length, isMalformed ? .malformed : .notImplemented)
    }

    // MARK: - The rules

    /// The rules in the order of the design ("Who is answered what"): the first that knows the name, answers.
    @inline(__always)
    private mutating func rule(_ view: ViewID) -> Ruling {
        let type = query.question.type
        if let edns = query.edns, edns.version > 0 { return .answer(.code(.badVersion), .badVersion) }
        if query.question.recordClass != .in { return chaos() }
        if type.isTransfer { return .answer(.code(.refused), .refused) }

        if let content = SpecialUseName(name).content {
            if !expected.isEmpty, let token = expected.token(in: name, at: view) {
                arrived = token
                return .heard
            }
            return .answer(content, content.isDenial ? .deniedSpecialUse : .specialUse)
        }
        let isDelegation = Self.isDelegation(name, type)
        if !isDelegation {
            if let match = directory.find(name, from: 0, view: view) {
                if directory.hasPolicies, let ruling = judge(view, isOwnName: true) { return ruling }
                return .answer(.records(match), match.isLink ? .link : .network(match.scope))
            }
        }
        if directory.hasRecordsOrPolicies, let ruling = rulingBeforeOthers(view, isDelegation) { return ruling }
        return rulingOnOthers(view, isDelegation: isDelegation)
    }

    /// 5. No container on the asker's networks has the name: a policy may deny it, and the operator may have a record of it.
    @inline(never)
    private mutating func rulingBeforeOthers(_ view: ViewID, _ isDelegation: Bool) -> Ruling? {
        if directory.hasPolicies, let ruling = judge(view, isOwnName: false) { return ruling }
        if isDelegation { return nil }
        let type = query.question.type
        if let chain = directory.recallChain(name, type, questionEnd: query.question.endOffset, view: view) {
            return .answer(.followed(chain.number), .record(chain.scope))
        }
        guard directory.mayHaveRecord(name), let match = directory.findRecord(name, view: view) else { return nil }
        return ruling(on: match, view)
    }

    /// True for a delegation's own types, which are the parent zone's: a container called `dev` must not break `.dev` for
    /// validators, which ask for them (RFC 4035 §4.2).
    @inline(__always)
    static func isDelegation(_ name: borrowing FoldedName, _ type: RecordType) -> Bool {
        name.labelCount == 1 && (type == .ds || type == .dnskey)
    }

    /// 4 and 6 to 11. Names that no container and no record has.
    @inline(__always)
    mutating func rulingOnOthers(_ view: ViewID, isDelegation: Bool) -> Ruling {
        if !isDelegation, name.hasUnderscoredLabel, directory.isUnderscoredNameOfOurs(name, view: view) {
            return deny(view, .underscored, isUnderDomain: directory.isUnderDomain(name))
        }
        if view.isHost { return ruleForHost() }
        let destination = directory.destination(of: name, view: view)
        let routeLabels = destination?.routeLabels ?? 0
        let hasFormerServers = destination?.hasFormerServers ?? directory.hasFormerServers(view)
        if name.isReverse, let ruling = reverse(view, routeLabels, hasFormerServers) { return ruling }
        if !isDelegation, let ruling = denial(view, routeLabels, hasFormerServers) { return ruling }
        if !probes.isEmpty, let token = LoopProbe.token(in: name), probes.contains(token) { return .loop(token: token) }
        guard let destination else { return rulingWithoutUpstreams(view) }
        return forward(to: destination.group)
    }

    /// 11. Forwards; without recursion only the cache could answer, and would tell what neighbours have asked.
    @inline(__always)
    func forward(to group: UInt32) -> Ruling {
        query.header.flags.rd ? .forward(group: group) : .answer(.code(.refused), .notRecursive)
    }

    /// 8 and 9. Asks the former servers of a view for a name that is a neighbour's, if it is anybody's.
    @inline(never)
    private func askFormerServers() -> Ruling {
        if !probes.isEmpty, let token = LoopProbe.token(in: name), probes.contains(token) { return .loop(token: token) }
        return forward(to: UpstreamGroupID.neighbours.rawValue)
    }

    /// 2 and 8. PTR: addresses of the loopback interface, then those of endpoints on my networks; other addresses of their
    /// subnets do not exist, and nothing in the zones of their subnets leaves (RFC 6303 §3), but where a route says so:
    /// there is an empty name for each block of addresses.
    private mutating func reverse(_ view: ViewID, _ routeLabels: Int, _ hasFormerServers: Bool) -> Ruling? {
        let block = name.reverseBlock
        if let block, block.isLoopback {
            if block.labelsBefore > 0 { return .answer(.noName, .deniedSpecialUse) }
            return .answer(block.isAddress ? .loopbackPointer : .noData, .specialUse)
        }
        if let match = directory.findReverse(name, view: view) {
            return .answer(.records(match), .reverse(match.scope))
        }
        guard let block else { return nil }
        let routed = block.prefixLength(ofLabels: routeLabels)
        guard directory.isReverseOfMyNetworks(block, view: view, unlessRouted: routed) else { return nil }
        if hasFormerServers { return askFormerServers() }
        let isEmpty = !block.isAddress && block.labelsBefore == 0
        if isEmpty { return .answer(.noData, .emptyName) }
        return directory.isUnready(view) ? .answer(.notReady, .notReady) : .answer(.noName, .subnet)
    }

    /// 6, 7 and 9. The host's names; names that nobody has and that are not for others to know: under the domain, single labels, under `local`;
    /// unless they are under a routing domain that is longer than that. Networks of mine exist, with any number of labels.
    /// Former servers know the names that runtimes give the host, single labels, and names under those of my networks.
    @inline(__always)
    private mutating func denial(_ view: ViewID, _ routeLabels: Int, _ hasFormerServers: Bool) -> Ruling? {
        let labels: Int
        let source: AnswerSource
        let isUnderDomain = directory.isUnderDomain(name)
        if isUnderDomain || directory.hasHostNamesOutside, let match = directory.findHost(name, view: view) {
            return .answer(.records(match), .host(match.scope))
        }
        if isUnderDomain {
            (labels, source) = (directory.domainLabels, .domain)
        } else if name.labelCount == 1, !settings.forwardsSingleLabels {
            (labels, source) = (0, .singleLabel)
        } else if SpecialUseName.isMulticast(name), !settings.forwardsLocal {
            (labels, source) = (0, .multicast)
        } else {
            guard routeLabels == 0 else { return nil }
            if hasFormerServers {
                return name.labelCount == 1 || directory.isUnderNetworkName(name, view: view) ? askFormerServers() : nil
            }
            return directory.isNetworkName(name, view: view) ? .answer(.noData, .emptyName) : nil
        }
        if routeLabels > labels || directory.isUnderHostDomain(name, view: view, longerThan: labels) { return nil }
        if hasFormerServers, isForFormerServers(source, labels) { return askFormerServers() }
        // An upstream may know the host where it has no address here, as that of a virtual machine does.
        if isUnderDomain, directory.isHostName(name) { return nil }
        return deny(view, source, isUnderDomain: isUnderDomain)
    }

    /// True for a name that is denied for this reason, and that former servers may know all the same.
    private func isForFormerServers(_ source: AnswerSource, _ labels: Int) -> Bool {
        switch source {
        case .singleLabel: !SpecialUseName.isMulticast(name)
        case .domain: Directory.isUnderRuntimeDomain(name, longerThan: labels)
        default: false
        }
    }

    /// NXDOMAIN; no data for a name that has names of the view beneath it; for the domain itself its SOA record.
    private mutating func deny(_ view: ViewID, _ source: AnswerSource, isUnderDomain: Bool) -> Ruling {
        guard
            directory.hasNamesBeneath(name, view: view, isUnderDomain: isUnderDomain)
                || isUnderDomain && source == .domain && directory.isAboveHostName(name)
        else {
            let isKnown = !directory.isUnready(view) || source == .multicast
            return isKnown ? .denied(source, isUnderDomain: isUnderDomain) : .answer(.notReady, .notReady)
        }
        let isApex = isUnderDomain && name.labelCount == directory.domainLabels
        return .answer(isApex && query.question.type == .soa ? .authority : .noData, .emptyName)
    }

    /// CHAOS: the version and the identity, where the configuration gives them.
    private func chaos() -> Ruling {
        let type = query.question.type
        guard query.question.recordClass == .ch, type == .txt || type == .any, let name = ChaosName(name),
            !text(of: name).isEmpty
        else { return .answer(.code(.refused), .refused) }
        return .answer(.identity(name), .chaos)
    }

    // MARK: - The host

    /// 10. No network of the view may forward. A name with names of mine beneath it exists (RFC 8020 §2); the host's are denied
    /// with the reason.
    @inline(never)
    mutating func rulingWithoutUpstreams(_ view: ViewID) -> Ruling {
        if directory.isHostName(name) {
            explanation = Self.hostIsElsewhere
            return .explained(.blocked, .blocked)
        }
        return directory.hasNamesBeneath(name, view: view)
            ? .answer(.noData, .emptyName) : .answer(.blocked, .blocked)
    }

    private static let hostIsElsewhere = Array(
        "the host has no address on the networks of this container; none of them may use upstreams".utf8)

    /// Octets of a text in an answer: it has to fit beside the question in 512.
    static let maximumExplanation = 160

    /// Answers names of containers under the domain, and their addresses. Single labels, and whatever else is not ours, go
    /// where they went before us: we add names and take none away.
    @inline(never)
    mutating func ruleForHost() -> Ruling {
        if name.isReverse {
            if let match = directory.findReverseForHost(name) { return .answer(.records(match), .reverse(match.scope)) }
        } else if isContainersForHost {
            switch directory.findForHost(name) {
            case .found(let match): return .answer(.records(match), .network(match.scope))
            case .onSeveral(let networks):
                explain(networks)
                return .explained(.noName, .domain)
            case .empty:
                let isApex = name.labelCount == directory.domainLabels
                return .answer(isApex && query.question.type == .soa ? .authority : .noData, .emptyName)
            case .none: return .answer(.noName, .domain)
            }
        }
        if !probes.isEmpty, let token = LoopProbe.token(in: name), probes.contains(token) { return .loop(token: token) }
        return forward(to: UpstreamGroupID.host.rawValue)
    }

    /// True for names under the domain, but for those of a longer domain that the host's own servers know: its search domains
    /// and those of clouds. No container takes a name there.
    private var isContainersForHost: Bool {
        mutating get {
            let labels = directory.domainLabels
            return labels > 0 && directory.isUnderDomain(name)
                && !directory.isUnderHostDomain(name, longerThan: labels)
        }
    }

    /// Says on which networks a name is, as many of them as fit.
    private mutating func explain(_ networks: [ScopeID]) {
        var text = "on several networks; ask NAME.NETWORK:"
        for network in networks {
            let word = " \(directory.networkName(of: network))"
            if text.utf8.count + word.utf8.count > Self.maximumExplanation { break }
            text += word
        }
        explanation = Array(text.utf8)
    }
}
