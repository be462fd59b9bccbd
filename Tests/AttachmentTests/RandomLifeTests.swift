// Random histories of containers: the invariants after every step, and that nothing is left in the end.

import Foundation
import Testing

@testable import Attachment

@Suite("A random history of containers")
struct RandomLifeTests {
    @Test("keeps one listener a namespace, and leaves nothing behind", arguments: 1...40)
    func history(seed: UInt64) {
        let world = World(observing: seed % 2 == 0, defaultPort: [.redirected, .direct, .automatic][Int(seed % 3)])
        var life = RandomLife(world, choosing: Random(state: seed))
        for _ in 0..<Self.steps {
            life.step()
            life.check()
        }
        life.finish()
    }

    /// Steps of each history; INTERCOM_HISTORY of them for a long run.
    private static let steps = ProcessInfo.processInfo.environment["INTERCOM_HISTORY"].flatMap { Int($0) } ?? 2_000
}
