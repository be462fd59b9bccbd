// Scenarios: what happens, step by step, and what the forwarder must do at each step.

import DNSWire
import Synchronization
import Testing

@testable import Forwarding

/// Makes a reply from the message that the upstream got.
typealias Upstream = @Sendable (_ asked: Packet) -> [UInt8]

enum Step: Sendable {
    // What happens.
    case ask(client: Int = 1, namespace: UInt32 = 1, Packet = .plain)
    case refused(namespace: UInt32 = 1, Refusal)
    case reply(on: Character, Upstream)
    /// Over TCP, `pieces` octets at a time; 0 is all at once.
    case stream(on: Character, pieces: Int = 0, Upstream)
    case octets(on: Character, [UInt8])
    case failure(on: Character)
    case time(Int)  // milliseconds since the beginning
    case upstreams([UInt8]?)
    case abandon(namespace: UInt32)
    // What the forwarder must do, nothing else in between.
    case opens(Character, to: UInt8, edns: Bool = true)
    case connects(Character, to: UInt8, edns: Bool = true)
    case repeats(Character)
    case closes(Character)
    case answers(client: Int = 1, Expected)
    case nothing
}

enum Expected: Sendable, Equatable {
    /// NOERROR with A 192.0.2.`last` from the upstream 10.0.0.`from`.
    case address(_ last: UInt8, from: UInt8)
    /// A response code that an upstream gave.
    case code(UInt16, from: UInt8)
    /// SERVFAIL of our own with this Extended DNS Error.
    case failure(UInt16)
}

struct Scenario: Sendable, CustomTestStringConvertible {
    let name: String
    var upstreams: [UInt8] = [1, 2]
    let steps: [Step]

    init(_ name: String, upstreams: [UInt8] = [1, 2], _ steps: [Step]) {
        self.name = name
        self.upstreams = upstreams
        self.steps = steps
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
        let message: [UInt8]
    }

    var forwarder: Forwarder<Int>
    let start = ContinuousClock.now
    var now: ContinuousClock.Instant
    var sockets: [Character: Socket] = [:]

    init(upstreams: [UInt8] = [1], limits: ForwardingLimits = ForwardingLimits()) {
        let ids = Counter()
        forwarder = Forwarder(limits: limits, random: { ids.next() })
        forwarder.setUpstreams(7, UpstreamList(servers: upstreams.map(server)))
        now = start
    }

    mutating func ask(
        _ query: Packet = .plain, client: Int = 1, namespace: UInt32 = 1, view: UInt32? = nil
    ) throws -> Verdict {
        let bytes = query.bytes
        var name = FoldedName()
        let parsed = try Query(bytes.span, name: &name)
        return forwarder.ask(
            bytes.span, parsed, client: client, namespace: namespace, view: view ?? namespace, group: 7, now: now)
    }

    /// What the upstream behind a socket got.
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

/// Numbers that the tests can foresee.
final class Counter: Sendable {
    private let value = Mutex(UInt16(0xBEE0))
    func next() -> UInt16 {
        value.withLock {
            $0 += 1
            return $0
        }
    }
}

extension Scenario {
    func run() throws {
        var worker = Worker(upstreams: upstreams)
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
        case .ask(let client, let namespace, let query):
            #expect(try ask(query, client: client, namespace: namespace) == .accepted, place)
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
        case .upstreams(let list):
            forwarder.setUpstreams(7, list.map { UpstreamList(servers: $0.map(server)) })
        case .abandon(let namespace):
            forwarder.abandon(namespace: namespace)
        default:
            try check(step, place)
        }
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
            sockets[name] = Socket(token: token, message: Array(message.dropFirst(2)))
            #expect(try asked(name).additionals.count == (edns ? 1 : 0), place)
        case (.repeats(let name), .send(let token, let message)):
            #expect(token == sockets[name]?.token, place)
            #expect(message == sockets[name]?.message, place)
        case (.closes(let name), .close(let token)):
            #expect(token == sockets[name]?.token, place)
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
        guard let upstream = answer.upstream, case .v4(let address) = upstream.address else {
            let code = parsed.errors.first.flatMap { UInt16($0.prefix { $0 != " " }) }
            return parsed.code == 2 ? .failure(try #require(code)) : .code(parsed.code, from: 0)
        }
        let from = UInt8(truncatingIfNeeded: address.bits)
        guard parsed.code == 0, let last = parsed.sections[0].first?.last else { return .code(parsed.code, from: from) }
        return .address(last, from: from)
    }
}
