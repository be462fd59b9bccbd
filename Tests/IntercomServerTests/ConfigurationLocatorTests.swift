// Where the keys and values of a TOML text are found.

import Testing

@testable import IntercomServer

@Suite("The places of keys and values")
struct ConfigurationLocatorTests {
    /// One line a node: its path, the place of its key and that of its value.
    private func places(_ node: LocatedNode, _ path: String = "") -> [String] {
        let members = node.members.map { (path.isEmpty ? $0.key : "\(path).\($0.key)", $0.value) }
        let elements = node.elements.enumerated().map { ("\(path)[\($0.offset)]", $0.element) }
        return (members + elements).sorted { ($0.1.key, $0.1.value) < ($1.1.key, $1.1.value) }.flatMap { path, node in
            let key = "\(node.key.line):\(node.key.column)"
            let value = "\(node.value.line):\(node.value.column)"
            return ["\(path) \(key) \(value)"] + places(node, path)
        }
    }

    @Test(
        "are found in",
        arguments: [
            ("nothing", "", []),
            ("keys and values", "a = 1\nb=2\n  c\t=\ttrue", ["a 1:1 1:5", "b 2:1 2:3", "c 3:3 3:7"]),
            ("Windows lines", "a = 1\r\n\r\nb = 2\r\n", ["a 1:1 1:5", "b 3:1 3:5"]),
            ("a text with a byte order mark", "\u{FEFF}a = 1", ["a 1:1 1:5"]),
            ("comments", "# a = 1\na = 1 # b = 2\n#", ["a 2:1 2:5"]),
            (
                "quoted keys", "\"a.b\" = 1\n'c d' = 2\n\"\\u0065\\\"\" = 3\n'' = 4",
                [
                    "a.b 1:1 1:9", "c d 2:1 2:9", "e\" 3:1 3:14", " 4:1 4:6",
                ]
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
                "tables", "[a]\nb = 1\n [ c . d ] # e\ne = 2\n[c]\nf = 3",
                [
                    "a 1:2 1:1", "a.b 2:1 2:5", "c 3:4 3:2", "c.d 3:8 3:2", "c.d.e 4:1 4:5", "c.f 6:1 6:5",
                ]
            ),
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
                    "a.c.d[0].e 1:24 1:28",
                    "a.c.d[1] 1:33 1:33", "f 2:1 2:5",
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
                [
                    "a 1:1 1:5", "b 2:1 2:5", "c 3:1 3:5", "d 4:1 4:5", "e 5:1 5:5",
                ]
            ),
            (
                "strings of several lines",
                "a = \"\"\"\nb = 1 \\\"\"\" \"\"\n c\"\"\"\"\"\nd = '''\n'' \\'''''\ne = \"\"\"\"\"\"\nf = 1",
                [
                    "a 1:1 1:5", "d 4:1 4:5", "e 6:1 6:5", "f 7:1 7:5",
                ]
            ),
            (
                "numbers and what else is bare", "a = [-1_0, +1.5e3, inf, 0xF]\nb = 5e-3 # x\nc = 1",
                [
                    "a 1:1 1:5", "a[0] 1:6 1:6", "a[1] 1:12 1:12", "a[2] 1:20 1:20", "a[3] 1:25 1:25", "b 2:1 2:5",
                    "c 3:1 3:5",
                ]
            ),
        ])
    func places(_ about: String, _ text: String, _ expected: [String]) {
        // The text is a document to TOMLKit as well: no mistake of the table's own.
        #expect(throws: Never.self) { try DocumentValue(parsing: text) }
        #expect(places(KeyLocator(text).root) == expected, "\(about)")
    }

    @Test(
        "are searched in any text without an end that never comes",
        arguments: [
            "[", "[[a]", "a", "a =", "a = [", "a = [1 2", "a = { b", "= 1", "a = \"", "a = \"\\", "a = \"\\u00",
            "a = '''", "]", "a.", "\"",
            "a = 1\n}{", "a = \"\"\"\"\"\"\"\"\"", "[a]b = 1",
        ])
    func brokenText(_ text: String) {
        _ = KeyLocator(text)
    }
}
