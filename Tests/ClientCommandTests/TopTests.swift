// The counts and the picture of top.

import ControlAPI
import Testing

@testable import ClientCommand

extension Monitor.Question {
    fileprivate init(
        _ container: String?, _ name: String = "web", _ rcode: String = "NOERROR",
        by decision: String = "network front",
        microseconds: Int = 10
    ) {
        self.init(
            time: 0, container: container, transport: "udp", name: name, type: "A", rcode: rcode, decidedBy: decision,
            microseconds: microseconds)
    }
}

@Suite("The counts of top")
struct TopCountsTests {
    @Test("A second counts when it is over, and no more when the window is")
    func window() {
        var counts = TopCounts()
        counts.add(.init("web"))
        #expect(counts.all.questions == 0)
        counts.tick()
        #expect(counts.all.questions == 1 && counts.span == 1)
        for _ in 1..<TopCounts.window { counts.tick() }
        #expect(counts.all.questions == 1 && counts.span == TopCounts.window)
        counts.tick()
        #expect(counts.all.questions == 0 && counts.rows(.container, by: .questions).isEmpty)
    }

    @Test("Hits are the cache's, failures every code but NOERROR and NXDOMAIN, servers those that answered")
    func tallies() {
        var counts = TopCounts()
        counts.add(.init("a", "x.test", by: "cache"))
        counts.add(.init("a", "x.test", "NXDOMAIN", by: "upstream 10.0.0.1:53"))
        counts.add(.init("a", "y.test", "SERVFAIL", by: "upstream 10.0.0.1:53"))
        counts.add(.init(nil, "y.test", "REFUSED"))
        counts.tick()
        let rows = counts.rows(.container, by: .questions)
        #expect(rows.map(\.key) == ["a", "-"])
        #expect(rows[0].tally.questions == 3 && rows[0].tally.hits == 1 && rows[0].tally.failures == 1)
        #expect(counts.rows(.name, by: .failures).map(\.key) == ["y.test", "x.test"])
        #expect(counts.rows(.upstream, by: .questions).map { "\($0.key) \($0.tally.questions)" } == ["10.0.0.1:53 2"])
    }

    @Test(
        "A time is shown as it is or larger, by a quarter at most",
        arguments: [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 31, 100, 1000, 12_345, 5_000_000, Int.max / 2])
    func times(microseconds: Int) {
        var tally = TopCounts.Tally()
        tally.add(.init("a", microseconds: microseconds))
        let shown = tally.time(of: 0.99)
        #expect(shown >= microseconds && shown <= max(1, microseconds + microseconds / 4))
    }

    @Test("Half of a hundred answers were within the fiftieth time, and 99 of them within the second longest")
    func parts() {
        var tally = TopCounts.Tally()
        for microseconds in 1...98 { tally.add(.init("a", microseconds: microseconds < 50 ? 1 : 100)) }
        tally.add(.init("a", microseconds: 2000))
        tally.add(.init("a", microseconds: 100_000))
        #expect(tally.time(of: 0.5) < 128 && tally.time(of: 0.4) == 1)
        #expect((2000...2500).contains(tally.time(of: 0.99)) && tally.time(of: 1) >= 100_000)
    }

    @Test("A container that asks for ever new names takes no more than a bounded number of rows")
    func bounded() {
        var counts = TopCounts()
        for number in 0..<(2 * TopCounts.mostRows) { counts.add(.init("a", "n\(number)")) }
        counts.tick()
        let rows = counts.rows(.name, by: .questions)
        #expect(rows.count == TopCounts.mostRows + 1)
        #expect(rows[0].key == TopCounts.others && rows[0].tally.questions == TopCounts.mostRows)
    }
}

@Suite("The screen of top")
struct TopScreenTests {
    private func counts(_ containers: Int, names: Int = 1) -> TopCounts {
        var counts = TopCounts()
        for number in 0..<containers {
            for _ in 0...number { counts.add(.init("c\(number)", "n\(number % names)", by: "upstream 10.0.0.1:53")) }
        }
        counts.tick()
        return counts
    }

    @Test(
        "It fits into any terminal, with its keys in the last line",
        arguments: [(80, 24), (80, 8), (40, 24), (200, 60), (1, 1), (80, 2)])
    func fits(width: Int, height: Int) {
        for containers in [0, 1, 100] {
            let lines = TopScreen(counts(containers, names: 30), by: .questions).lines(width: width, height: height)
            #expect(lines.count <= height && lines.allSatisfy { $0.text.count <= width })
            #expect(
                lines.last?.text == String("q quit; sort by: n questions*, h hits, f failures, p p99".prefix(width)))
        }
    }

    @Test("In 80 by 24 all kinds have rows, and a heading says how many there are")
    func shares() {
        let lines = TopScreen(counts(100, names: 30), by: .questions).lines(width: 80, height: 24).map(\.text)
        #expect(lines.count == 24)
        #expect(lines[0] == "5050 questions/s, 0 failed, half within 11 µs, 99 % within 11 µs; last 1 s")
        #expect(lines[2].hasPrefix("CONTAINER (8 of 100) "))
        #expect(
            lines[3].hasPrefix("c99 ")
                && lines[3].split(separator: " ") == ["c99", "100", "0", "0", "11", "µs", "11", "µs"])
        #expect(lines.contains { $0.hasPrefix("NAME (7 of 30) ") } && lines.contains { $0.hasPrefix("10.0.0.1:53 ") })
    }

    @Test("A name that would steer the terminal is shown as numbers, and a long one is cut")
    func hostile() {
        var counts = TopCounts()
        counts.add(.init("\u{1B}[2J\u{9B}", String(repeating: "a", count: 253)))
        counts.tick()
        let lines = TopScreen(counts, by: .questions).lines(width: 80, height: 24)
        #expect(lines.contains { $0.text.hasPrefix(#"\u{1b}[2J\u{9b} "#) })
        #expect(lines.contains { $0.text.hasPrefix("aaaa") && $0.text.contains("a… ") })
    }

    @Test("A screen is drawn over the one before, without clearing it, and without bold where no colour is wanted")
    func drawing() {
        let lines = [TopScreen.Line(text: "A", isHeading: true), TopScreen.Line(text: "b")]
        #expect(TopScreen.drawing(lines, isColoured: false) == "\u{1B}[HA\u{1B}[K\r\nb\u{1B}[K\u{1B}[J")
        #expect(
            TopScreen.drawing(lines, isColoured: true) == "\u{1B}[H\u{1B}[1mA\u{1B}[0m\u{1B}[K\r\nb\u{1B}[K\u{1B}[J")
    }

    @Test(
        "Keys sort and end it",
        arguments: [("h", TopOrder.hits), ("f", .failures), ("p", .p99), ("pn", .questions), ("x", .questions)])
    func keys(text: String, order: TopOrder) {
        var session = TopSession(by: .questions)
        #expect(session.press(Array(text.utf8)) && session.order == order)
        #expect(!session.press([UInt8(ascii: "q")]) && !session.press([3]) && !session.press([4]))
    }
}
