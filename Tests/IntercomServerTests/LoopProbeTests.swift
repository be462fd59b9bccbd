// The names by which loops are found.

import DNSWire
import Testing

@testable import IntercomServer

@Suite("The name of a loop's probe")
struct LoopProbeTests {
    private func token(_ text: String) throws -> UInt64? {
        var name = FoldedName()
        name.set(try Name(text))
        return LoopProbe.token(in: name)
    }

    @Test("says its token", arguments: [0, 1, 0xDEAD_BEEF, UInt64.max])
    func tokens(_ number: UInt64) throws {
        let name = try LoopProbe.name(of: number)
        #expect(name.labels.first?.count == 16 && name.labelCount == 3)
        #expect(try token(name.description) == number)
        #expect(try token(name.description.uppercased()) == number, "servers on the way may change the case")
    }

    @Test(
        "is no other name",
        arguments: [
            ".", "intercom.example", "0123456789abcde.intercom.example", "0123456789abcdef0.intercom.example",
            "0123456789abcdeg.intercom.example", "0123456789abcdef.intercom.example.org",
            "x.0123456789abcdef.intercom.example", "0123456789abcdef.intercom.test",
        ])
    func others(_ text: String) throws {
        #expect(try token(text) == nil)
    }
}
