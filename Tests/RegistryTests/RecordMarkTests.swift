// Most names that no record of the operator has are told apart by their first label; none that one has is.

import DNSWire
import Testing

@testable import Registry

@Suite("A name beside many records of the operator")
struct RecordMarkTests {
    private static let networks: [UInt32] = [ScopeID.everyone.rawValue, 1, 2]

    private func directory() throws -> Directory { Directory(domain: try Name("internal"), seed: 1) }

    private func set(
        _ text: String, _ kind: RecordKey.Kind, _ number: Int, in directory: inout Directory, isThere: Bool
    ) throws {
        var records = RecordSet()
        records.append(.v4(IPv4Address(bits: UInt32(number))), ttl: 60)
        let scope = ScopeID(rawValue: Self.networks[number % Self.networks.count])
        directory.apply(.records(RecordKey(scope: scope, kind: kind, name: try Name(text)), isThere ? records : nil))
    }

    private func mayHaveRecord(_ text: String, _ directory: inout Directory) throws -> Bool {
        var name = FoldedName()
        name.set(try Name(text))
        return directory.mayHaveRecord(name)
    }

    @Test("is looked up where a record may be its answer, however many there are, and whichever are removed")
    func looking() throws {
        var directory = try directory()
        func text(_ number: Int) -> String { number % 3 == 0 ? "host\(number)" : "host\(number).of.a.zone" }
        for number in 0..<5000 { try set(text(number), .record, number, in: &directory, isThere: true) }
        for number in stride(from: 0, to: 5000, by: 2) {
            try set(text(number), .record, number, in: &directory, isThere: false)
        }
        for number in stride(from: 1, to: 5000, by: 2) {
            for behind in ["", ".front", ".front.internal", ".internal"] {
                #expect(try mayHaveRecord(text(number) + behind, &directory), "\(text(number))\(behind)")
            }
        }
    }

    @Test("is not looked up in four of five cases, and never once there are no records any more")
    func others() throws {
        var directory = try directory()
        for number in 0..<5000 { try set("host\(number).test", .record, number, in: &directory, isThere: true) }
        let looked = try (0..<5000).count { try mayHaveRecord("none\($0).test", &directory) }
        #expect(looked <= 1000)
        for number in 0..<5000 { try set("host\(number).test", .record, number, in: &directory, isThere: false) }
        for number in 0..<5000 { #expect(try !mayHaveRecord("host\(number).test", &directory), "\(number)") }
    }

    @Test("is looked up under any label where there are wildcards")
    func wildcards() throws {
        var directory = try directory()
        #expect(try !mayHaveRecord("any.app.test", &directory))
        try set("app.test", .recordWildcard, 0, in: &directory, isThere: true)
        #expect(try mayHaveRecord("any.app.test", &directory))
        try set("app.test", .recordWildcard, 0, in: &directory, isThere: false)
        #expect(try !mayHaveRecord("any.app.test", &directory))
    }
}
