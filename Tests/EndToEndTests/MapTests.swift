// The map: its file, and its page in headless Chromium, where that is installed.

import Foundation
import Testing

@Suite("A map", .needsRoot)
struct MapTests {
    static let hasChromium = FileManager.default.isExecutableFile(atPath: "/usr/bin/chromium")

    private static let configuration = """
        [forward]
        upstreams = ["127.0.0.5"]
        [[network]]
        name = "front"
        [[network]]
        name = "vault"
        internal = true
        [[container]]
        name = "late"
        netns = "/run/netns/late"
        networks = ["vault"]
        """

    /// A house with two networks, of whose containers one is not well, and one has a name that looks like markup.
    private func lend(_ body: (House, String) throws -> Void) throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("web", "--network", "front,ip=10.0.0.2", "--link", "safe:box")
            try house.container("db", "--network", "front,ip=10.0.0.3")
            try house.container("safe", "--network", "vault,ip=10.0.1.2")
            try house.ip(in: "db", "link set lo down")
            try house.mustCtl("network", "create", "<script>alert(1)</script>")
            #expect(try eventually { try house.ctl("doctor", "db").status == 1 })
            try body(house, "\(house.directory)/map.html")
        }
    }

    @Test("is written as a whole to a file that all may read, or to standard output; what cannot be is refused")
    func file() throws {
        try lend { house, file in
            try Data("old".utf8).write(to: URL(fileURLWithPath: file))
            try house.mustCtl("map", "--output", file)
            let page = try String(contentsOfFile: file, encoding: .utf8)
            #expect(page.hasPrefix("<!DOCTYPE html>") && page.hasSuffix("</html>\n"))
            #expect(page.contains("intercom on ") && page.contains("safe, 10.0.1.2, ready"))
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
            #expect(mode == 0o644)
            #expect(try house.ctl("map").out.hasSuffix("</html>\n"))

            let refused = try house.ctl("map", "--output", "\(house.directory)/none/map.html")
            #expect(refused.status == 1 && refused.err.contains("none/map.html (No such file or directory)"))
            #expect(try house.ctl("map", "--json").status == 2)
        }
    }

    @Test(
        "opens in Chromium without a request or an error; pointing, choosing and keys show who can resolve whom",
        .enabled(if: hasChromium, "chromium is not installed; 'make test-map' installs it"), arguments: [false, true])
    func browser(isDark: Bool) throws {
        try lend { house, file in
            try house.mustCtl("map", "--output", file)
            let seen = "[...document.querySelectorAll('.seen')].map(h => h.ariaLabel.split(',')[0]).sort().join()"
            let doctor = try JSONDecoder().decode(
                Checkup.self, from: Data(try house.ctl("doctor", "db", "--json").out.utf8))
            let sentence = try String(
                decoding: JSONEncoder().encode(#require(doctor.findings.first).text), as: UTF8.self)
            let title = "document.querySelector('#panel h2')?.textContent ?? 'nobody'"
            let script = House.repository + "/Tests/EndToEndTests/Kit/browser.py"
            let output = try Command.must(
                ["python3", script, file] + (isDark ? ["--dark"] : []) + [
                    "getComputedStyle(document.body).backgroundColor",
                    "document.querySelectorAll('.house').length",
                    "[...document.querySelectorAll('.unwell')].map(h => h.ariaLabel.split(',')[0]).sort().join()",
                    "document.querySelector('.findings').textContent.includes(\(sentence))",
                    // Pointing, and no longer.
                    "point:.house[aria-label^='web,']", title, seen, "point:h1", title,
                    // The keyboard: the first house is db's, web's is at its right.
                    "document.querySelector('main').focus()", "key:ArrowRight", title, "key:ArrowRight", title,
                    "key:Enter",
                    "document.querySelectorAll('.own').length", "point:h1", title, "key:Escape", title,
                    // Hostile text has become no element; all is in view.
                    "[...document.querySelectorAll('.street-name')].some(t => t.textContent.startsWith('<script>'))",
                    "document.documentElement.scrollWidth <= innerWidth",
                ])
            let page = try JSONDecoder().decode(Visit.self, from: Data(output.out.utf8))
            #expect(page.problems.isEmpty)
            #expect(page.requests.count == 1 && page.requests[0].hasPrefix("file:///"))
            #expect(
                page.values == [
                    isDark ? "rgb(21, 24, 28)" : "rgb(246, 244, 239)", "4", "db,late", "true",
                    "web", "db", "nobody", "nil", "db", "web", "1", "web", "nobody", "true", "true",
                ])
        }
    }

    /// Reply of doctor.
    private struct Checkup: Decodable {
        struct Finding: Decodable { var text: String }
        var findings: [Finding]
    }

    /// Report of browser.py.
    private struct Visit: Decodable {
        var problems: [String]
        var requests: [String]
        var values: [String]

        private enum Field: CodingKey { case problems, requests, values }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Field.self)
            problems = try fields.decode([String].self, forKey: .problems)
            requests = try fields.decode([String].self, forKey: .requests)
            var list = try fields.nestedUnkeyedContainer(forKey: .values)
            var values: [String] = []
            while !list.isAtEnd {
                if let text = try? list.decode(String.self) {
                    values.append(text)
                } else if let truth = try? list.decode(Bool.self) {
                    values.append("\(truth)")
                } else if let number = try? list.decode(Int.self) {
                    values.append("\(number)")
                } else {
                    _ = try list.decodeNil()
                    values.append("nil")
                }
            }
            self.values = values
        }
    }
}
