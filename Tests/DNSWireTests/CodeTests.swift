// Types, classes and codes by name and by number.

import Testing

@testable import DNSWire

struct CodeTests {
    @Test(
        "A type is read by its name in any case and by its number",
        arguments: [
            ("A", 1, "A"), ("aaaa", 28, "AAAA"), ("Https", 65, "HTTPS"), ("TYPE65", 65, "HTTPS"), ("type1", 1, "A"),
            ("TYPE65280", 65280, "TYPE65280"), ("any", 255, "ANY"), ("AXFR", 252, "AXFR"), ("TYPE0", 0, "TYPE0"),
        ] as [(String, UInt16, String)])
    func type(text: String, number: UInt16, name: String) {
        #expect(RecordType(text: text)?.rawValue == number)
        #expect(RecordType(rawValue: number).description == name)
    }

    @Test(
        "What is no type is refused",
        arguments: ["", "TYPE", "TYPE65536", "TYPE-1", "TYPE+1", "TYPE 1", "65", "AAAAA", "TYPE1x"])
    func noType(text: String) {
        #expect(RecordType(text: text) == nil)
    }

    @Test("Every type from 0 to 65535 reads back from its description")
    func allTypes() {
        for number in 0...UInt16.max {
            let type = RecordType(rawValue: number)
            if RecordType(text: type.description) != type { Issue.record("\(type)") }
        }
    }

    @Test("Codes are described as dig and IANA write them")
    func descriptions() {
        #expect("\(ResponseCode.nameError) \(ResponseCode.badVersion)" == "NXDOMAIN BADVERS")
        #expect("\(RecordClass.ch) \(RecordClass(rawValue: 7))" == "CH CLASS7")
        #expect("\(ResponseCode(rawValue: 4095))" == "RCODE4095")
        #expect("\(OperationCode.query) \(OperationCode(rawValue: 9))" == "QUERY OPCODE9")
        #expect("\(ExtendedError.noReachableAuthority)" == "No Reachable Authority")
        #expect(ExtendedError.stale.rawValue == 3 && ExtendedError.blocked.rawValue == 15)
        #expect(ExtendedError.noReachableAuthority.rawValue == 22 && ExtendedError.networkError.rawValue == 23)
        #expect("\(OptionCode.cookie) \(OptionCode(rawValue: 65001))" == "COOKIE OPT65001")
    }

    @Test("Each flag has its own bit (RFC 1035 §4.1.1, RFC 4035 §3)")
    func flags() {
        var flags = HeaderFlags()
        flags.isResponse = true
        #expect(flags.rawValue == 0x8000)
        flags.aa = true
        #expect(flags.rawValue == 0x8400)
        flags.tc = true
        #expect(flags.rawValue == 0x8600)
        flags.rd = true
        #expect(flags.rawValue == 0x8700)
        flags.ra = true
        #expect(flags.rawValue == 0x8780)
        flags.ad = true
        #expect(flags.rawValue == 0x87A0)
        flags.cd = true
        #expect(flags.rawValue == 0x87B0)
        flags.opcode = .update
        #expect(flags.rawValue == 0xAFB0)
        flags.responseCode = .refused
        #expect(flags.rawValue == 0xAFB5)
        flags.opcode = .query
        flags.responseCode = .badVersion
        flags.tc = false
        #expect(flags.rawValue == 0x85B0)
    }
}
