// Documents that TOML v1.0.0 allows, what they say, and where.

import Testing

@testable import TOML

@Suite("A valid document")
struct ValidDocumentTests {
    @Test(
        "says its values",
        arguments: [
            ("", "{}"),
            ("# a = 1\n\n\t \n", "{}"),
            ("\u{FEFF}a = 1\r\nb = 2", "{a: 1, b: 2}"),
            ("b = 1\na = 2", "{b: 1, a: 2}"),
            // Keys.
            ("a-b_C1 = 1\n1234 = 2\n\"a.b\" = 3\n'c d' = 4\n\"\" = 5", "{a-b_C1: 1, 1234: 2, a.b: 3, c d: 4, : 5}"),
            ("a.b.c = 1\na.d = 2\n3.14 = 3", "{a: {b: {c: 1}, d: 2}, 3: {14: 3}}"),
            ("a . \"b\"\t. 'c' = 1", "{a: {b: {c: 1}}}"),
            ("\"\\u00e9\\\"\" = 1\n\"ключ\" = 2", "{é\": 1, ключ: 2}"),
            // Strings.
            ("a = \"\\b\\t\\n\\f\\r\\\"\\\\\"", "{a: \"\u{8}\t\n\u{C}\r\"\\\"}"),
            ("a = \"\\u0041\\U0001F600\"", "{a: \"A😀\"}"),
            ("a = ''\nb = \"\"\nc = 'C:\\dir'", "{a: \"\", b: \"\", c: \"C:\\dir\"}"),
            ("a = \"\"\"\nx\ny\"\"\"", "{a: \"x\ny\"}"),
            ("a = \"\"\"x \\\n\n   y\"\"\"", "{a: \"x y\"}"),
            ("a = '''\nx\n\\y'''", "{a: \"x\n\\y\"}"),
            ("a = \"\"\"\"x\"\"\"\"\"\nb = ''''x'''''", "{a: \"\"x\"\"\", b: \"'x''\"}"),
            ("a = \"\"\"\"\"\"\nb = ''''''", "{a: \"\", b: \"\"}"),
            // Numbers and booleans.
            (
                "a = [0, +1, -1_000, 9223372036854775807, -9223372036854775808]",
                "{a: [0, 1, -1000, 9223372036854775807, -9223372036854775808]}"
            ),
            ("a = [0xDEAD_beef, 0o755, 0b1101]", "{a: [3735928559, 493, 13]}"),
            ("a = [1.0, -3e-2, 6.626e-34, inf, -nan]", "{a: [float, float, float, float, float]}"),
            ("a = [true, false]", "{a: [true, false]}"),
            // Dates and times, which no key of ours takes.
            (
                "a = [1979-05-27T07:32:00Z, 1979-05-27 00:32:00.999-07:00, 1979-05-27, 07:32:00]",
                "{a: [date, date, date, date]}"
            ),
            // Arrays.
            ("a = []\nb = [1, 'x', [true], {c = 1}]", "{a: [], b: [1, \"x\", [true], {c: 1}]}"),
            ("a = [ # one ]\n 1,\n\n 2, # two\n]", "{a: [1, 2]}"),
            // Tables.
            ("[a]\n[ b . c ] # c\nd = 1\n[b]\ne = 2", "{a: {}, b: {c: {d: 1}, e: 2}}"),
            ("[a.b]\n[a]\nc.d = 1", "{a: {b: {}, c: {d: 1}}}"),
            ("a = { b = 1, c.d = 'x' }\ne = {}", "{a: {b: 1, c: {d: \"x\"}}, e: {}}"),
            (
                "[[a]]\nb = 1\n[[a]]\n[a.c]\nd = 2\n[[a.e]]\n[[a.e]]\nf = 3",
                "{a: [{b: 1}, {c: {d: 2}, e: [{}, {f: 3}]}]}"
            ),
        ])
    func values(_ text: String, _ expected: String) {
        #expect(outcome(of: text) == expected)
    }

