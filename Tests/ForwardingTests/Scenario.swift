// Scenarios: what happens, step by step, and what the forwarder must do at each step.

import DNSWire
import Synchronization
import Testing

@testable import Forwarding

/// Makes a reply from the message that the upstream got.
typealias Upstream = @Sendable (_ asked: Packet) -> [UInt8]

enum Step: Sendable {
    // Events. A question goes to the upstreams, as the cache has no answer.
    /// Comes to the upstreams, as the cache has no answer.
    case ask(client: Int = 1, namespace: UInt32 = 1, group: UInt32 = 7, Packet = .plain)
    case refused(namespace: UInt32 = 1, Refusal)
    /// Is answered from the cache at once.
    case hit(Said, namespace: UInt32 = 1, group: UInt32 = 7, of: Packet = .plain)
    case reply(on: Character, Upstream)
    /// Over TCP, `pieces` octets at a time; 0 is all at once.
    case stream(on: Character, pieces: Int = 0, Upstream)
    case octets(on: Character, [UInt8])
    case failure(on: Character)
    case time(Int)  // milliseconds since the beginning
    /// `patience` in milliseconds.
    case upstreams(
        [UInt8]?, UpstreamList.Origin = .host, group: UInt32 = 7, patience: Int = 4500, usesStreams: Bool = false)
    /// The servers that a view had before us.
    case formerServers([UInt8], of: UInt32 = 1)
    case abandon(namespace: UInt32)
    case flush(CacheSelection)
    case policy(CachePolicy)
    // Actions that the forwarder must give, with no other between them.
    case opens(Character, to: UInt8, edns: Bool = true)
    case connects(Character, to: UInt8, edns: Bool = true)
    /// The same question once more on its socket; without EDNS under the same id, where that may help.
    case repeats(Character, edns: Bool = true)
    /// An open socket carries another question.
    case reuses(Character, Character, edns: Bool = true)
    case closes(Character)
    case answers(client: Int = 1, Expected)
    case looksForServers(of: UInt32 = 1)
    case nothing
}

enum Expected: Sendable, Equatable {
    /// NOERROR with A 192.0.2.`last` from the upstream 10.0.0.`from`.
    case address(_ last: UInt8, from: UInt8)
    /// The same as `address`, by an answer that is past its life: TTL 30, EDE 3 (RFC 8767 §4).
    case stale(_ last: UInt8)
    /// A response code that an upstream gave.
    case code(UInt16, from: UInt8)
    /// NOERROR with TC, from the upstream 10.0.0.`from`.
    case truncated(from: UInt8)
    /// SERVFAIL of our own with this Extended DNS Error.
    case failure(UInt16)
}

/// Contents of a cached answer.
struct Said: Sendable, Equatable {
    var code: UInt16 = 0
    /// The last octet of the first answer.
    var last: UInt8?
    /// Of all records but OPT.
    var ttls: [UInt32] = []
    /// Codes of the Extended DNS Errors.
    var errors: [UInt16] = []

    /// A 192.0.2.`last`.
    static func address(_ last: UInt8, ttl: UInt32) -> Said { Said(last: last, ttls: [ttl]) }
    /// No answer, and a SOA record with this TTL.
    static func no(_ code: UInt16, ttl: UInt32) -> Said { Said(code: code, ttls: [ttl]) }

    /// - Parameter message: an answer.
    init?(_ message: Parsed) {
        code = message.code
        last = message.sections[0].first?.last
        ttls = message.ttls
        errors = message.errors.compactMap { UInt16($0.prefix { $0 != " " }) }
    }

    init(code: UInt16 = 0, last: UInt8? = nil, ttls: [UInt32] = [], errors: [UInt16] = []) {
        self.code = code
        self.last = last
        self.ttls = ttls
        self.errors = errors
    }
}

struct Scenario: Sendable, CustomTestStringConvertible {
    let name: String
    let upstreams: [UInt8]
    let policy: CachePolicy
    let limits: ForwardingLimits
    let randomizesCase: Bool
    let steps: [Step]

