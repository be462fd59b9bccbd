// Measures the steps of an answer, each alone, without sockets.

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
