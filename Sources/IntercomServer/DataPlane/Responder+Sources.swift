// Places of queries and answers: batches of datagrams, connections, arrays.
// Each is lent to the responder as a whole, so that its spans live no longer than one answer takes.

import DNSWire
import Forwarding
import LinuxNet
import Registry

extension Responder {
    /// Answers one datagram of a batch into the next place of another.
    mutating func respond(
        to packet: Int, of receiver: borrowing UDPReceiver, view: ViewID, into sender: inout UDPSender
    ) -> Outcome {
        respond(to: receiver.packet(packet), view: view, over: .datagram, into: sender.nextBuffer)
    }

    /// Answers one message of a connection.
    mutating func respond(
        to bounds: Range<Int>, of stream: borrowing StreamConnection, view: ViewID, into answer: inout [UInt8]
    ) -> Outcome {
        respond(to: stream.inputSpan.extracting(bounds), view: view, over: .stream, into: answer.mutableSpan)
    }

    /// Judges the answer of an upstream that was written into an array.
    /// - Returns: its octets afterwards.
    mutating func judge(_ length: Int, from group: UInt32?, for view: ViewID, in answer: inout [UInt8]) -> Int {
        judge(length, from: group, for: view, in: answer.mutableSpan)?.length ?? length
    }

    /// Answers a query of our own making.
    mutating func respond(to query: Span<UInt8>, view: ViewID, into answer: inout [UInt8]) -> Outcome {
        respond(to: query, view: view, over: .stream, into: answer.mutableSpan)
    }
}

// MARK: - Guests

extension Responder {
    /// Gives no answer to what was not read.
    mutating func ignore() -> Outcome {
        query = .empty
        return .drop
    }

    /// Answers one datagram of a guest: as a container's, but with datagrams that pass every path without fragments.
    mutating func respondToGuest(
        _ packet: Int, of receiver: borrowing UDPReceiver, view: ViewID, into sender: inout UDPSender
    ) -> Outcome {
        respond(
            to: receiver.packet(packet), view: view, over: .datagram, longestDatagram: Transport.maximumDatagram,
            into: sender.nextBuffer)
    }

    /// REFUSED to whatever can be read.
    mutating func refuse(
        _ packet: Int, of receiver: borrowing UDPReceiver, into sender: inout UDPSender
    ) -> Outcome {
        answerHeader(of: receiver.packet(packet), .refused, isTruncated: false, into: sender.nextBuffer)
    }

    /// A header with TC to whatever can be read.
    mutating func truncate(
        _ packet: Int, of receiver: borrowing UDPReceiver, into sender: inout UDPSender
    ) -> Outcome {
        answerHeader(of: receiver.packet(packet), .noError, isTruncated: true, into: sender.nextBuffer)
    }

    /// Answers with the question alone: never longer than what was asked.
    private mutating func answerHeader(
        of message: Span<UInt8>, _ code: ResponseCode, isTruncated: Bool, into buffer: consuming MutableSpan<UInt8>
    ) -> Outcome {
        guard let read = try? Query(message, name: &name), read.header.flags.isQuery else {
            return ignore()
        }
        query = read
        var flags = HeaderFlags(answering: query.header.flags, aa: false, code)
        flags.tc = isTruncated
        let length = query.question.endOffset
        buffer.copy(message.extracting(first: length), to: 0)
        Header(id: query.header.id, flags: flags, questionCount: 1).write(into: &buffer)
        return .answered(length: length, .refused)
    }
}

extension Moment {
    /// The time of the data plane.
    static var now: Moment { Moment(nanoseconds: BootTime.now) }
}

/// A question that is not ours: whose it is, where it goes, and when it came.
struct Errand {
    let view: ViewID
    let group: UInt32
    let now: Moment

