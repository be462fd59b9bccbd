// Names with characters that nobody sees.

import Testing

@testable import Diagnosis

@Suite("A name's odd character")
struct OddCharacterTests {
    @Test(
        "is told by its name, its number and its place, typed as it is or escaped",
        arguments: [
            ("web\r", "ends with a carriage return (\\013)", "web"),
            ("web\\013", "ends with a carriage return (\\013)", "web"),
            ("web \r\n", "ends with a space (\\032) and 2 more", "web"),
            (" web", "begins with a space (\\032)", "web"), ("we\tb.x", "has a tab (\\009) behind 'we'", "web.x"),
            ("web\u{1}", "ends with a control character (\\001)", "web"),
            ("web\u{A0}", "ends with a no-break space (U+00A0)", "web"),
            ("\u{FEFF}web", "begins with a byte order mark (U+FEFF)", "web"),
            ("web\\226\\128\\139", "ends with a zero-width space (U+200B)", "web"),
            ("we\u{202E}b", "has a character that is not seen (U+202E) behind 'we'", "web"),
            ("w\u{435}b", "has a character outside ASCII, '\u{435}' (U+0435) behind 'w'", nil),
            ("web\\255", "ends with octets that are no UTF-8 (U+FFFD)", nil),
            ("\r", "begins with a carriage return (\\013)", nil),
        ] as [(String, String, String?)])
    func told(name: String, text: String, cleaned: String?) {
        let odd = OddCharacter(in: name)
        #expect(odd?.text == text)
        #expect(odd?.cleaned == cleaned)
    }

    @Test(
        "is none in names of printable ASCII, with escapes and without",
        arguments: [
            "web", "_http._tcp.web", "*.example.", "a\\.b", "web\\", "web\\9", "", "WEB-1",
        ])
    func none(name: String) {
        #expect(OddCharacter(in: name) == nil)
    }
}
