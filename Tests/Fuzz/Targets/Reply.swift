// Messages of an upstream or a forger: any octets on the socket of a question.

import DNSWire

@testable import Forwarding

/// The first octet says how the client asks and what is done to the rest, which is the reply. Whatever comes, each client
/// gets one answer to what it asked, now or when its patience ends, and what is kept says the same.
func fuzzReply(_ octets: Span<UInt8>) {
    guard octets.count > 0 else { return }
    let manner = octets[0]
    var reply = Array(octets.extracting(droppingFirst: 1))
    var upstreams = PlainUpstreams()
    upstreams.forwarder.randomizesCase = manner & 1 != 0
    let query = PlainQuery(
        name: "www.example.com", type: 1, hasEDNS: manner & 2 != 0, dnssecOK: manner & 4 != 0,
        checkingDisabled: manner & 8 != 0)
    expect(upstreams.ask(query, client: 1) == .accepted, "a question was refused")
    let answers = upstreams.perform()
    expect(answers.isEmpty, "an answer before any reply")
    guard let socket = upstreams.sockets.first else { return expect(false, "nobody was asked") }
    // Guessing the id is not what is to be found out here.
    if manner & 16 != 0 { reply.replaceSubrange(0..<min(2, reply.count), with: socket.value.question.prefix(2)) }
    var given = upstreams.receive(reply, on: socket.key)
    for (token, next) in upstreams.sockets where token != socket.key {
        if manner & 16 != 0 { reply.replaceSubrange(0..<min(2, reply.count), with: next.question.prefix(2)) }
        given += upstreams.receive(reply, on: token, pieces: manner & 32 != 0 ? 7 : nil)
    }
    if given.isEmpty { given = upstreams.wait(until: .milliseconds(4500)) }
    expect(given.count == 1 && given.first?.client == 1, "\(given.count) answers to one client")
    for (_, answer) in given {
        for limit in [512, answer.datagramLimit, 4096] { query.check(answer.message(limit: limit), limit: limit) }
    }
    expect(upstreams.forwarder.inFlight == 0, "something waits for nobody")
    if let kept = upstreams.cached(query) { query.check(kept, limit: query.hasEDNS ? 1232 : 512) }
}
