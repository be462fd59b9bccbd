// intercomctl monitor

import ArgumentParser
import ControlAPI
import DNSWire
import LinuxNet
import Varlink

struct MonitorVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "monitor", abstract: "Print every change of the registry as it happens, one line each.",
        discussion: """
            What is there already is not printed: 'network ls' and 'container ls' show it. With --json each line is an \
            object; the first is {"ready":true}: what changes from then on is printed. Who does not read misses changes, \
            and is told how many. Ends with 0 on Ctrl-C, and with 3 when the daemon ends.
            """)

    @OptionGroup var common: CommonOptions

    func run() throws {
        let client = try ControlClient(socket: common.socket)
        let end = try client.stream(Monitor.self, Nothing()) { reply in
            let line = common.json ? DisplayText.escapedJSON(VarlinkParameters.line(reply)) : reply.text
            if let line { Files.write(line + "\n", to: .standardOutput) }
        }
        if end == .byDaemon { throw Failure(status: 3, message: "the daemon has ended") }
    }
}

extension Monitor.Reply {
    /// Nil where there is nothing to tell.
    fileprivate var text: String? {
        if let missed { return "missed " + DisplayText.counted(missed, "change") }
        return change.map { DisplayText.escaped($0.text) }
    }
}

extension Monitor.Change {
    fileprivate var text: String {
        var words = [kind, action]
        switch kind {
        case "network": words.append(network ?? "")
        case "endpoint": words += [container ?? "", "on", network ?? ""]
        default: words.append(container ?? "")
        }
        let details: [(String, String?)] = [
            ("formerly", formerName), ("interface", interface), ("subnets", list(subnets)), ("netns", netns),
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
