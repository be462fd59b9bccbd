// The story of `make demo-tiers`: what the kernel has of it, and nobody has declared, is answered.

import Foundation
import Testing

@Suite("Three tiers that nobody declared", .needsRoot)
struct TiersTests {
    @Test("who can resolve whom is as the topology says, for all 400 pairs, and again after each change of it")
    func tiers() throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Demo/demo-tiers").path
        let output = try Command.run([script, House.binaries])
        #expect(output.status == 0, "\(output)")
        let rows = output.lines.filter { $0.hasPrefix("  ") && !$0.hasPrefix("    ") }.dropFirst()
            .map { $0.split(separator: " ").suffix(2).joined(separator: " ") }
        #expect(rows == ["400 400", "400 400", "400 400", "380 380", "506 506"])
    }
}
