// Texts that are no TOML v1.0.0 document: each is refused at the place of its first mistake.

import Testing

@testable import TOML

@Suite("An invalid document")
struct InvalidDocumentTests {
    @Test(
        "is refused with the place of its first mistake",
        arguments: [
            ("a", "1:2: TOML syntax: key-value pair: encountered end-of-file"),
            ("a =", "1:4: TOML syntax: key-value pair: encountered end-of-file"),
            ("= 1", "1:1: TOML syntax: root table: expected keys, tables, whitespace or comments, saw '='"),
            ("a = 1 b = 2", "1:7: TOML syntax: key-value pair: expected a comment or whitespace, saw 'b'"),
            ("a b = 1", "1:3: TOML syntax: key-value pair: expected '=', saw 'b'"),
            ("a = 1\na = 2", "2:5: TOML syntax: key-value pair: cannot redefine existing integer 'a'"),
            (
                "a = 1\na.b = 2",
                "2:1: TOML syntax: key-value pair: cannot redefine existing integer as dotted key-value pair"
            ),
            ("a.b = 1\n[a]", "2:1: TOML syntax: table header: cannot redefine existing table 'a'"),
            ("[a]\n[a]", "2:1: TOML syntax: table header: cannot redefine existing table 'a'"),
            ("a = {}\n[a.b]", "2:6: TOML syntax: table header: cannot insert 'a.b' into existing inline table"),
            ("a = []\n[[a]]", "2:1: TOML syntax: table header: cannot redefine existing array 'a' as array-of-tables"),
            ("[[a]]\n[a]", "2:1: TOML syntax: table header: cannot redefine existing array 'a' as table"),
            ("[a]\n[[a]]", "2:1: TOML syntax: table header: cannot redefine existing table 'a' as array-of-tables"),
            ("[", "1:2: TOML syntax: table header: encountered end-of-file"),
            ("[a", "1:3: TOML syntax: table header: encountered end-of-file"),
            ("[a]]", "1:4: TOML syntax: table header: expected a comment or whitespace, saw ']'"),
            ("[[a]", "1:5: TOML syntax: table header: encountered end-of-file"),
            ("[]", "1:2: TOML syntax: table header: tables with blank bare keys are explicitly prohibited"),
            ("[ = ]", "1:3: TOML syntax: expected a key"),
            ("[[#]]", "1:3: TOML syntax: expected a key"),
            ("[\na]", "1:2: TOML syntax: expected a key"),
            ("a.", "1:3: TOML syntax: key: encountered end-of-file"),
            ("[a]b = 1", "1:4: TOML syntax: table header: expected a comment or whitespace, saw 'b'"),
            (".a = 1", "1:1: TOML syntax: root table: expected keys, tables, whitespace or comments, saw '.'"),
            ("a..b = 1", "1:3: TOML syntax: key: expected bare key starting character or string delimiter, saw '.'"),
            ("é = 1", "1:1: TOML syntax: root table: expected keys, tables, whitespace or comments, saw 'é'"),
            ("\"\"\"a\"\"\" = 1", "1:1: TOML syntax: key: multi-line strings are prohibited in keys"),
            ("a = \"", "1:6: TOML syntax: string: encountered end-of-file"),
            (
                "a = \"x\ny\"",
                "1:7: TOML syntax: string: unescaped control characters other than TAB (U+0009) are explicitly prohibited"
            ),
            ("a = \"\\", "1:7: TOML syntax: string: encountered end-of-file"),
            ("a = \"\\u00\"", "1:10: TOML syntax: unicode scalar sequence: expected hex digit, saw '\"'"),
            (
                "a = \"\\x41\"",
                "1:7: TOML syntax: string: escape sequence '\\x' is not supported in TOML 1.0.0 and earlier"
            ),
            (
                "a = \"\\uD800\"",
                "1:12: TOML syntax: unicode scalar sequence: unicode surrogates (U+D800 - U+DFFF) are explicitly prohibited"
            ),
            ("a = '''x", "1:9: TOML syntax: literal string: encountered end-of-file"),
            (
                "a = '\u{01}'",
                "1:6: TOML syntax: literal string: control characters other than TAB (U+0009) are explicitly prohibited"
            ),
            (
                "# \u{01}",
                "1:3: TOML syntax: comment: control characters other than TAB (U+0009) are explicitly prohibited in comments"
            ),
            ("a = 01", "1:7: TOML syntax: decimal integer: leading zeroes are prohibited"),
            ("a = \"\"\"\"\"\"\"\"\"", "1:13: TOML syntax: key-value pair: expected a comment or whitespace, saw '\"'"),
            ("a = 1__0", "1:7: TOML syntax: decimal integer: underscores may only follow digits"),
            ("a = _1", "1:5: TOML syntax: value: values may not begin with underscores"),
            (
                "a = 9223372036854775808",
                "1:24: TOML syntax: decimal integer: '9223372036854775808' is not representable in 64 bits"
            ),
            ("a = 0x", "1:7: TOML syntax: hexadecimal integer: encountered end-of-file"),
            ("a = 1.", "1:7: TOML syntax: floating-point: encountered end-of-file"),
            ("a = +", "1:5: TOML syntax: value: encountered end-of-file"),
            ("a = .5", "1:5: TOML syntax: floating-point: expected decimal digit, saw '.'"),
            ("a = tru", "1:8: TOML syntax: boolean: encountered end-of-file"),
            ("a = TRUE", "1:5: TOML syntax: boolean: expected 'true', saw 'T'"),
            ("a = nil", "1:6: TOML syntax: floating-point: expected 'nan', saw 'ni'"),
            ("a = 2020-13-01", "1:12: TOML syntax: date: expected month between 1 and 12 (inclusive), saw 13"),
            ("a = 2020-02-02 1", "1:16: TOML syntax: key-value pair: expected a comment or whitespace, saw '1'"),
            ("a = 07:3x", "1:9: TOML syntax: time: expected 2-digit minute, saw 'x'"),
            ("a = 2020-02-30", "1:15: TOML syntax: date: expected day between 1 and 29 (inclusive), saw 30"),
            ("a = 1-", "1:6: TOML syntax: date: expected 4-digit year, saw '-'"),
            ("a = [2020-02-02 1]", "1:18: TOML syntax: expected a value"),
            ("a = [", "1:6: TOML syntax: array: encountered end-of-file"),
            ("a = [1 2]", "1:8: TOML syntax: array: expected comma or closing ']', saw '2'"),
            ("a = [,]", "1:6: TOML syntax: array: expected value or closing ']', saw comma"),
            ("a = [1\n}", "2:1: TOML syntax: array: expected comma or closing ']', saw '}'"),
            ("a = [ 1,\n }", "2:2: TOML syntax: expected a value"),
            ("a = [\u{2028}]", "1:6: TOML syntax: expected a value"),
            ("a = [=]", "1:6: TOML syntax: value: could not determine value type"),
            ("a = [1]]", "1:8: TOML syntax: key-value pair: expected a comment or whitespace, saw ']'"),
            ("a = {", "1:6: TOML syntax: inline table: encountered end-of-file"),
            ("a = { b", "1:8: TOML syntax: key-value pair: encountered end-of-file"),
            (
                "a = {b = 1,}",
                "1:12: TOML syntax: inline table: expected key-value pair, saw closing '}' (dangling comma)"
            ),
            ("a = {b = 1\n}", "1:11: TOML syntax: inline table: expected key or closing '}', saw '\\n'"),
            ("a = {b = 1, b = 2}", "1:17: TOML syntax: key-value pair: cannot redefine existing integer 'b'"),
            ("a = {,}", "1:6: TOML syntax: inline table: expected key-value pair or closing '}', saw comma"),
            ("}", "1:1: TOML syntax: root table: expected keys, tables, whitespace or comments, saw '}'"),
            ("a = 1\n}{", "2:1: TOML syntax: root table: expected keys, tables, whitespace or comments, saw '}'"),
            ("a = }", "1:5: TOML syntax: key-value pair: expected value, saw '}'"),
            ("\r", "1:2: TOML syntax: root table: expected '\\n' after '\\r', saw EOF"),
            ("a = 1\rb = 2", "1:7: TOML syntax: key-value pair: expected '\\n' after '\\r', saw 'b'"),
            ("a = 1 \u{A0}", "1:7: TOML syntax: key-value pair: expected space or tab, saw '\\u00A0'"),
        ])
    func mistakes(_ text: String, _ expected: String) {
        #expect(outcome(of: text) == expected)
    }

