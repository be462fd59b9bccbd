// intercomctl top

import ArgumentParser
import ControlAPI
import LinuxNet

struct TopVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Show which containers ask most, for which names, and how fast they are answered.",
        discussion: """
            A table of the last ten seconds, drawn anew each second. Keys: q ends it; n, h, f and p sort by questions, hits \
            of the cache, failures (SERVFAIL, REFUSED and the like) and p99, the time within which 99 of 100 answers were given. Times are \
            rounded up, by a quarter at most. It counts what 'monitor --queries' prints: beyond 10,000 questions a second \
            of a worker it sees a part, and shows how many it missed.
            """)

    @Flag(help: "Print one table and end; so it is where the output is no terminal, too.")
    var once = false

    @Option(
        help: ArgumentHelp("questions, hits, failures or p99: the column to sort by.", valueName: "column"))
    var sort = TopOrder.questions

    @Option(
        help: ArgumentHelp(
            "The time that a table printed once is about, 1 to \(TopCounts.window) seconds.", valueName: "count"))
    var seconds = 2

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard 1...TopCounts.window ~= seconds else {
            throw ValidationError("--seconds \(seconds) is out of range; expected 1 to \(TopCounts.window)")
        }
    }

    func run() throws {
        let client = try ControlClient(socket: common.socket)
        let isLive = !once && !common.json && Terminal.isUsable
        let end = isLive ? try watch(client) : try printOnce(client)
        if end == .byDaemon { throw Failure(status: 3, message: "the daemon has ended") }
    }

    private static let parameters = Monitor.Parameters(queries: true)

    /// Draws until the user or the daemon ends it; the terminal is as before then.
    private func watch(_ client: ControlClient) throws(Failure) -> StreamEnd {
        let terminal: Terminal
        do throws(LinuxError) {
            terminal = try Terminal()
        } catch {
            throw Failure(
                status: 1, message: "the terminal cannot be used (\(error.errno)); print one table with --once")
        }
        var session = TopSession(by: sort)
        let isColoured = (Environment.value(of: "NO_COLOR") ?? "").isEmpty
        return try client.stream(Monitor.self, Self.parameters, keysOf: terminal) {
            session.take($0)
        } between: {
            guard let keys = terminal.keys(), session.press(keys) else { return nil }
            if session.isDue() {
                let size = terminal.size
                let lines = TopScreen(session.counts, by: session.order).lines(width: size.columns, height: size.lines)
                Files.write(TopScreen.drawing(lines, isColoured: isColoured), to: .standardOutput)
            }
            return session.wait
        }
    }

    private func printOnce(_ client: ControlClient) throws(Failure) -> StreamEnd {
        var session = TopSession(by: sort)
        let end = try client.stream(Monitor.self, Self.parameters) {
            session.take($0)
        } between: {
            _ = session.isDue()
            return session.counts.elapsed < seconds ? session.wait : nil
        }
        guard session.counts.elapsed >= seconds else { return end }
        if common.json {
            Files.write(CommonOptions.document(TopReport(session.counts, by: sort)), to: .standardOutput)
        } else {
            let width = max(Table.leastWidth, Files.terminalWidth(.standardOutput) ?? 0)
            Files.write(TopScreen(session.counts, by: sort).table(width: width), to: .standardOutput)
        }
        return end
    }
}

extension TopOrder: ExpressibleByArgument {}

/// Counts, order and clock of one run.
struct TopSession {
    private(set) var counts = TopCounts()
    private(set) var order: TopOrder
    private var next = ContinuousClock.now
    private var isChanged = true

    init(by order: TopOrder) {
        self.order = order
        next = ContinuousClock.now + .seconds(1)
    }

    mutating func take(_ reply: Monitor.Reply) {
        if let question = reply.question { counts.add(question) }
        if let missed = reply.missed { counts.addMissed(missed) }
    }

    /// - Returns: false where a key ends it: `q`, Ctrl-C, Ctrl-D.
    mutating func press(_ keys: [UInt8]) -> Bool {
        let (interrupt, endOfInput): (UInt8, UInt8) = (3, 4)
        for key in keys {
            if [interrupt, endOfInput, UInt8(ascii: "q")].contains(key) { return false }
            if let chosen = TopOrder.allCases.first(where: { $0.key == Character(Unicode.Scalar(key)) }) {
                order = chosen
                isChanged = true
            }
        }
        return true
    }

    /// Counts the seconds that are over.
    /// - Returns: true where there is something new to draw.
    mutating func isDue() -> Bool {
        let now = ContinuousClock.now
        defer { isChanged = false }
        var isDue = isChanged
        // After a pause longer than the window nothing of it is left.
        if now - next > .seconds(TopCounts.window) { next = now - .seconds(TopCounts.window) }
        while next <= now {
            counts.tick()
            next += .seconds(1)
            isDue = true
        }
        return isDue
    }

    /// Milliseconds until the next second is over, at least 1.
    var wait: Int {
        let (seconds, attoseconds) = (next - ContinuousClock.now).components
        return max(1, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000) + 1)
    }
}

/// Counts as JSON.
struct TopReport: Encodable {
    struct Row: Encodable {
        var name: String
        var questions: Int
        var hits: Int
        var failures: Int
        /// Microseconds.
        var p50: Int
        var p99: Int
    }

    /// Seconds that the counts are about.
    var seconds: Int
    var missed: Int
    var containers: [Row]
    var names: [Row]
    var upstreams: [Row]

    init(_ counts: TopCounts, by order: TopOrder) {
        func rows(_ kind: TopCounts.Kind) -> [Row] {
            counts.rows(kind, by: order).map {
                Row(
                    name: $0.key, questions: $0.tally.questions, hits: $0.tally.hits, failures: $0.tally.failures,
                    p50: $0.tally.time(of: 0.5), p99: $0.tally.time(of: 0.99))
            }
        }
        seconds = counts.span
        missed = counts.missed
        containers = rows(.container)
        names = rows(.name)
        upstreams = rows(.upstream)
    }
}