    init(
        _ name: String, upstreams: [UInt8] = [1, 2], policy: CachePolicy = .plain(),
        limits: ForwardingLimits = ForwardingLimits(),
        randomizesCase: Bool = false, _ steps: [Step]...
    ) {
        self.name = name
        self.upstreams = upstreams
        self.policy = policy
        self.limits = limits
        self.randomizesCase = randomizesCase
        self.steps = steps.flatMap { $0 }
    }

    var testDescription: String { name }
}

extension Packet {
    /// `www.example.com A` with EDNS, so that answers say why.
    static var plain: Packet {
        var packet = Packet()
        packet.additionals = [opt()]
        return packet
    }

    /// `nNUMBER.example.com A`: one of many questions.
    static func numbered(_ number: Int) -> Packet {
        var packet = plain
        packet.question = question("n\(number).example.com", type: 1)
        return packet
    }

    /// `www.example.org A`: another question.
    static var other: Packet {
        var packet = plain
        packet.question = question("www.example.org", type: 1)
        return packet
    }
}

/// A reply to what was asked: right in all, then changed.
func reply(_ last: UInt8 = 1, _ change: @escaping @Sendable (inout Packet) -> Void = { _ in }) -> Upstream {
    { asked in
        var packet = asked
        packet.flags = 0x8180
        packet.answers = [Packet.a(last)]
        packet.additionals = [Packet.opt()]
        change(&packet)
        return packet.bytes
    }
}

/// A reply without answers and with a response code.
func reply(code: UInt16, opt: Bool = true, bare: Bool = false) -> Upstream {
    reply { packet in
        packet.flags = 0x8180 | code
        packet.answers = []
        if !opt { packet.additionals = [] }
        if bare { packet.question = [] }
    }
}

func server(_ last: UInt8) -> ServerAddress {
    ServerAddress(address: .v4(IPv4Address(bits: 0x0A00_0000 | UInt32(last))))
}

/// A forwarder, a clock and the upstream sockets, as a worker has them.
struct Worker: ~Copyable {
    struct Socket {
        let token: SocketToken
        /// Without the length before it.
        var message: [UInt8]
        var isStream = false
    }

    var forwarder: Forwarder
    let start = Moment(nanoseconds: 1_000_000)
    var now: Moment
    var sockets: [Character: Socket] = [:]

    init(
        upstreams: [UInt8] = [1], limits: ForwardingLimits = ForwardingLimits(), policy: CachePolicy = .plain()
    ) {
        let chance = Chance()
        forwarder = Forwarder(limits: limits, policy: policy, seed: 7, random: { chance.fill(&$0) }, now: start)
        forwarder.setUpstreams(7, UpstreamList(servers: upstreams.map(server)))
        now = start
    }

    mutating func ask(
        _ query: Packet = .plain, client: Int = 1, namespace: UInt32 = 1, view: UInt32? = nil, group: UInt32 = 7
    ) throws -> Verdict {
        let bytes = query.bytes
        var name = FoldedName()
        let parsed = try Query(bytes.span, name: &name)
        return forwarder.ask(
            bytes.span, parsed, name, client: client, namespace: namespace, view: view ?? namespace, group: group,
            now: now)
    }

    /// The answer that the cache has for a query; nil where it has none.
    mutating func cached(
        _ query: Packet, namespace: UInt32 = 1, group: UInt32 = 7, over transport: Transport = .datagram
    ) throws -> [UInt8]? {
        let bytes = query.bytes
        var name = FoldedName()
        let parsed = try Query(bytes.span, name: &name)
        var buffer = [UInt8](repeating: 0xEE, count: transport == .stream ? 65_535 : Transport.maximumAnswer)
        let answer = forwarder.answer(
            bytes.span, parsed, name, view: namespace, group: group, over: transport, now: now,
            into: buffer.mutableSpan)
        return answer.map { Array(buffer[..<$0.length]) }
    }

    /// The same, taken apart.
    mutating func parsed(_ query: Packet, over transport: Transport = .datagram) throws -> Parsed {
        let message = try cached(query, over: transport)
        return try #require(message.flatMap { Parsed($0) }, "the answer is a message")
    }

