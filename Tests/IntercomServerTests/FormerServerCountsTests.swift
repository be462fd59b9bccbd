// The condition of a container's former servers, as `status` counts it.

import DNSWire
import Testing

@testable import Forwarding
@testable import IntercomServer

@Suite("Former servers of a container")
struct FormerServerCountsTests {
    private typealias Condition = FormerServerCounts.Condition

    /// Servers that may be asked; what workers report of them, as `SERVER:FAILURES`, with `!` behind one that has answered, `~`
    /// behind one that asks us in turn.
    private static let rows: [(servers: String, reports: String, Condition)] = [
        ("", "", .failing),
        ("192.0.2.1", "", .untried),
        ("192.0.2.1", "192.0.2.1:0!", .answering),
        ("192.0.2.1", "192.0.2.1:2!", .failing),
        ("192.0.2.1", "192.0.2.1:1", .failing),
        ("192.0.2.1", "192.0.2.1:0~", .failing),
        ("192.0.2.1 192.0.2.2", "192.0.2.1:3", .untried),
        ("192.0.2.1 192.0.2.2", "192.0.2.1:3 192.0.2.2:1", .failing),
        ("192.0.2.1 192.0.2.2", "192.0.2.1:3 192.0.2.2:0!", .answering),
    ]

    @Test("answer, fail, or have not been asked yet", arguments: rows.indices)
    func conditions(index: Int) throws {
        let (servers, reports, condition) = Self.rows[index]
        let all = try reports.split(separator: " ").map { text in
            let parts = text.split(separator: ":")
            var report = UpstreamReport(
                server: try ServerAddress(parts[0]), vantage: .namespace(1), roundTrip: text.hasSuffix("!") ? 900 : nil,
                failures: Int(parts[1].prefix(1)) ?? 0, isResting: false)
            report.isAvoided = text.hasSuffix("~")
            return report
        }
        #expect(Condition(try servers.split(separator: " ").map { try ServerAddress($0) }, all) == condition)
    }

    @Test("are counted by container")
    func counted() {
        var counts = FormerServerCounts()
        for condition in [Condition.answering, .failing, .untried, .answering] { counts.add(condition) }
        #expect(counts.answering == 2 && counts.untried == 1 && counts.failing == 1)
    }
}