    @Test(
        "is refused where it nests too deep for a reader that recurses",
        arguments: [
            ("a = ", "[", "", "1:37: nested deeper than 32 levels"),
            ("a = ", "{b=", "", "1:101: nested deeper than 32 levels"),
            ("a", ".a", " = 1", "1:65: the key has more than 32 parts"),
            ("[a", " . 'a'", "]", "1:191: the key has more than 32 parts"),
            ("a = {b", ".a", " = 1}", "1:70: the key has more than 32 parts"),
            // Strings and comments that hide the key from a reader that mistakes where they end.
            ("a = { b = \"\"\"x\"\"\"\", c", ".a", " = 1 }", "1:85: the key has more than 32 parts"),
            ("a = '''x'''''\nb", ".a", " = 1", "2:65: the key has more than 32 parts"),
            ("a = \"\\\\\"\nb", ".a", " = 1", "2:65: the key has more than 32 parts"),
            ("# '\nb", ".a", " = 1", "2:65: the key has more than 32 parts"),
        ])
    func depth(_ start: String, _ repeated: String, _ end: String, _ expected: String) {
        #expect(outcome(of: start + String(repeating: repeated, count: 100_000) + end) == expected)
    }

    @Test(
        "is refused for characters that no file of ours may have",
        arguments: [
            ("# é\n[server]\nversion = 'é\0'", "3:13: the file has a NUL octet"),
            ("# ok\na = 'x\u{FFFD}'", "2:7: the file is not UTF-8"),
            ("a = \"1\\u0000\"", "1:5: the character U+0000 is not allowed"),
            ("b = 1\n\"a\\U00000000\" = 1", "2:1: the character U+0000 is not allowed"),
        ])
    func characters(_ text: String, _ expected: String) {
        #expect(outcome(of: text) == expected)
    }