    /// The errand of a question that is to be forwarded; nil where it is not.
    /// - Parameter now: the time, if it is known already.
    init?(_ outcome: Outcome, _ view: ViewID, _ now: Moment? = nil) {
        switch outcome {
        case .forward(let group), .follow(let group): self.group = group
        default: return nil
        }
        self.view = view
        self.now = now ?? Moment.now
    }

    init(view: ViewID, group: UInt32, now: Moment) {
        self.view = view
        self.group = group
        self.now = now
    }
}

/// The client that asks an upstream, and the namespace that pays for it.
struct Asking {
    let client: Forwarding.Client
    /// The view's number; of the control plane's own questions ``controlPlane``.
    let namespace: UInt32
    let errand: Errand

    /// Outlives every container: who called is answered even if the container goes in the meantime.
    static let controlPlane = UInt32.max
}

extension Asking {
    /// A question of a container's own.
    init(_ client: Forwarding.Client, _ errand: Errand) {
        self.init(client: client, namespace: errand.view.rawValue, errand: errand)
    }
}

extension Responder {
    /// Corrects an answer from the cache that denies the name asked for, where names of the view are beneath it: as
    /// ``Forwarding/Answer/overruleDenial()`` does it.
    @inline(never)
    fileprivate mutating func overrule(_ view: ViewID, in answer: consuming MutableSpan<UInt8>) {
        guard directory.hasNamesBeneath(name, view: view) else { return }
        var answer = answer
        var flags = HeaderFlags(rawValue: answer.span.word16(Header.flagsOffset))
        flags.responseCode = .noError
        flags.ad = false
        answer.set(flags.rawValue, at: Header.flagsOffset)
    }

    /// True when names of a view are beneath the name that an answer denies.
    mutating func isAboveNames(of answer: Answer, _ view: ViewID) -> Bool {
        var name = FoldedName()
        guard (try? answer.readName(into: &name)) != nil else { return false }
        return directory.hasNamesBeneath(name, view: view)
    }
}

// The responder is `inout` below because of the compiler: what is lent is copied, all of it.
extension Forwarder {
    /// Answers a datagram's question from the cache, if the answer is there.
    mutating func respond(
        to packet: Int, of receiver: borrowing UDPReceiver, _ responder: inout Responder, _ errand: Errand,
        into sender: inout UDPSender
    ) -> Outcome {
        let answer = find(receiver.packet(packet), &responder, errand, over: .datagram, into: sender.nextBuffer)
        guard let answer else { return .forward(group: errand.group) }
        if responder.directory.hasAnswerPolicies,
            let (length, source) = responder.judge(
                answer.length, from: errand.group, for: errand.view, in: sender.nextBuffer)
        {
            return .answered(length: length, source)
        }
        if answer.mayLeadElsewhere, responder.leadsElsewhere(errand, in: sender.nextBuffer) {
            return .follow(group: errand.group)
        }
        guard answer.responseCode != .noError else { return .answered(length: answer.length, .cache) }
        if answer.deniesName { responder.overrule(errand.view, in: sender.nextBuffer) }
        return .answered(length: answer.length, AnswerSource(ofCached: answer.responseCode))
    }

    /// Answers the question of a connection's message from the cache, if the answer is there.
    mutating func respond(
        to bounds: Range<Int>, of stream: borrowing StreamConnection, _ responder: inout Responder,
        _ errand: Errand, into answer: inout [UInt8]
    ) -> Outcome {
        respond(to: stream.inputSpan.extracting(bounds), &responder, errand, into: &answer)
    }

    /// Answers a question of our own making from the cache, if the answer is there.
    mutating func respond(
        to query: Span<UInt8>, _ responder: inout Responder, _ errand: Errand, into answer: inout [UInt8]
    ) -> Outcome {
        let found = find(query, &responder, errand, over: .stream, into: answer.mutableSpan)
        guard let found else { return .forward(group: errand.group) }
        if responder.directory.hasAnswerPolicies,
            let (length, source) = responder.judge(
                found.length, from: errand.group, for: errand.view, in: answer.mutableSpan)
        {
            return .answered(length: length, source)
        }
        if found.mayLeadElsewhere, responder.leadsElsewhere(errand, in: answer.mutableSpan) {
            return .follow(group: errand.group)
        }
        guard found.responseCode != .noError else { return .answered(length: found.length, .cache) }
        if found.deniesName { responder.overrule(errand.view, in: answer.mutableSpan) }
        return .answered(length: found.length, AnswerSource(ofCached: found.responseCode))
    }

