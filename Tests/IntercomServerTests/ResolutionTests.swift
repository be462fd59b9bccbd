// An answer as `intercomctl resolve` shows it.

import ControlAPI
import DNSWire
import Testing

@testable import IntercomServer

@Suite("An answer that is shown to people")
struct ResolutionTests {
    /// `www.example. A`: one A record, a SOA, and OPT with an extended error that has a text.
    private static let message: [UInt8] =
        [0x1D, 0x1D, 0x81, 0x83, 0, 1, 0, 1, 0, 1, 0, 1] + question
        + [0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]
        + [0, 0, 6, 0, 1, 0, 0, 0, 5, 0, 22, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5]
        + [0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, UInt8(options.count)] + options
    private static let question: [UInt8] =
        [3, 0x77, 0x77, 0x77, 7, 0x65, 0x78, 0x61, 0x6D, 0x70, 0x6C, 0x65, 0, 0, 1, 0, 1]
    /// A cookie, EDE 22 with the text "no", EDE 15 without.
    private static let options: [UInt8] =
        [0, 10, 0, 2, 1, 2] + [0, 15, 0, 4, 0, 22, 0x6E, 0x6F] + [0, 15, 0, 2, 0, 15]

    @Test("has its code, flags, records of each section, and errors with their texts")
    func whole() throws {
        let resolution = Resolution(
            message: Self.message, source: "10.0.0.1", .forwarded(group: 0), route: try Name("example"))
        let answer = try Resolve.Answer(resolution, asked: "www.example", .a)
        #expect(answer.name == "www.example" && answer.type == "A" && answer.rcode == "NXDOMAIN")
        #expect(answer.flags == ["qr", "rd", "ra"])
        #expect(answer.answers == [Resolve.Record(name: "www.example", ttl: 60, type: "A", data: "192.0.2.1")])
        #expect(answer.authority.map(\.data) == [". . 1 2 3 4 5"])
        #expect(answer.extendedErrors.map(\.code) == [22, 15])
        #expect(answer.extendedErrors.map(\.meaning) == ["No Reachable Authority", "Blocked"])
        #expect(answer.extendedErrors.map(\.text) == ["no", nil])
        #expect(answer.source == "route example → 10.0.0.1")
    }

    @Test("is refused where it cannot be read, wherever it is cut")
    func cut() {
        for count in Self.message.indices {
            let resolution = Resolution(message: Array(Self.message[..<count]), source: "cache", .forwarded(group: 0))
            #expect(throws: WireError.self) { try Resolve.Answer(resolution, asked: "www.example", .a) }
        }
    }
}
