// intercomctl status

import ArgumentParser
import ControlAPI
import DNSWire

struct StatusVerb: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "Show how the daemon is doing.")

    @OptionGroup var common: CommonOptions

    func run() throws {
        try common.call(Status.self, Nothing()) { status in
            var tables = [status.facts, status.groupTable, status.cacheTable, status.workerTable]
            if status.latency?.isEmpty == false { tables.append(status.latencyTable) }
            if !status.servers.isEmpty { tables.insert(status.serverTable, at: 2) }
            let warnings = status.warnings.map { Table.paragraph($0, after: "! ") }.joined()
            return tables.map(\.text).joined(separator: "\n") + (warnings.isEmpty ? "" : "\nWARNINGS\n\(warnings)")
        }
    }
}

extension Status.Reply {
    fileprivate var facts: Table {
        var facts = Table(["INTERCOM", version], .wrap)
        facts.add(["pid", "\(pid)"])
        facts.add(["up for", Units.duration(seconds: uptime)])
        facts.add(["configuration", configuration ?? "no file: defaults"])
        facts.add(["networks", "\(networks)"])
        facts.add(["containers", "\(containers)"])
        facts.add(["of these", (states ?? []).map { "\($0.containers) \($0.state)" }])
        if let former = formerServers {
            facts.add(["former servers", former.conditions])
            if let error = former.lastError, let seconds = former.seconds {
                facts.add(["last failure", "\(Units.duration(seconds: seconds)) ago: \(error)"])
            }
        }
        if let guests {
            facts.add([
                "at gateways",
                "\(guests.containers) of containers, \(guests.strangers) of strangers, \(guests.elsewhere) from elsewhere, \(guests.paced) past their pace",
            ])
        }
        if leftOut > 0 { facts.add(["left out", "\(leftOut) of the links and addresses; see WARNINGS"]) }
        facts.add(["waiting for", awaited])
        return facts
    }

    /// Upstreams by network and domain.
    fileprivate var groupTable: Table {
        var table = Table(["NETWORK", "DOMAIN", "FROM", "SERVERS"], .wrap)
        for group in groups { table.add([group.network ?? "any", group.domain ?? "any", group.from, group.servers]) }
        return table
    }

    fileprivate var serverTable: Table {
        var table = Table(["SERVER", "FROM", "ROUND TRIP", "FAILURES", "STATE"], .wrap)
        for server in servers {
            table.add([
                server.server, server.container ?? "host", server.roundTrip.map(Units.milliseconds) ?? "",
                "\(server.failures)", server.state,
            ])
        }
        return table
    }

    /// Times from question to answer.
    fileprivate var latencyTable: Table {
        var table = Table(["ANSWERS IN", "HALF", "99 OF 100", "TIMED"])
        for times in latency ?? [] {
            table.add([
                times.source, Units.time(nanoseconds: times.p50), Units.time(nanoseconds: times.p99),
                "\(times.samples)",
            ])
        }
        return table
    }

    fileprivate var cacheTable: Table {
        var table = Table(["CACHE", limit])
        let rows = [
            ("entries", cache.entries), ("hits", cache.hits), ("stale hits", cache.stale), ("misses", cache.misses),
            ("joined a query", cache.coalesced), ("prefetches", cache.prefetches), ("evictions", cache.evictions),
        ]
        for (name, value) in rows { table.add([name, "\(value)"]) }
        return table
    }

    private var limit: String {
        cache.limit == 0 ? "off" : "\(Units.bytes(cache.octets)) of \(Units.bytes(cache.limit))"
    }

    /// A column for each worker, and one for all: for those alone where there are many workers.
    fileprivate var workerTable: Table {
        let shown = workers.count <= 4 ? workers : []
        var table = Table(["WORKERS"] + (workers.count == 1 ? [] : ["ALL"]) + shown.map { "\($0.worker)" })
        let rows: [(String, (Status.Worker) -> Int)] = [
            ("listeners", \.listeners), ("queries", \.queries), ("local", \.local), ("cached", \.cached),
            ("forwarded", \.forwarded), ("negative", \.negative), ("failed", \.failed), ("dropped", \.dropped),
            ("tcp connections", \.tcpConnections), ("waiting", \.inFlight),
        ]
        for (name, value) in rows {
            let values = workers.count == 1 ? shown.map(value) : [workers.map(value).reduce(0, +)] + shown.map(value)
            table.add([name] + values.map { "\($0)" } as [any TableCell])
        }
        return table
    }
}

extension Status.FormerServers {
    /// `of 3 containers: 2 answer, 1 fails`.
    fileprivate var conditions: String {
        let parts = [(answering, "answering"), (untried, "not asked yet"), (failing, "failing")].filter { $0.0 > 0 }
        return "of \(containers) \(containers == 1 ? "container" : "containers"): "
            + parts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }
}

extension Status.Server {
    fileprivate var state: String {
        if looping { return "asks us in turn" }
        if resting { return "backing off" }
        return roundTrip == nil ? "no reply yet" : "answers"
    }
}
