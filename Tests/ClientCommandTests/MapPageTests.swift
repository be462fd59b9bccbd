// The page of a map, read as a browser reads it, by Python's parser of HTML.

import ControlAPI
import Foundation
import Testing

@testable import ClientCommand

@Suite("A map's page")
struct MapPageTests {
    /// Names that would be markup, end a script, or steer a terminal.
    private static let hostile = [
        #"<script>alert(1)</script>"#, #""><img src=x onerror=alert(1)>"#, "</title></style></script><!--",
        "'&amp;\\u003c",
        "]]>\u{202E}\u{9B}", "javascript:alert(1)", "${7*7}{{7*7}}`",
    ]

    /// Reads a page, and prints its elements, their attributes and its data as JSON.
    private static let reader = """
        import base64, hashlib, html.parser, json, sys
        void = {"meta", "input", "br", "link", "img"}
        class Reader(html.parser.HTMLParser):
            stack, elements, attributes, scripts, styles, policy, labels = [], {}, set(), [], [], "", []
            def handle_starttag(self, tag, attributes):
                self.elements[tag] = self.elements.get(tag, 0) + 1
                self.attributes |= {name for name, _ in attributes}
                fields = dict(attributes)
                if fields.get("http-equiv") == "Content-Security-Policy": self.policy = fields["content"]
                if fields.get("role") == "button": self.labels.append(fields["aria-label"])
                if tag == "script": self.scripts.append("")
                if tag == "style": self.styles.append("")
                if tag not in void: self.stack.append(tag)
            def handle_startendtag(self, tag, attributes):
                self.handle_starttag(tag, attributes)
                if tag not in void: self.stack.pop()
            def handle_endtag(self, tag):
                assert self.stack.pop() == tag, tag
            def handle_data(self, data):
                if self.stack and self.stack[-1] == "script": self.scripts[-1] += data
                if self.stack and self.stack[-1] == "style": self.styles[-1] += data
        reader = Reader()
        reader.feed(sys.stdin.read())
        reader.close()
        assert not reader.stack, reader.stack
        hash = lambda text: "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        print(json.dumps({"elements": reader.elements, "attributes": sorted(reader.attributes), "policy": reader.policy,
            "labels": reader.labels, "style": hash(reader.styles[0]), "script": hash(reader.scripts[1]),
            "names": [resident["name"] for resident in json.loads(reader.scripts[0])["residents"]]}))
        """

    private struct Page: Decodable {
        var elements: [String: Int]
        var attributes: [String]
        var policy: String
        var labels: [String]
        var style: String
        var script: String
        var names: [String]
    }

    private func read(_ html: String) throws -> Page {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("map-\(UUID().uuidString).html")
        try Data(html.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let output = Pipe()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.reader]
        process.standardInput = try FileHandle(forReadingFrom: file)
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return try JSONDecoder().decode(Page.self, from: text)
    }

    private func page(_ names: [String]) -> String {
        let town = Town(
            networks: names.map { Network($0, subnets: [$0]) },
            containers: names.map {
                Container($0, on: [$0], address: $0, state: $0, reason: $0, links: [Link(container: $0, name: $0)])
            },
            checkup: Doctor.Reply(
                names.map { .init(cause: $0, container: $0, text: $0, cure: $0) }
                    + names.map { .init(cause: $0, text: $0, cure: $0) }))
        return MapPage(town, machine: names.joined(), time: "at 12:00:00").html
    }

    @Test("Hostile names are text: they add no element and no attribute, and end no script")
    func hostile() throws {
        let plain = Self.hostile.indices.map { "name\($0)" }
        let (wanted, page) = (try read(self.page(plain)), try read(self.page(Self.hostile)))
        #expect(page.elements == wanted.elements)
        #expect(page.attributes == wanted.attributes)
        #expect(
            page.names.sorted() == Self.hostile.map { $0 == "]]>\u{202E}\u{9B}" ? #"]]>\u{202e}\u{9b}"# : $0 }.sorted())
        #expect(page.labels.count == Self.hostile.count)
    }

    @Test("The page allows its own style and script by their hashes, and nothing else")
    func policy() throws {
        let page = try read(page(["web"]))
        #expect(page.style == MapStyle.hash && page.script == MapScript.hash)
        #expect(
            page.policy
                == "default-src 'none'; style-src '\(MapStyle.hash)'; script-src '\(MapScript.hash)'; base-uri 'none'; form-action 'none'"
        )
        // With such a policy an attribute with a style or a handler would do nothing.
        #expect(!page.attributes.contains { $0 == "style" || $0.hasPrefix("on") || $0 == "src" || $0 == "href" })
    }

    @Test("Each house tells name, address, state and finding to a screen reader", arguments: [0, 2, 20, 100, 500])
    func labels(count: Int) throws {
        let page = try read(MapPage(.of(count), machine: "host", time: "at 12:00:00").html)
        #expect(page.names.count == count && page.labels.count == count)
        #expect(page.labels.allSatisfy { $0.hasSuffix(", ready") })
        if count > 0 { #expect(page.labels.contains("c0, 10.0.0.2, ready")) }
    }
}
