// What is measured here: the steps of an answer, alone, without sockets.

import Benchmark

let benchmarks: @Sendable () -> Void = {
    // A thousand a sample: one takes less time than reading the clock does.
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock], warmupIterations: 10, scalingFactor: .kilo, maxDuration: .seconds(1))
    wire()
    names()
    answers()
    calls()
}