    @inline(__always)
    private mutating func find(
        _ message: Span<UInt8>, _ responder: inout Responder, _ errand: Errand, over transport: Transport,
        into buffer: consuming MutableSpan<UInt8>
    ) -> CachedAnswer? {
        answer(
            message, responder.query, responder.name, view: errand.view.rawValue, group: errand.group,
            over: transport, now: errand.now, into: buffer)
    }

    mutating func ask(
        _ packet: Int, of receiver: borrowing UDPReceiver, _ responder: inout Responder, _ asking: Asking
    ) -> Verdict {
        ask(receiver.packet(packet), &responder, asking)
    }

    mutating func ask(
        _ bounds: Range<Int>, of stream: borrowing StreamConnection, _ responder: inout Responder,
        _ asking: Asking
    ) -> Verdict {
        ask(stream.inputSpan.extracting(bounds), &responder, asking)
    }

    mutating func ask(_ message: Span<UInt8>, _ responder: inout Responder, _ asking: Asking) -> Verdict {
        ask(
            message, responder.query, responder.name, client: asking.client, namespace: asking.namespace,
            view: asking.errand.view.rawValue, group: asking.errand.group, now: asking.errand.now)
    }

    mutating func receivedDatagram(
        _ buffer: [UInt8], _ count: Int, on socket: SocketToken, cameInFragments: Bool, now: Moment
    ) {
        receivedDatagram(
            buffer.span.extracting(0..<count), on: socket, cameInFragments: cameInFragments, now: now)
    }

    mutating func receivedStream(
        _ buffer: [UInt8], _ count: Int, on socket: SocketToken, now: Moment
    ) {
        receivedStream(buffer.span.extracting(0..<count), on: socket, now: now)
    }
}

extension Responder {
    /// An answer's source in the words of the README's table.
    func describe(_ source: AnswerSource) -> String {
        switch source {
        case .malformed: "refused: the query cannot be read"
        case .notImplemented: "refused: an opcode other than QUERY"
        case .badVersion: "refused: an EDNS version above 0"
        case .refused: "refused: a class other than IN, or a zone transfer"
        case .notRecursive: "refused: a name of outside, asked without recursion (RD clear)"
        case .chaos: "the server's identity"
        case .specialUse, .deniedSpecialUse: "special-use name (RFC 6761)"
        case .link: "link"
        case .network(let scope): "network \(directory.networkName(of: scope))"
        case .reverse(let scope): "network \(directory.networkName(of: scope)), by address"
        case .host(let scope): "the host, on network \(directory.networkName(of: scope))"
        case .record(.everyone): "record"
        case .record(let scope): "record of network \(directory.networkName(of: scope))"
        case .notReady: "other hosts have not told everything yet: the name may be on one of them"
        case .subnet: "nobody has this address on the container's networks"
        case .underscored: "no such underscored name under a name on the container's networks"
        case .emptyName: "a name without records, which has names on the container's networks beneath it"
        case .domain: "no such name on the container's networks; the domain is never forwarded"
        case .singleLabel: "no such name on the container's networks; single labels are not forwarded"
        case .multicast: "names under local are asked by multicast (RFC 6762); they are not forwarded"
        case .cache, .cachedDenial, .cachedFailure: "cache"
        case .policy: "denied by \(String(decoding: explanation, as: UTF8.self))"
        case .gate: "its addresses cannot be let through the gate of the policy"
        case .blocked: "not forwarded: no network of the container may reach upstreams"
        }
    }
}
