// intercomctl resolve, status, reload.

import ArgumentParser
import ControlAPI

struct ResolveVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve", abstract: "Show the answer that a container would get, and who gave it.",
        discussion: "Exits with 0 for an answer, 1 for NXDOMAIN or an error response.")

    @Argument(help: "A domain name.")
    var name: String

    @Argument(help: "A record type, as AAAA, SRV or TYPE65.")
    var type = "A"

    @Option(help: ArgumentHelp("The container that asks.", valueName: "container"))
    var from: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        let parameters = Resolve.Parameters(name: name, type: type, container: from)
        let reply = try common.reply(Resolve.self, parameters) { $0.answer.text }
        if reply.answer.rcode != "NOERROR" { throw ExitCode(1) }
    }
}

extension Resolve.Answer {
    fileprivate var text: String {
        var text = ""
        if answers.isEmpty {
            text +=
                rcode == "NOERROR" ? "\(printable(name)) has no \(type) records\n" : "\(printable(name)): \(rcode)\n"
        } else {
            var table = Table(["NAME", "TTL", "TYPE", "DATA"])
            for record in answers { table.add([record.name, "\(record.ttl)", record.type, record.data]) }
            text += table.text
            if rcode != "NOERROR" { text += "\(rcode)\n" }
        }
        for error in extendedErrors {
            text += "error \(error.code) (\(error.meaning))\(error.text.map { ": \(printable($0))" } ?? "")\n"
        }
        return text + "answered by: \(printable(source))\n"
    }
}

struct StatusVerb: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "Show how the daemon is doing.")

    @OptionGroup var common: CommonOptions

    func run() throws {
        try common.call(Status.self, Nothing()) { status in
            var facts = Table(["INTERCOM", status.version])
            facts.add(["pid", "\(status.pid)"])
            facts.add(["up for", "\(status.uptime) s"])
            facts.add(["configuration", status.configuration ?? ""])
            facts.add(["networks", "\(status.networks)"])
            facts.add(["containers", "\(status.containers)"])
            facts.add(["awaited", list(status.awaited)])
            var groups = Table(["NETWORK", "DOMAIN", "FROM", "SERVERS"])
            for group in status.groups {
                groups.add([group.network ?? "any", group.domain ?? "any", group.from, list(group.servers)])
            }
            var servers = Table(["SERVER", "FROM", "ROUND TRIP", "FAILURES", "STATE"])
            for server in status.servers {
                servers.add([
                    server.server, server.container ?? "host", server.roundTrip.map { milliseconds($0) } ?? "",
                    "\(server.failures)", server.state,
                ])
            }
            var workers = Table([
                "WORKER", "LISTENERS", "QUERIES", "LOCAL", "CACHED", "FORWARDED", "NEGATIVE", "FAILED", "DROPPED",
                "TCP",
                "WAITING",
            ])
            for worker in status.workers {
                let counters = [
                    worker.worker, worker.listeners, worker.queries, worker.local, worker.cached, worker.forwarded,
                    worker.negative,
                    worker.failed, worker.dropped, worker.tcpConnections, worker.inFlight,
                ]
                workers.add(counters.map { "\($0)" })
            }
            let cache = status.cache
            var kept = Table([
                "CACHE", "OCTETS", "OF", "HITS", "STALE", "MISSES", "COALESCED", "PREFETCHED", "EVICTED",
            ])
            kept.add(
                [
                    cache.entries, cache.octets, cache.limit, cache.hits, cache.stale, cache.misses, cache.coalesced,
                    cache.prefetches, cache.evictions,
                ].map { "\($0)" })
            var tables = [facts, groups, servers, kept, workers]
            if !status.warnings.isEmpty {
                var warnings = Table(["WARNINGS"])
                for warning in status.warnings { warnings.add([warning]) }
                tables.append(warnings)
            }
            return tables.map(\.text).joined(separator: "\n")
        }
    }
}

extension Status.Server {
    fileprivate var state: String {
        if looping { return "asks us in turn" }
        if resting { return "rests" }
        return roundTrip == nil ? "not heard yet" : "answers"
    }
}

/// A time in microseconds as people read it: `0.4 ms`.
private func milliseconds(_ microseconds: Int) -> String {
    let tenths = (microseconds + 50) / 100
    return "\(tenths / 10).\(tenths % 10) ms"
}

struct ReloadVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Have the daemon read its configuration again.")

    @OptionGroup var common: CommonOptions

    func run() throws {
        try common.call(Reload.self, Nothing()) { reply in
            reply.notInForce.map { "not in force: \(printable($0))\n" }.joined()
        }
    }
}
