// The heap of deadlines against a plain list of them.

import Tables
import Testing

@testable import Forwarding

@Suite("Deadlines")
struct DeadlinesTests {
    @Test("come out in order, whatever was set, moved and removed", arguments: [1, 2, 3, 10, 200])
    func order(slots: UInt64) {
        let start = Moment(nanoseconds: 0)
        var deadlines = Deadlines()
        var model: [UInt32: Int] = [:]
        var state: UInt64 = 42 &+ slots
        func next(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        for _ in 0..<5000 {
            let index = UInt32(next(slots))
            let ticket = Ticket(slot: index, generation: 0)
            switch next(4) {
            case 0:
                deadlines.remove(ticket)
                model[index] = nil
            case 1:
                let now = Int(next(1000))
                guard let due = deadlines.takeDue(start + .milliseconds(now)) else {
                    #expect(model.values.allSatisfy { $0 > now })
                    continue
                }
                let earliest = model.values.min()
                #expect(model[due.slot] == earliest)
                model[due.slot] = nil
            default:
                let instant = Int(next(1000))
                deadlines.set(ticket, start + .milliseconds(instant))
                model[index] = instant
            }
            #expect(deadlines.count == model.count)
            #expect(deadlines.earliest == model.values.min().map { start + .milliseconds($0) })
        }
    }
}
