// Text of attackers as people, logs and programs get to see it.

import Testing

@testable import DNSWire

@Suite("Text from outside")
struct DisplayTextTests {
    /// The text, as a terminal or a log shows it, and within a JSON string.
    static let cases: [(text: String, shown: String, json: String)] = [
        ("web", "web", "web"),
        ("", "", ""),
        ("größe 漢字 é", "größe 漢字 é", "größe 漢字 é"),
        ("a\\010b", "a\\010b", "a\\010b"),
        // C1: CSI clears a screen without an ESC.
        ("a\u{9B}2Jb", "a\\u{9b}2Jb", "a\\u009b2Jb"),
        ("a\u{7F}", "a\\u{7f}", "a\\u007f"),
        // Direction: overrides, isolates, the Arabic letter mark.
        ("\u{202E}gpj.exe", "\\u{202e}gpj.exe", "\\u202egpj.exe"),
        (
            "a\u{2066}b\u{2069}\u{200F}\u{61C}", "a\\u{2066}b\\u{2069}\\u{200f}\\u{61c}",
            "a\\u2066b\\u2069\\u200f\\u061c"
        ),
        // Nothing to see: zero width, byte order mark, soft hyphen, Hangul filler, tags.
        (
            "w\u{200B}eb\u{FEFF}\u{AD}\u{3164}", "w\\u{200b}eb\\u{feff}\\u{ad}\\u{3164}",
            "w\\u200beb\\ufeff\\u00ad\\u3164"
        ),
        ("\u{E0041}", "\\u{e0041}", "\\udb40\\udc41"),
        ("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}", "a\\u2028b\\u2029"),
    ]

    @Test("is shown without anything that steers a terminal or hides what it says")
    func escapes() {
        for (text, shown, json) in Self.cases {
            #expect(DisplayText.escaped(text) == shown)
            #expect(DisplayText.escapedJSON(text) == json)
            #expect(DisplayText.escaped(shown) == shown, "once is enough")
        }
    }

    @Test("of a number has its noun in the singular for one alone")
    func plurals() {
        #expect((0...2).map { DisplayText.counted($0, "network") } == ["0 networks", "1 network", "2 networks"])
        #expect([1, 2].map { DisplayText.counted($0, "entry", "entries") } == ["1 entry", "2 entries"])
    }

    @Test("never has a line end or an ESC in a log line; JSON keeps its layout")
    func controls() {
        for value in (0..<0x20 as Range<UInt32>) {
            let text = Unicode.Scalar(value).map { "a\(Character($0))b" } ?? ""
            #expect(DisplayText.escaped(text) == "a\\u{\(String(value, radix: 16))}b")
        }
        #expect(DisplayText.escaped("a\r\nb") == "a\\u{d}\\u{a}b")
        #expect(DisplayText.escapedJSON("{\n\t\"a\": \"\u{85}\"\n}") == "{\n\t\"a\": \"\\u0085\"\n}")
    }
}
