// Messages between threads: cargo that is handed over once, and replies with the number of their request.

import Forwarding
import LinuxNet
import Testing

@testable import IntercomServer

@Suite("A message to a thread")
struct HandoverTests {
    @Test("hands its cargo over once")
    func once() throws {
        let handover = Handover(try TCPSocket.listening(at: SocketAddress(v4: 0x7F00_0001, port: 0)))
        var wasThere: [Bool] = []
        for _ in 0..<2 {
            if handover.take() != nil { wasThere.append(true) } else { wasThere.append(false) }
        }
        #expect(wasThere == [true, false])
    }

    @Test("of a worker has the token of the question that it answers, and none where nobody asked")
    func tokens() {
        #expect(WorkerReply.reached(token: 7).token == 7)
        #expect(WorkerReply.flushed(token: 8, 3).token == 8)
        #expect(WorkerReply.kept(token: 12, KeptAnswers()).token == 12)
        #expect(WorkerReply.counters(token: 9, WorkerCounters()).token == 9)
        #expect(
            WorkerReply.resolved(token: 10, Resolution(message: [], source: "cache", .forwarded(group: 0))).token == 10)
        #expect(WorkerReply.looped(token: 11).token == nil)
        #expect(WorkerReply.unanswered(nil, []).token == nil)
    }
}
