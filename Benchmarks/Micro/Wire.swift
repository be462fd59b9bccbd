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
}
