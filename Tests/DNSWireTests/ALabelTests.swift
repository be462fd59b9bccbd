// Names in other scripts, as they travel.

import Testing

@testable import DNSWire

@Suite("A name in another script")
struct ALabelTests {
    @Test(
        "travels as its A-labels (RFC 3492 §7.1 and names that are registered)",
        arguments: [
            ("büro", "xn--bro-hoa"), ("BÜRO.Beispiel", "xn--bro-hoa.Beispiel"), ("faß", "xn--fa-hia"),
            ("münchen.web", "xn--mnchen-3ya.web"), ("bücher", "xn--bcher-kva"), ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"),
            ("почемужеонинеговорятпорусски", "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l"),
            ("한국", "xn--3e0b707e"), ("*.büro", "*.xn--bro-hoa"), ("web", "web"),
            ("a b.web", "a\\032b.web"), ("xn--bro-hoa", "xn--bro-hoa"),
        ])
    func forms(text: String, form: String) throws {
        #expect(try Name(text).withALabels().description == form)
    }

    @Test("keeps octets that are no text")
    func octets() throws {
        let name = try Name(labels: [[0xFF, 0xFE], Array("web".utf8)])
        #expect(try name.withALabels().wire == name.wire)
    }

    @Test(
        "is refused where no program could ask for it",
        arguments: ["🐳", "a\u{301}b", "\u{94D}क", "web\u{200B}x", "½", "a\u{202E}b"])
    func refused(text: String) throws {
        let name = try Name(text)
        #expect(throws: NameError.self) { try name.withALabels() }
    }

    @Test("is refused where its A-label is longer than a label can be")
    func long() throws {
        // Characters that are far from each other take the most.
        let label = (0..<20).compactMap { Unicode.Scalar(0x4E00 + $0 * 977 as UInt32) }.reduce("") { $0 + String($1) }
        let name = try Name(label)
        #expect(throws: NameError.self) { try name.withALabels() }
    }
}