    /// Last query that the upstream behind a socket got.
    func asked(_ name: Character) throws -> Packet {
        let message = try #require(sockets[name]?.message)
        let parsed = try #require(Parsed(message))
        return Packet(
            id: parsed.id, flags: parsed.flags, question: parsed.question, additionals: parsed.sections[2])
    }

    func token(_ name: Character) throws -> SocketToken {
        try #require(sockets[name]?.token)
    }

    mutating func receive(_ bytes: [UInt8], on name: Character) throws {
        forwarder.receivedDatagram(bytes.span, on: try token(name), now: now)
    }

    mutating func stream(_ bytes: [UInt8], on name: Character, pieces: Int = 0) throws {
        let token = try token(name)
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieces == 0 ? rest.count : pieces))
            forwarder.receivedStream(piece.span, on: token, now: now)
            rest = rest.dropFirst(piece.count)
        }
    }

    /// The first answer among the actions that are left, which are dropped up to it.
    mutating func nextAnswer() -> Answer? {
        while let action = forwarder.nextAction() {
            if case .answer(_, let answer) = action { return answer }
        }
        return nil
    }

    /// The answer that is there now.
    mutating func answer() throws -> Answer {
        let answer = nextAnswer()
        return try #require(answer, "there is an answer")
    }
}

extension CachePolicy {
    /// Keeps answers for their life, and does nothing else with them.
    static func plain(
        capacity: Int = 1 << 20, minimumTTL: UInt32 = 0, maximumTTL: UInt32 = 86_400, maximumNegativeTTL: UInt32 = 300
    ) -> CachePolicy {
        CachePolicy(
            capacity: capacity, minimumTTL: minimumTTL, maximumTTL: maximumTTL,
            maximumNegativeTTL: maximumNegativeTTL, servesStale: false, prefetches: false)
    }
}

/// Octets that look like chance and are the same each time.
final class Chance: Sendable {
    private let numbers = Mutex(Numbers(state: 7))
    func fill(_ octets: inout [UInt8]) {
        for index in octets.indices { octets[index] = numbers.withLock { UInt8(truncatingIfNeeded: $0.next()) } }
    }
}

extension Scenario {
    func run() throws {
        var worker = Worker(upstreams: upstreams, limits: limits, policy: policy)
        worker.forwarder.randomizesCase = randomizesCase
        for (number, step) in steps.enumerated() {
            let place: Comment = "step \(number + 1): \(String(describing: step))"
            try worker.perform(step, place)
        }
        let rest = worker.forwarder.nextAction()
        #expect(rest == nil, "nothing is left to do")
    }
}

extension Worker {
    mutating func perform(_ step: Step, _ place: Comment) throws {
        switch step {
        case .ask(let client, let namespace, let group, let query):
            #expect(try cached(query, namespace: namespace, group: group) == nil, place)
            #expect(try ask(query, client: client, namespace: namespace, group: group) == .accepted, place)
        case .hit(let said, let namespace, let group, let query):
            try hit(query, namespace, group, said, place)
        case .refused(let namespace, let reason):
            #expect(try ask(namespace: namespace) == .refused(reason), place)
        case .reply(let socket, let upstream):
            try receive(upstream(try asked(socket)), on: socket)
        case .stream(let socket, let pieces, let upstream):
            let message = upstream(try asked(socket))
            try stream(word16(UInt16(message.count)) + message, on: socket, pieces: pieces)
        case .octets(let socket, let octets):
            try stream(octets, on: socket)
        case .failure(let socket):
            forwarder.failed(try token(socket), now: now)
        case .time(let milliseconds):
            now = start + .milliseconds(milliseconds)
            if let deadline = forwarder.nextDeadline, deadline <= now { forwarder.expire(now: now) }
        case .upstreams(let list, let origin, let group, let patience, let usesStreams):
            var upstreams = list.map {
                UpstreamList(servers: $0.map(server), origin: origin, patience: .milliseconds(patience))
            }
            upstreams?.usesStreams = usesStreams
            forwarder.setUpstreams(group, upstreams)
        case .formerServers(let servers, let view):
            forwarder.setFormerServers(servers.map(server), of: view)
        case .abandon(let namespace):
            forwarder.abandon(namespace: namespace)
        case .flush(let flush):
            _ = forwarder.flush(flush)
        case .policy(let policy):
            forwarder.setPolicy(policy)
        default:
            try check(step, place)
        }
    }

