// Room DNSWire: messages read and written.

import Benchmark
import DNSWire

func wire() {
    let longest = Array(repeating: String(repeating: "a", count: 62), count: 4).joined(separator: ".")
    let questions = [
        ("one label", "web", false), ("four labels, EDNS", "web.frontend.example.internal", true),
        ("253 octets", longest, false),
    ]
    for (title, name, speaksEDNS) in questions {
        Benchmark("question: \(title)") { benchmark, message in
            var name = FoldedName()
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations { blackHole(try? Query(message.span, name: &name)) }
        } setup: {
            try query(name, speaksEDNS: speaksEDNS)
        }
    }

    Benchmark("reply: 16 addresses") { benchmark, message in
        var name = FoldedName()
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { blackHole(try? Reply.parse(message.span, name: &name)) }
    } setup: {
        reply(to: try query("www.example.com"), addresses: 16)
    }

    Benchmark("answer: an address") { benchmark, message in
        var name = FoldedName()
        let query = try Query(message.span, name: &name)
        let record: [UInt8] = [0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 1, 0, 2]
        var buffer = [UInt8](repeating: 0, count: Transport.maximumAnswer)
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            var writer = MessageWriter(buffer.mutableSpan, limit: 512)
            let flags = HeaderFlags(answering: query.header.flags, aa: true, .noError)
            writer.writeHeader(Header(id: query.header.id, flags: flags))
            writer.writeQuestion(from: message.span, query.question)
            writer.writeRecords(record.span, count: 1, section: .answer)
            blackHole(writer.finish())
        }
    } setup: {
        try query("web")
    }
}
