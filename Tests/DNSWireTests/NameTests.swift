// Names as text and on the wire.

import Testing

@testable import DNSWire

struct NameTests {
    @Test(
        "A name's text and its octets are each other's (RFC 1035 §5.1)",
        arguments: [
            ("web", "03776562 00", "web"), ("web.", "03776562 00", "web"), (".", "00", "."),
            ("Web.Frontend", "03576562 0846726f6e74656e64 00", "Web.Frontend"),
            ("a\\.b.c", "03612e62 0163 00", "a\\.b.c"), ("\\097", "0161 00", "a"), ("\\000", "0100 00", "\\000"),
            ("a\\\\b", "03615c62 00", "a\\\\b"), ("\\255\\032", "02ff20 00", "\\255\\032"),
            ("a\\ b", "03612062 00", "a\\032b"),
            ("_http._tcp", "055f68747470 045f746370 00", "_http._tcp"), ("*.app", "012a 03617070 00", "*.app"),
            ("b\u{FC}", "0362c3bc 00", "b\\195\\188"),
            ("\\@\\(\\)\\;\\\"\\$", "064028293b2224 00", "\\@\\(\\)\\;\\\"\\$"),
            ("a\\.", "02612e 00", "a\\."), ("a\\..", "02612e 00", "a\\."),
        ])
    func presentation(text: String, wire: String, description: String) throws {
        let name = try Name(text)
        #expect(name.wire == hex(wire))
        #expect(name.description == description)
        #expect(try Name(description) == name)
        #expect(try Name(wire: name.wire).wire == name.wire)
        #expect(try Name(labels: name.labels).wire == name.wire)
        #expect(name.labels.count == name.labelCount)
    }

    @Test(
        "What is no name says why",
        arguments: [
            ("", .empty), ("..", .emptyLabel), (".a", .emptyLabel), ("a..b", .emptyLabel), ("a..", .emptyLabel),
            ("a\\", .badEscape("a\\")), ("\\25", .badEscape("\\25")), ("\\256", .badEscape("\\256")),
            ("\\1a2", .badEscape("\\1a2")),
            (String(repeating: "x", count: 64), .labelTooLong(String(repeating: "x", count: 64))),
        ] as [(String, NameError)])
    func noName(text: String, error: NameError) {
        #expect(throws: error) { try Name(text) }
    }

    @Test("A label has at most 63 octets and a name at most 255 (RFC 1035 §2.3.4)")
    func limits() throws {
        let label = String(repeating: "x", count: 63)
        #expect(try Name(label).wire.count == 65)
        let longest = "\(label).\(label).\(label).\(String(repeating: "y", count: 61))"
        #expect(try Name(longest).wire.count == 255)
        #expect(throws: NameError.nameTooLong(octets: 256)) { try Name(longest + "y") }
        #expect(throws: NameError.nameTooLong(octets: 257)) { try Name("a").appending(Name(longest)) }
        #expect(try Name(String(repeating: "a.", count: 127)).labelCount == 127)
        #expect(throws: NameError.nameTooLong(octets: 257)) { try Name(String(repeating: "a.", count: 128)) }
        // 63 escaped octets are one label all the same.
        #expect(try Name(String(repeating: "\\007", count: 63)).labelCount == 1)
    }

    @Test(
        "Octets that are no uncompressed name are refused",
        arguments: ["", "03776562", "0377656200 00", "0000", "c00c", "40 00", "04776562 00", "01"])
    func noWire(wire: String) {
        #expect(throws: NameError.malformedWire) { try Name(wire: hex(wire)) }
    }

    @Test("Names are equal without regard to the case of ASCII letters alone (RFC 4343 §3)")
    func equality() throws {
        #expect(try Name("WEB.frontend") == Name("web.FRONTEND."))
        #expect(try Name("WEB").hashValue == Name("web").hashValue)
        #expect(try Name("web") != Name("wef"))
        #expect(try Name("a.b") != Name("a\\.b"))
        // '[' and '{', '@' and '`' differ in the same bit as letters do; so do Ä and ä in Latin-1.
        #expect(try Name("[") != Name("{"))
        #expect(try Name("\\@") != Name("`"))
        #expect(try Name("\\196") != Name("\\228"))
        #expect(try Name("WEB.[Z]").folded == Name("web.[z]").wire)
    }