    @Test(
        "says the line and column of each key and value",
        arguments: [
            ("keys and values", "a = 1\nb=2\n  c\t=\ttrue", ["a 1:1 1:5", "b 2:1 2:3", "c 3:3 3:7"]),
            ("Windows lines", "a = 1\r\n\r\nb = 2\r\n", ["a 1:1 1:5", "b 3:1 3:5"]),
            ("a byte order mark", "\u{FEFF}a = 1", ["a 1:1 1:5"]),
            ("comments", "# a = 1\na = 1 # b = 2\n#", ["a 2:1 2:5"]),
            (
                "quoted keys", "\"a.b\" = 1\n'c d' = 2\n\"\\u0065\\\"\" = 3\n'' = 4",
                ["a.b 1:1 1:9", "c d 2:1 2:9", "e\" 3:1 3:14", " 4:1 4:6"]
            ),
            (
                "wide characters", "\"ключ\" = 'é'\nb = [\"𝄞\", 2]",
                ["ключ 1:1 1:10", "b 2:1 2:5", "b[0] 2:6 2:6", "b[1] 2:11 2:11"]
            ),
            (
                "dotted keys", "a . \"b\" .c = 1\na.d = 2",
                ["a 1:1 1:1", "a.b 1:5 1:5", "a.b.c 1:10 1:14", "a.d 2:3 2:7"]
            ),
            (
                "tables", "[a]\nb = 1\n [ c . d ] # e\ne = 2\n[f]\ng = 3",
                ["a 1:2 1:1", "a.b 2:1 2:5", "c 3:4 3:2", "c.d 3:8 3:2", "c.d.e 4:1 4:5", "f 5:2 5:1", "f.g 6:1 6:5"]
            ),
            ("a table after its own", "[c.d]\n[c]\nf = 3", ["c 1:2 2:1", "c.d 1:4 1:1", "c.f 3:1 3:5"]),
            (
                "arrays of tables", "[[a]]\nb = 1\n[[a]]\n[a.c]\nd = 2\n[[a.e]]\nf = 3\n[[a.e]]\n",
                [
                    "a 1:3 1:1", "a[0] 1:1 1:1", "a[0].b 2:1 2:5", "a[1] 3:1 3:1", "a[1].c 4:4 4:1", "a[1].c.d 5:1 5:5",
                    "a[1].e 6:5 6:1", "a[1].e[0] 6:1 6:1", "a[1].e[0].f 7:1 7:5", "a[1].e[1] 8:1 8:1",
                ]
            ),
            (
                "inline tables", "a = { b = 1, c.d = [ { e = 2 }, {} ] }\nf = {}",
                [
                    "a 1:1 1:5", "a.b 1:7 1:11", "a.c 1:14 1:14", "a.c.d 1:16 1:20", "a.c.d[0] 1:22 1:22",
                    "a.c.d[0].e 1:24 1:28", "a.c.d[1] 1:33 1:33", "f 2:1 2:5",
                ]
            ),
            (
                "arrays of several lines", "a = [ # [\n 1,\n\n 'x',] # ]\nb = [[1], []]",
                [
                    "a 1:1 1:5", "a[0] 2:2 2:2", "a[1] 4:2 4:2", "b 5:1 5:5", "b[0] 5:6 5:6", "b[0][0] 5:7 5:7",
                    "b[1] 5:11 5:11",
                ]
            ),
            (
                "strings with brackets and quotes", "a = \"\\\"]}#\\\\\"\nb = '\\'\nc = ''\nd = \"\"\ne = 1",
                ["a 1:1 1:5", "b 2:1 2:5", "c 3:1 3:5", "d 4:1 4:5", "e 5:1 5:5"]
            ),
            (
                "strings of several lines",
                "a = \"\"\"\nb = 1 \\\"\"\" \"\"\n c\"\"\"\"\"\nd = '''\n'' \\'''''\ne = \"\"\"\"\"\"\nf = 1",
                ["a 1:1 1:5", "d 4:1 4:5", "e 6:1 6:5", "f 7:1 7:5"]
            ),
            (
                "numbers and dates", "a = [-1_0, +1.5e3, inf, 0xF]\nb = 5e-3 # x\nc = 2020-02-02 10:00:00",
                [
                    "a 1:1 1:5", "a[0] 1:6 1:6", "a[1] 1:12 1:12", "a[2] 1:20 1:20", "a[3] 1:25 1:25", "b 2:1 2:5",
                    "c 3:1 3:5",
                ]
            ),
        ])
    func places(_ about: String, _ text: String, _ expected: [String]) throws {
        #expect(try TOMLValue(parsing: text).places() == expected, "\(about)")
    }

    @Test("may nest 32 levels, its keys have 32 parts, and its values be longer than what they become")
    func limits() throws {
        let nested = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
        #expect(outcome(of: "a = \(nested)") == "{a: \(nested)}")
        let key = Array(repeating: "a", count: 32).joined(separator: ".")
        #expect(outcome(of: "\(key) = 1").hasSuffix("{a: 1" + String(repeating: "}", count: 32)))
        let text = String(repeating: "é", count: 100_000)
        #expect(outcome(of: "a = '\(text)'") == "{a: \"\(text)\"}")
        // Two octets of text a value: the tree takes more than it was given room for at first.
        let numbers = Array(repeating: "1", count: 100_000)
        #expect(outcome(of: "a=[\(numbers.joined(separator: ","))]") == "{a: [\(numbers.joined(separator: ", "))]}")
    }
}
