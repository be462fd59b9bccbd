// An upstream as several workers know it, each for itself: one fact for explain and doctor.

import DNSWire
import Diagnosis
import Testing

@testable import Forwarding
@testable import IntercomServer

@Suite("An upstream, as several workers know it,")
struct ServerFactsTests {
    /// Reports as `FAILURES@SECOND` of the last failure, or `!@SECOND` of the last reply; and the failures that are told.
    private static let rows: [(reports: String, failures: Int)] = [
        ("", 0), ("!@5", 0), ("2@5", 2), ("1@5 3@4", 3),
        // Another has got a reply since: it is well again.
        ("2@5 !@6", 0), ("2@5 1@7 !@6", 1),
        // A reply from before the failure says nothing.
        ("2@5 !@4", 2),
    ]

    @Test("fails for as long as nobody has got a reply since", arguments: rows.indices)
    func failures(index: Int) throws {
        let (text, failures) = Self.rows[index]
        let server = try ServerAddress("192.0.2.1")
        let reports = try text.split(separator: " ").map { one -> UpstreamReport in
            let parts = one.split(separator: "@")
            let second = try #require(Int64(parts[1]))
            var report = UpstreamReport(
                server: server, vantage: .host, roundTrip: nil, failures: Int(parts[0]) ?? 0, isResting: false)
            let moment = Moment(nanoseconds: second * 1_000_000_000)
            if report.failures > 0 {
                (report.trouble, report.failingSince, report.lastFailure) = (.silent, moment, moment)
            } else {
                report.lastReply = moment
            }
            return report
        }
        let fact = Diagnosis.Server(server, reports)
        #expect(fact.failures == failures)
        #expect((fact.trouble == nil) == (failures == 0))
        #expect((fact.since == nil) == (failures == 0))
        #expect((fact.finding(cure: "mend it") == nil) == (failures == 0))
    }
}
