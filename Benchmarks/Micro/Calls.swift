// Room Varlink: a call out of a stream.

import Benchmark
import Varlink

func calls() {
    Benchmark("call of the control socket") { benchmark in
        let text = #"{"method":"intercom.Control.AddContainer","parameters":{"name":"web","netns":"/run/netns/web"}}"#
        let message = Array(text.utf8) + [0]
        var framer = VarlinkFramer()
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            try framer.feed(message, message.count)
            if let call = framer.next() { blackHole(try VarlinkCall(message: call).method) }
        }
    }
}
