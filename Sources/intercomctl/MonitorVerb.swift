// intercomctl monitor

import ArgumentParser
import ControlAPI
import DNSWire
import LinuxNet
import Varlink

struct MonitorVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "monitor", abstract: "Print every change of the registry, or every question, as it happens.",
        discussion: """
            One line each. What is there already is not printed: 'network ls' and 'container ls' show it. With --json \
            each line is an object; the first is {"ready":true}: what happens from then on is printed. What is not read \
            in time is missed, and its number is printed. Ends with 0 on Ctrl-C, and with 3 when the daemon ends.

            A question is printed when it is answered: the time of day, the container, udp or tcp, name, type, response \
            code, microseconds, and what decided the answer, as 'resolve' has it.
            """)

    @Flag(help: "Print questions of containers, in the place of changes.")
    var queries = false

    @Option(
        help: ArgumentHelp("With --queries: the container that asks; all if absent.", valueName: "container"),
        completion: .containers)
    var from: String?

    @Flag(help: "With --queries: those alone that a policy has denied.")
    var denied = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if denied, !queries { throw ValidationError("--denied needs --queries: changes are not denied") }
        if from != nil, !queries {
            throw ValidationError("--from needs --queries: changes are those of all containers")
        }
    }

    func run() throws {
        let client = try ControlClient(socket: common.socket)
        let parameters = Monitor.Parameters(queries: queries ? true : nil, container: from, denied: denied ? true : nil)
        let end = try client.stream(Monitor.self, parameters) { reply in
            let line = common.json ? DisplayText.escapedJSON(VarlinkParameters.line(reply)) : text(of: reply)
            if let line { Files.write(line + "\n", to: .standardOutput) }
        }
        if end == .byDaemon { throw Failure(status: 3, message: "the daemon has ended") }
    }
}

extension MonitorVerb {
    /// The line of a reply; nil where there is nothing to tell.
    private func text(of reply: Monitor.Reply) -> String? {
        if let missed = reply.missed { return "missed " + DisplayText.counted(missed, queries ? "question" : "change") }
        return (reply.question?.text ?? reply.change?.text).map { DisplayText.escaped($0) }
    }
}

extension Monitor.Question {
    fileprivate var text: String {
        [
            WallClock.timeOfDay(time), container ?? "-", transport, name ?? "-", type ?? "-", rcode,
            "\(microseconds) µs, \(decidedBy)",
        ].joined(separator: " ")
    }
}

extension Monitor.Change {
    fileprivate var text: String {
        var words = [kind, action]
        switch kind {
        case "network": words.append(network ?? "")
        case "endpoint": words += [container ?? "", "on", network ?? ""]
        case "host": words.append(host ?? "")
        default: words.append(container ?? "")
        }
        let details: [(String, String?)] = [
            ("formerly", formerName), ("host", kind == "host" ? nil : host), ("interface", interface),
            ("subnets", list(subnets)), ("netns", netns),
            ("addresses", list(addresses)), ("aliases", list(aliases)),
        ]
        for (word, value) in details { if let value { words += [word, value] } }
        if self.internal == true { words.append("internal") }
        if draining == true { words.append("draining") }
        if let state { words += ["state", reason.map { "\(state): \($0)" } ?? state] }
        return words.joined(separator: " ")
    }

    private func list(_ items: [String]?) -> String? {
        items.flatMap { $0.isEmpty ? nil : $0.joined(separator: ",") }
    }
}