    @Test("The canonical order is by the last label first (RFC 4034 §6.1)")
    func order() throws {
        let sorted = try [
            "example", "a.example", "yljkjljk.a.example", "Z.a.example", "zABC.a.EXAMPLE", "z.example",
            "\\001.z.example", "*.z.example", "\\200.z.example",
        ].map { try Name($0) }
        #expect(sorted.shuffled().sorted().map(\.description) == sorted.map(\.description))
    }

    @Test("A subdomain ends at a label's border")
    func subdomain() throws {
        #expect(try Name("web.Internal").isSubdomain(of: Name("internal")))
        #expect(try Name("internal").isSubdomain(of: Name("internal")))
        #expect(try !Name("xinternal").isSubdomain(of: Name("internal")))
        #expect(try !Name("internal").isSubdomain(of: Name("web.internal")))
        #expect(try Name("web").isSubdomain(of: .root))
        #expect(Name.root.isSubdomain(of: .root))
        // A label that holds what looks like a name.
        #expect(try !Name("a\\001b").isSubdomain(of: Name("b")))
        #expect(try Name("aaaaaaaaaa.B.C").hashValue == Name("AAAAAAAAAA.b.c").hashValue, "as names that are equal")
        #expect(try Name("web").appending(Name("frontend.internal")) == Name("web.frontend.internal"))
    }

    @Test("The folded name knows its labels")
    func folded() throws {
        let message = hex("0000 0000 0000 0000 0000 0000 03576542 0846726F4E54656E64 00 ff")
        let name = try Folded(message, at: 12)
        #expect(name.end == 26)
        #expect(name.offsets == [0, 4, 13])
        #expect(name.wire == (try Name("web.frontend").wire))
        #expect(Folded(try Name("WEB.Frontend")).offsets == [0, 4, 13])
        #expect(Folded(try Name("WEB.Frontend")).wire == name.wire)
        #expect(Folded(.root).wire == [0])
        #expect(Folded(.root).offsets == [0])
    }

    @Test(
        "A folded name's end is compared from a label on",
        arguments: [
            ("web.frontend", 0, true), ("frontend", 1, true), (".", 2, true), ("frontene", 1, false), ("web", 0, false),
            ("web.frontend", 1, false), ("frontend", 0, false), (".", 1, false), ("x.web.frontend", 0, false),
        ])
    func suffix(text: String, label: Int, equal: Bool) throws {
        var name = FoldedName()
        name.set(try Name("web.Frontend"))
        let other = try Name(text).folded
        let result = name.suffixEquals(other.span, fromLabel: label)
        #expect(result == equal)
    }

    @Test("A name is read and folded alike, however little stands behind it", arguments: 0...10)
    func foldsInPlace(behind: Int) throws {
        // Labels of every length, every octet there is, and two names of the greatest length.
        var names = (1...63).map { length in [(0..<length).map { UInt8(truncatingIfNeeded: length * 41 + $0 * 7) }] }
        names += (0..<8).map { part in [(0..<32).map { UInt8(part * 32 + $0) }] }
        names += [Array(repeating: [0x41], count: 127)]
        names += [[63, 63, 63, 61].map { Array(repeating: 0x5A, count: $0) }]
        for labels in names {
            let wire = try Name(labels: labels).wire
            let message = [UInt8](repeating: 0x5A, count: 12) + wire + [UInt8](repeating: 0x5A, count: behind)
            var name = FoldedName()
            #expect(try name.read(message.span, at: 12) == 12 + wire.count)
            // A length octet is below every letter.
            #expect((0..<name.length).map { name[$0] } == wire.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 })
            #expect(name.labelCount == labels.count)
            #expect(name.labelOffset(name.labelCount) == wire.count - 1)
        }
    }
}
