// Gates as the control interface shows them: their state, and the addresses that workers have let through.

import ControlAPI
import LinuxNet
import Registry

extension Gate {
    /// Describes the gates of containers, together, once workers have counted.
    /// - Parameters:
    ///   - containers: those whose gates they are; others are passed over.
    ///   - plane: knows their state.
    ///   - done: is given nil where none of them has one.
    static func describe(_ containers: [ContainerID], by plane: ControlPlane, then done: @escaping (Gate?) -> Void) {
        let states = containers.compactMap { container in plane.gates.state(of: container).map { (container, $0) } }
        if states.isEmpty { return done(nil) }
        plane.workers.ask(plane.workers.indices, { .countGates(token: $0) }) { replies in
            var counters = GateCounters()
            for case .gates(_, let counts) in replies {
                for (container, _) in states {
                    if let count = counts[container.view] { counters.add(count) }
                }
            }
            let reasons = states.compactMap { _, state -> String? in
                if case .failed(let reason) = state { reason } else { nil }
            }
            done(
                Gate(
                    state: reasons.isEmpty ? "in force" : "failed", reason: reasons.first, open: counters.told,
                    admitted: Int(clamping: counters.admitted), madeRoom: Int(clamping: counters.madeRoom)))
        }
    }
}
