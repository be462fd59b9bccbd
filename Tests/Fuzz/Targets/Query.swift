// Messages of a container: any octets on port 53.

import DNSWire
import Forwarding
import Registry
import Synchronization

@testable import IntercomServer

/// A query of either transport (the first octet's lowest bit) to a registry with some of everything. An answer is a message
/// that the readers of this house read, and says what was asked.
func fuzzQuery(_ octets: Span<UInt8>) {
    guard octets.count > 0 else { return }
    let transport: Transport = octets[0] & 1 == 0 ? .datagram : .stream
    let message = octets.extracting(droppingFirst: 1)
    var name = FoldedName()
    let query = try? Query(message, name: &name)
    if octets[0] & 2 != 0 { expect(!MessageText.describe(message).isEmpty, "no text") }
    place.withLock { place in
        switch place.respond(to: message, over: transport) {
        case .drop:
            expect(message.count < Header.length || message[2] & 0x80 != 0, "a query was dropped")
        case .loop:
            expect(false, "a loop without a probe")
        case .heard:
            expect(false, "a proof that nobody expects")
        case .held:
            expect(false, "an answer waits for a gate that nobody has")
        case .forward, .follow:
            expect(query != nil, "what is no query was forwarded")
        case .answered(let length, _):
            check(place.buffer.span.extracting(first: length), to: message, query, over: transport)
        }
    }
}

private func check(_ answer: Span<UInt8>, to message: Span<UInt8>, _ query: Query?, over transport: Transport) {
    guard let header = Header(answer) else { return expect(false, "an answer without a header") }
    expect(header.flags.isResponse && header.id == Header(message)?.id, "no answer to this query")
    guard let query, query.header.flags.opcode == .query else {
        return expect(answer.count == Header.length, "more than a header to what is no query")
    }
    expect(answer.count <= query.answerLimit(over: transport), "\(answer.count) octets are too many")
    var name = FoldedName()
    guard let reply = try? Reply.parse(answer, name: &name) else { return expect(false, "an answer that is none") }
    expect(reply.end == answer.count, "something is behind the answer")
    expect((reply.edns != nil) == (query.edns != nil), "EDNS in, EDNS out")
    let echoed = answer.extracting(reply.question.nameOffset..<reply.question.endOffset)
    let asked = message.extracting(query.question.nameOffset..<query.question.endOffset)
    expect(echoed.count == asked.count && Array(echoed) == Array(asked), "another question is answered")
}

/// A responder and room for its answers: made once, as between queries it remembers no more than whose turn it is.
private struct Place: ~Copyable {
    var responder = makeResponder()
    var buffer = [UInt8](repeating: 0xEE, count: 65_535)

    mutating func respond(to message: Span<UInt8>, over transport: Transport) -> Outcome {
        responder.respond(to: message, over: transport, intoArray: &buffer)
    }
}

extension Responder {
    /// The buffer as a whole is lent, so that its span ends with the call.
    fileprivate mutating func respond(
        to message: Span<UInt8>, over transport: Transport, intoArray buffer: inout [UInt8]
    ) -> Outcome {
        respond(to: message, view: web, over: transport, into: buffer.mutableSpan)
    }
}

private let place = Mutex(Place())
private let web = ViewID(rawValue: 0)

/// Answers the container `web`, which is on two networks, with neighbours, a link, aliases, a wildcard and ports.
private func makeResponder() -> Responder {
    do {
        var town = try Town()
        try town.network("front", interface: "br0", subnets: ["10.1.0.0/24", "fd00:1::/64"])
        try town.network("b.ck", isInternal: true)
        try town.container(
            "web", "front 10.1.0.2 fd00:1::2", "b.ck 10.2.0.2", hostname: "w", id: "0123456789abcdef",
            links: [("db", "store")], ports: [PortDefinition(number: 80, service: "http")])
        try town.container("db", "b.ck 10.2.0.3 /data.base /*.wild")
        for number in 0..<40 { try town.container("r\(number)", "front 10.1.0.\(100 + number) /many") }
        expect(try town.view("web") == web, "web has another view")
        var responder = Responder(
            settings: ServerSettings(
                domain: try Name("internal"), ttl: 5, forwardsSingleLabels: false, forwardsLocal: false,
                version: "1", identity: String(repeating: "i", count: 300), randomizesCase: false,
                cache: CachePolicy()),
            seed: 7)
        responder.directory = town.directory
        return responder
    } catch {
        fatalError("\(error)")
    }
}
