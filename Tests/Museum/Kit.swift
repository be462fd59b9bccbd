// A forwarder between clients and upstreams that a test plays; messages are put together octet by octet.

import DNSWire

@testable import Forwarding

/// The octets of messages.
enum Octets {
    static func word(_ number: Int) -> [UInt8] { [UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)] }

    static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    static func header(_ id: Int, _ flags: Int, answers: Int = 0, authorities: Int = 0, additionals: Int = 0) -> [UInt8]
    {
        [id, flags, 1, answers, authorities, additionals].flatMap { word($0) }
    }

    /// A record; its owner is the question's name unless another is given.
    static func record(_ type: Int, _ data: [UInt8], owner: [UInt8] = [0xC0, 0x0C], ttl: Int = 300) -> [UInt8] {
        owner + word(type) + word(1) + word(ttl >> 16) + word(ttl & 0xFFFF) + word(data.count) + data
    }

    /// `A 192.0.2.last`.
    static func a(_ last: UInt8, owner: [UInt8] = [0xC0, 0x0C], ttl: Int = 300) -> [UInt8] {
        record(1, [192, 0, 2, last], owner: owner, ttl: ttl)
    }

    static func opt(size: Int = 1232, dnssecOK: Bool = false, options: [UInt8] = []) -> [UInt8] {
        [0] + word(41) + word(size) + [0, 0, dnssecOK ? 0x80 : 0, 0] + word(options.count) + options
    }

    /// A query with RD, and with EDNS.
    static func query(_ text: String, type: Int = 1, id: Int = 0x1234, flags: Int = 0x0100, opt: [UInt8] = opt())
        -> [UInt8]
    {
        header(id, flags, additionals: opt.isEmpty ? 0 : 1) + name(text) + word(type) + word(1) + opt
    }

    /// The octets of the question in a query of ours, and the rest of it: id and question are what a reply repeats.
    static func question(of query: [UInt8]) -> [UInt8] {
        let end = (query[12...].firstIndex(of: 0) ?? query.count) + 5
        return Array(query[12..<end])
    }

    /// A reply to a query, with these flags and records.
    static func reply(
        to query: [UInt8], flags: Int = 0x8180, answers: [[UInt8]] = [], authorities: [[UInt8]] = [],
        additionals: [[UInt8]] = [opt()]
    ) -> [UInt8] {
        let id = Int(query[0]) << 8 | Int(query[1])
        return header(
            id, flags, answers: answers.count, authorities: authorities.count, additionals: additionals.count)
            + question(of: query) + (answers + authorities + additionals).flatMap { $0 }
    }
}

/// A forwarder and a clock; the upstreams 10.0.0.1, 10.0.0.2 …
struct House: ~Copyable {
    struct Socket {
        let server: UInt8
        let isStream: Bool
        /// The question that went out over it last, without the length before it.
        var question: [UInt8]
    }

    var forwarder: Forwarder
    var now = Moment(nanoseconds: 0)
    var sockets: [SocketToken: Socket] = [:]
    /// Sockets with something that was sent and has not been replied to yet, in their order.
    var asked: [SocketToken] = []
    var answers: [Int: [UInt8]] = [:]
    var datagrams = 0
    var streams = 0
    var opened: Set<SocketToken> = []
    var mostSockets = 0
    static let group: UInt32 = 7

    init(upstreams: Int = 1, policy: CachePolicy = CachePolicy()) {
        var generator = SystemRandomNumberGenerator()
        forwarder = Forwarder(
            policy: policy, seed: generator.next(), random: { $0 = $0.map { _ in .random(in: 0...255) } }, now: now)
        setUpstreams(upstreams)
    }

    mutating func setUpstreams(_ count: Int) {
        let servers = (0..<count).map { ServerAddress(address: .v4(IPv4Address(bits: 0x0A00_0001 + UInt32($0)))) }
        forwarder.setUpstreams(Self.group, UpstreamList(servers: servers))
    }

    /// Puts a client's question: from the cache if it is there, else to the upstreams.
    mutating func ask(_ message: [UInt8], client: Int = 0, namespace: UInt32 = 1) throws {
        var name = FoldedName()
        let query = try Query(message.span, name: &name)
        var buffer = [UInt8](repeating: 0, count: 65_535)
        let answer = forwarder.answer(
            message.span, query, name, view: namespace, group: Self.group, over: .stream, now: now,
            into: buffer.mutableSpan)
        if let answer {
            answers[client] = Array(buffer[..<answer.length])
        } else {
            _ = forwarder.ask(
                message.span, query, name, client: client, namespace: namespace, view: namespace, group: Self.group,
                now: now)
        }
        act()
    }

    mutating func act() {
        while let action = forwarder.nextAction() {
            switch action {
            case .openDatagram(let token, let server, _, let message): open(token, server, message, isStream: false)
            case .openStream(let token, let server, _, let message): open(token, server, message, isStream: true)
            case .send(let token, let message):
                guard let isStream = sockets[token]?.isStream else { continue }
                sockets[token]?.question = Array(message.dropFirst(isStream ? 2 : 0))
                count(token, isStream)
            case .close(let token): sockets[token] = nil
            case .answer(let client, let answer): answers[client] = answer.message(limit: 65_535)
            case .lookForServers: break
            }
        }
        mostSockets = max(mostSockets, sockets.count)
    }

    private mutating func open(_ token: SocketToken, _ server: ServerAddress, _ message: [UInt8], isStream: Bool) {
        guard case .v4(let address) = server.address else { return }
        let question = Array(message.dropFirst(isStream ? 2 : 0))
        sockets[token] = Socket(server: UInt8(address.bits & 0xFF), isStream: isStream, question: question)
        opened.insert(token)
        count(token, isStream)
    }

    private mutating func count(_ token: SocketToken, _ isStream: Bool) {
        if isStream { streams += 1 } else { datagrams += 1 }
        asked.append(token)
    }

    /// Hands in octets that an upstream sends over a socket: a message, or part of a stream.
    mutating func receive(
        _ octets: [UInt8], on token: SocketToken, isRaw: Bool = false, cameInFragments: Bool = false
    ) {
        if sockets[token]?.isStream == true {
            forwarder.receivedStream((isRaw ? octets : Octets.word(octets.count) + octets).span, on: token, now: now)
        } else {
            forwarder.receivedDatagram(octets.span, on: token, cameInFragments: cameInFragments, now: now)
        }
        act()
    }

    /// Lets each question be replied to, and each that follows from the replies.
    /// - Parameter upstream: the octets of a reply; nil: silence.
    mutating func serve(_ upstream: (Socket) -> [UInt8]?) {
        while !asked.isEmpty {
            let token = asked.removeFirst()
            guard let socket = sockets[token], let octets = upstream(socket) else { continue }
            receive(octets, on: token)
        }
    }

    /// Lets time pass, deadline by deadline.
    mutating func wait(_ milliseconds: Int) {
        let end = now + .milliseconds(milliseconds)
        while let deadline = forwarder.nextDeadline, deadline <= end {
            now = max(now, deadline)
            forwarder.expire(now: now)
            act()
        }
        now = end
    }

    /// The response code of a client's answer; nil: it has none.
    func code(_ client: Int = 0) -> Int? { answers[client].map { Int($0[3] & 0x0F) } }
}