    private mutating func hit(
        _ query: Packet, _ namespace: UInt32, _ group: UInt32, _ said: Said, _ place: Comment
    ) throws {
        let message = try cached(query, namespace: namespace, group: group)
        let parsed = try #require(message.flatMap { Parsed($0) }, place)
        #expect(Said(parsed) == said, place)
        #expect(parsed.id == query.id && parsed.question == query.question, place)
        #expect(parsed.flags & 0xF950 == 0x8000 | query.flags & 0x0110, place)
        #expect((parsed.opt != nil) == !query.additionals.isEmpty, place)
    }

    private mutating func check(_ step: Step, _ place: Comment) throws {
        let action = forwarder.nextAction()
        switch (step, action) {
        case (.opens(let name, let last, let edns), .openDatagram(let token, let address, _, let message)):
            #expect(address == server(last), place)
            sockets[name] = Socket(token: token, message: message)
            #expect(try asked(name).additionals.count == (edns ? 1 : 0), place)
        case (.connects(let name, let last, let edns), .openStream(let token, let address, _, let message)):
            #expect(address == server(last), place)
            #expect(Array(message.prefix(2)) == word16(UInt16(message.count - 2)), place)
            sockets[name] = Socket(token: token, message: Array(message.dropFirst(2)), isStream: true)
            #expect(try asked(name).additionals.count == (edns ? 1 : 0), place)
        case (.repeats(let name, let edns), .send(let token, let message)):
            #expect(token == sockets[name]?.token, place)
            let sent = try asked(name)
            sockets[name]?.message = message
            let again = try asked(name)
            #expect(again.id == sent.id && again.flags == sent.flags && again.question == sent.question, place)
            #expect(again.additionals == (edns ? sent.additionals : []), place)
        case (.reuses(let old, let new, let edns), .send(let token, let message)):
            let socket = try #require(sockets[old])
            #expect(token == socket.token, place)
            let question = Array(message.dropFirst(socket.isStream ? 2 : 0))
            sockets[new] = Socket(token: token, message: question, isStream: socket.isStream)
            #expect(try asked(new).additionals.count == (edns ? 1 : 0), place)
            #expect(question != socket.message, place)
        case (.closes(let name), .close(let token)):
            #expect(token == sockets[name]?.token, place)
        case (.looksForServers(let expected), .lookForServers(let view)):
            #expect(view == expected, place)
        case (.answers(let client, let expected), .answer(let who, let answer)):
            #expect(client == who, place)
            #expect(try Self.summary(answer) == expected, place)
        case (.nothing, nil):
            break
        default:
            Issue.record("\(place): instead \(String(describing: action))")
        }
    }

    private static func summary(_ answer: Answer) throws -> Expected {
        let message = answer.message(limit: answer.datagramLimit)
        let parsed = try #require(Parsed(message), "the answer is a message")
        if answer.source == .staleCache {
            #expect(parsed.ttls.allSatisfy { $0 == 30 })
            let errors = parsed.errors.compactMap { UInt16($0.prefix { $0 != " " }) }
            guard parsed.code == 0 else {
                #expect(errors.first == 19)
                return .code(parsed.code, from: 0)
            }
            #expect(errors.first == 3)
            return .stale(try #require(parsed.sections[0].first?.last))
        }
        guard case .upstream(let upstream) = answer.source, case .v4(let address) = upstream.address else {
            let code = parsed.errors.first.flatMap { UInt16($0.prefix { $0 != " " }) }
            return parsed.code == 2 ? .failure(try #require(code)) : .code(parsed.code, from: 0)
        }
        let from = UInt8(truncatingIfNeeded: address.bits)
        if parsed.isTruncated { return .truncated(from: from) }
        guard parsed.code == 0, let last = parsed.sections[0].first?.last else { return .code(parsed.code, from: from) }
        return .address(last, from: from)
    }
}
