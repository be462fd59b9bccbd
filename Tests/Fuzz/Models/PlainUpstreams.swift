// The upstreams' side of a forwarder: its clock, its sockets, and what was asked on them.

import DNSWire
import Synchronization

@testable import Forwarding

/// A question as a client asks it.
struct PlainQuery {
    var name: String
    var type: UInt16
    var hasEDNS = false
    var dnssecOK = false
    var checkingDisabled = false

    static let id: [UInt8] = [0x12, 0x34]

    /// Name, type and class.
    var question: [UInt8] {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0, UInt8(type >> 8)]
            + [UInt8(truncatingIfNeeded: type), 0, 1]
    }

    var bytes: [UInt8] {
        let flags: UInt8 = checkingDisabled ? 0x10 : 0
        let opt: [UInt8] = [0, 0, 41, 0x10, 0, 0, 0, dnssecOK ? 0x80 : 0, 0, 0, 0]
        return Self.id + [1, flags, 0, 1, 0, 0, 0, 0, 0, hasEDNS ? 1 : 0] + question + (hasEDNS ? opt : [])
    }

    /// Checks that every reader can read a message as an answer to this query.
    func check(_ message: [UInt8], limit: Int) {
        expect(message.count <= limit, "\(message.count) octets are more than \(limit)")
        var name = FoldedName()
        guard let reply = try? Reply.parse(message.span, name: &name) else {
            return expect(false, "an answer that is none: \(message)")
        }
        expect(reply.end == message.count, "something is behind the answer")
        expect(Array(message[..<2]) == Self.id && reply.header.flags.isResponse, "an answer to another query")
        expect(Array(message[12..<reply.question.endOffset]) == question, "an answer to another question")
        expect((reply.edns != nil) == hasEDNS, "EDNS in, EDNS out")
    }
}

/// Message ids without chance, so that none comes twice.
private final class Counter: Sendable {
    private let last = Mutex<UInt16>(0)

    func fill(_ octets: inout [UInt8]) {
        for index in octets.indices {
            let id = last.withLock { last in
                if index % 2 == 0 { last &+= 1 }
                return last
            }
            octets[index] = index % 2 == 0 ? UInt8(id >> 8) : UInt8(id & 255)
        }
    }
}

/// A forwarder with a clock that goes on when it is told to.
struct PlainUpstreams: ~Copyable {
    struct Socket {
        /// Last query over this socket, without its length.
        var question: [UInt8]
        var vantage: Vantage
        var isStream: Bool
    }

    var forwarder: Forwarder
    let start = Moment(nanoseconds: 1_000_000)
    var now: Moment
    var sockets: [SocketToken: Socket] = [:]

    /// - Parameter policy: by default answers are kept for their life, and nothing else is done with them.
    init(
        policy: CachePolicy = CachePolicy(capacity: 1 << 15, servesStale: false, prefetches: false),
        limits: ForwardingLimits = ForwardingLimits()
    ) {
        forwarder = Forwarder(
            limits: limits, policy: policy, seed: 7, random: { [ids = Counter()] in ids.fill(&$0) }, now: start)
        now = start
        setUpstreams(0, 1..<2)
    }

    /// Makes 10.0.0.`numbers` the upstreams of a group.
    mutating func setUpstreams(_ group: UInt32, _ numbers: Range<UInt32>, origin: UpstreamList.Origin = .host) {
        let servers = numbers.map { ServerAddress(address: .v4(IPv4Address(bits: 0x0A00_0000 | $0))) }
        forwarder.setUpstreams(group, UpstreamList(servers: servers, origin: origin))
    }

    mutating func ask(_ query: PlainQuery, client: Int, namespace: UInt32 = 1, group: UInt32 = 0) -> Verdict? {
        let bytes = query.bytes
        var name = FoldedName()
        guard let parsed = try? Query(bytes.span, name: &name) else { return nil }
        return forwarder.ask(
            bytes.span, parsed, name, client: client, namespace: namespace, view: namespace, group: group, now: now)
    }

    /// Answer of the cache to a query.
    mutating func cached(
        _ query: PlainQuery, namespace: UInt32 = 1, group: UInt32 = 0
    ) -> [UInt8]? {
        let bytes = query.bytes
        var name = FoldedName()
        guard let parsed = try? Query(bytes.span, name: &name) else { return nil }
        var buffer = [UInt8](repeating: 0xEE, count: Transport.maximumAnswer)
        let answer = forwarder.answer(
            bytes.span, parsed, name, view: namespace, group: group, over: .datagram, now: now,
            into: buffer.mutableSpan)
        return answer.map { Array(buffer[..<$0.length]) }
    }

    /// Does what the forwarder wants; gives the answers.
    mutating func perform() -> [(client: Int, answer: Answer)] {
        var answers: [(client: Int, answer: Answer)] = []
        while let action = forwarder.nextAction() {
            switch action {
            case .openDatagram(let token, _, let vantage, let message):
                expect(sockets[token] == nil, "a token is given twice")
                sockets[token] = Socket(question: message, vantage: vantage, isStream: false)
            case .openStream(let token, _, let vantage, let message):
                expect(sockets[token] == nil, "a token is given twice")
                sockets[token] = Socket(question: Array(message.dropFirst(2)), vantage: vantage, isStream: true)
            case .send(let token, let message):
                expect(sockets[token] != nil, "a message for a socket that is closed")
                let length = sockets[token]?.isStream == true ? 2 : 0
                sockets[token]?.question = Array(message.dropFirst(length))
            case .close(let token):
                expect(sockets.removeValue(forKey: token) != nil, "a socket is closed twice")
            case .answer(let client, let answer):
                answers.append((client, answer))
            case .lookForServers: break
            }
        }
        return answers
    }

    /// Octets arrive: a datagram, or a message with its length before it, a few octets at a time if `pieces` says so.
    mutating func receive(
        _ message: [UInt8], on token: SocketToken, pieces: Int? = nil
    ) -> [(client: Int, answer: Answer)] {
        guard sockets[token]?.isStream == true else {
            forwarder.receivedDatagram(message.span, on: token, now: now)
            return perform()
        }
        let stream =
            [UInt8(truncatingIfNeeded: message.count >> 8), UInt8(truncatingIfNeeded: message.count)] + message
        let piece = pieces ?? stream.count
        for start in Swift.stride(from: 0, to: stream.count, by: piece) {
            let part = Array(stream[start..<min(start + piece, stream.count)])
            forwarder.receivedStream(part.span, on: token, now: now)
        }
        return perform()
    }

    mutating func fail(_ token: SocketToken) -> [(client: Int, answer: Answer)] {
        forwarder.failed(token, now: now)
        return perform()
    }

    /// Lets time pass since the start, deadline by deadline.
    mutating func wait(until lapse: Lapse) -> [(client: Int, answer: Answer)] {
        var answers: [(client: Int, answer: Answer)] = []
        let end = start + lapse
        while let deadline = forwarder.nextDeadline, deadline <= end {
            now = max(now, deadline)
            forwarder.expire(now: now)
            answers += perform()
            expect(forwarder.nextDeadline.map { $0 > now } ?? true, "time stands still")
        }
        now = max(now, end)
        return answers
    }
}
