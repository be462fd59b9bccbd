// Room Forwarding: answers of upstreams, kept and asked for.

import Benchmark
import DNSWire
import Forwarding

/// A forwarder of one upstream that knows 10,000 answers.
private final class Memory {
    var forwarder: Forwarder
    let now = Moment(nanoseconds: 1_000_000_000)
    private var buffer = [UInt8](repeating: 0, count: Transport.maximumAnswer)

    init() throws {
        forwarder = Forwarder(
            policy: CachePolicy(), seed: 42, random: { $0 = $0.map { _ in .random(in: 0...255) } }, now: now)
        let server = ServerAddress(address: .v4(IPv4Address(bits: 0x0A00_0001)))
        forwarder.setUpstreams(0, UpstreamList(servers: [server]))
        for number in 0..<10_000 { try learn("host\(number).example.com") }
    }

    /// Asks, and is told: a whole exchange.
    func learn(_ name: String) throws {
        let message = try query(name)
        var folded = FoldedName()
        let asked = try Query(message.span, name: &folded)
        _ = forwarder.ask(message.span, asked, folded, client: 1, namespace: 1, view: 1, group: 0, now: now)
        while let action = forwarder.nextAction() {
            switch action {
            case .openDatagram(let socket, _, _, let question), .send(let socket, let question):
                forwarder.receivedDatagram(reply(to: question, addresses: 1).span, on: socket, now: now)
            default: break
            }
        }
    }

    /// The length of the kept answer.
    func recall(_ message: Span<UInt8>, _ query: Query, _ name: borrowing FoldedName) -> Int? {
        forwarder.answer(
            message, query, name, view: 1, group: 0, over: .datagram, now: now, into: buffer.mutableSpan)?.length
    }
}

func answers() {
    for (title, name, isKept) in [
        ("that is kept", "host4711.example.com", true), ("that is not", "other.example.com", false),
    ] {
        Benchmark("answer \(title)") { benchmark, memory in
            let message = try query(name)
            var folded = FoldedName()
            let asked = try Query(message.span, name: &folded)
            guard (memory.recall(message.span, asked, folded) != nil) == isKept else {
                return benchmark.error("\(name) should \(isKept ? "" : "not ")be there")
            }
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations { blackHole(memory.recall(message.span, asked, folded)) }
        } setup: {
            try Memory()
        }
    }

    Benchmark("exchange with an upstream") { benchmark, memory in
        for number in benchmark.scaledIterations { try memory.learn("new\(number).example.com") }
    } setup: {
        try Memory()
    }
}