    @Test(
        "is refused for any character where a space or a letter could be",
        arguments: [0x80...0x3FF, 0x1670...0x168F, 0x1800...0x181F, 0x2000...0x20FF, 0x2FF0...0x300F, 0xFEF0...0xFFFF])
    func everyCharacter(_ range: ClosedRange<UInt32>) {
        for scalar in range.lazy.compactMap(Unicode.Scalar.init) where scalar != "\u{FFFD}" {
            for text in ["a = 1\(scalar)", "a\(scalar) = 1"] {
                #expect(throws: TOMLError.self, "U+\(String(scalar.value, radix: 16))") { try TOMLValue(parsing: text) }
            }
        }
    }

    @Test("is refused within its text, whatever octets of a valid one are left out or changed")
    func damaged() {
        let text = Array(
            """
            [a] # "
            "b" = -5_0
            c.d = [1.5e3, 0xF, true, 2020-02-02T10:20:30.5+01:00, 10:20:30]
            [[e.f]]
            g = [{ h = "a", i = [ "10.0.0.1",
            "::1" ] }] # ]
            j = '''x'''
            k = \"\"\"\\u0061\\\n b\"\"\"
            """.utf8)
        var refused = 0
        func read(_ octets: [UInt8]) {
            let text = String(decoding: octets, as: UTF8.self)
            do throws(TOMLError) {
                _ = try TOMLValue(parsing: text)
            } catch {
                refused += 1
                let lines = text.utf8.count { $0 == UInt8(ascii: "\n") } + 1
                #expect((1...lines + 1).contains(error.position.line), "\(error) in \(text)")
                #expect(error.position.column >= 1 && !error.message.isEmpty)
            }
        }
        for end in text.indices {
            read(Array(text[..<end]))
            for octet in Array("\0\n\r\"'[]{}=.,#\\x :-+_0T".utf8) + [0x80, 0xFF] {
                var changed = text
                changed[end] = octet
                read(changed)
            }
            var shorter = text
            shorter.remove(at: end)
            read(shorter)
        }
        #expect(refused > 1000)
    }
}
