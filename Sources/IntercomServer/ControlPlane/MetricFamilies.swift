// All metrics by name, in the manner of CoreDNS, so that dashboards for it are easily adapted.

import Attachment
import ControlAPI
import DNSWire
import Forwarding
import Registry
import Tables

/// Families of metrics, from what workers have counted and what the control plane knows.
struct MetricFamilies {
    typealias Labels = [Metrics.MetricLabel]

    /// In the order in which they are shown. A large family comes in several parts.
    private(set) var all: [Metrics.Family] = []

    /// Samples of one part: there may be one for each container.
    private static let part = 1000

    init(_ measures: [WorkerMeasures], _ plane: ControlPlane) {
        let counters = measures.map(\.counters)
        add("intercom_build", "info", "The version that runs.", [("_info", [.init("version", Release.number)], 1)])
        gauge("intercom_uptime_seconds", "Time since the daemon started.", plane.uptime)
        addQuestions(measures)
        addAnswers(counters)
        addForwarding(measures)
        addCache(counters)
        let log = plane.questions.log
        if log.isOn {
            counter(
                "intercom_query_log_dropped", "Questions missing in the query log, as it was too slow or away.",
                [([], UInt64(log.droppedInAll))])
        }
        addContainers(plane, counters)
        addOtherHosts(plane)
        if plane.configuration.metrics.perContainer { addEachContainer(measures, plane) }
    }

    // MARK: - Questions and answers

    private mutating func addQuestions(_ measures: [WorkerMeasures]) {
        var sums: [Labels: UInt64] = [:]
        for questions in measures.flatMap(\.questions) {
            for (type, count) in questions.counts.rows {
                let labels: Labels = [
                    .init("network", questions.network), .init("proto", questions.isStream ? "tcp" : "udp"),
                    .init("family", questions.isV6 ? "2" : "1"), .init("type", type),
                ]
                sums[labels, default: 0] &+= count
            }
        }
        counter(
            "intercom_dns_requests",
            "Questions of containers by the first network of the container, transport, IP version (1: IPv4, 2: IPv6) and type.",
            sums.sorted { $0.key.order < $1.key.order }.map { ($0.key, $0.value) })
    }

    private mutating func addAnswers(_ counters: [WorkerCounters]) {
        var answers = AnswerCounts()
        var latency = Latency()
        for worker in counters {
            answers.add(worker.answers)
            latency.add(worker.latency)
        }
        counter(
            "intercom_dns_responses",
            "Answers by response code, and who gave them: local, cache, upstream, or none.",
            answers.rows.map { ([.init("rcode", "\($0.code)"), .init("source", $0.source)], $0.count) })
        counter(
            "intercom_policy_denials",
            "Questions that a policy denies, by what was done: denied, or answered all the same (audit).",
            [
                ([.init("action", "denied")], counters.reduce(0) { $0 &+ $1.policies.denials }),
                ([.init("action", "audited")], counters.reduce(0) { $0 &+ $1.policies.audits }),
            ])
        gauge(
            "intercom_policy_addresses", "Addresses that containers may reach now, as answers have told them.",
            counters.reduce(0) { $0 + $1.policies.gates.told })
        counter(
            "intercom_policy_admitted", "Addresses that were let through gates of policies, each time they were.",
            [([], counters.reduce(0) { $0 &+ $1.policies.gates.admitted })])
        counter(
            "intercom_policy_made_room",
            "Times that addresses of a container with a gate have made room for others: it was told more than 4,096.",
            [([], counters.reduce(0) { $0 &+ $1.policies.gates.madeRoom })])
        counter(
            "intercom_policy_dropped_addresses",
            "Records that policies have dropped from answers, as they lead to private addresses.",
            [([], counters.reduce(0) { $0 &+ $1.policies.droppedAddresses })])
        var guests = GuestCounts()
        for worker in counters { guests.add(worker.guests) }
        counter(
            "intercom_gateway_requests",
            "Messages at the host's addresses on networks with a gateway listener, by their source: container, stranger, or elsewhere (not on the network, no answer).",
            [
                ([.init("from", "container")], guests.ofContainers), ([.init("from", "stranger")], guests.ofStrangers),
                ([.init("from", "elsewhere")], guests.offLink),
            ])
        counter(
            "intercom_gateway_paced",
            "Messages there past the pace of their source, which got a header with TC, or nothing.",
            [([], guests.paced)])
        counter(
            "intercom_dns_dropped", "Messages that were no queries, and answers that could not be sent.",
            [([], counters.reduce(0) { $0 &+ $1.dropped })])
        histogram(
            "intercom_dns_request_duration_seconds",
            "Times over UDP from a question to its answer, by who gave it; local and cache: one batch of 16.",
            [
                ([.init("source", "local")], latency.local), ([.init("source", "cache")], latency.cached),
                ([.init("source", "upstream")], latency.forwarded),
            ])
    }

    // MARK: - Upstreams and cache

    private mutating func addForwarding(_ measures: [WorkerMeasures]) {
        var servers: [ServerAddress: ServerTraffic] = [:]
        for traffic in measures.flatMap(\.servers) {
            servers[traffic.server, default: ServerTraffic(server: traffic.server)].add(traffic)
        }
        let inOrder = servers.values.sorted { "\($0.server)" < "\($1.server)" }
        counter(
            "intercom_forward_requests", "Questions that an upstream server was asked.",
            inOrder.map { ([.init("to", "\($0.server)")], $0.asked) })
        histogram(
            "intercom_forward_duration_seconds", "Times from a question to the reply of an upstream server.",
            inOrder.flatMap { traffic in
                traffic.replies.sorted { $0.key.rawValue < $1.key.rawValue }.map { code, times in
                    ([.init("to", "\(traffic.server)"), .init("rcode", "\(code)")], times)
                }
            })
        var isWell: [String: Bool] = [:]
        for report in measures.flatMap(\.counters.upstreams) {
            isWell["\(report.server)", default: true] =
                isWell["\(report.server)", default: true] && !report.isResting && !report.isAvoided
        }
        add(
            "intercom_forward_healthy", "gauge", "0 while an upstream server is backed off from, as it does not reply.",
            isWell.sorted { $0.key < $1.key }.map { ("", [.init("to", $0.key)], $0.value ? 1 : 0) })
        gauge(
            "intercom_forward_waiting", "Questions that wait for an upstream server now.",
            measures.reduce(0) { $0 + $1.counters.inFlight })
    }

    private mutating func addCache(_ counters: [WorkerCounters]) {
        func sum(_ counter: (CacheCounters) -> UInt64) -> [(Labels, UInt64)] {
            [([], counters.reduce(0) { $0 &+ counter($1.cache) })]
        }
        counter("intercom_cache_hits", "Questions that were answered from the cache.", sum(\.hits))
        counter("intercom_cache_misses", "Questions that upstream servers were asked.", sum(\.misses))
        counter("intercom_cache_stale", "Hits with answers past their life (RFC 8767).", sum(\.stale))
        counter("intercom_cache_prefetches", "Answers that were renewed before they expired.", sum(\.prefetches))
        counter("intercom_cache_evictions", "Answers that made room for others.", sum(\.evictions))
        gauge("intercom_cache_entries", "Answers in the cache.", counters.reduce(0) { $0 + Int($1.cache.entries) })
        gauge("intercom_cache_bytes", "Memory that they take.", counters.reduce(0) { $0 + Int($1.cache.octets) })
    }

    // MARK: - Containers

    private mutating func addContainers(_ plane: ControlPlane, _ counters: [WorkerCounters]) {
        let counts = plane.containersByState
        add(
            "intercom_containers", "gauge",
            "Containers by their state; elsewhere: machines without a namespace here, which have no listener.",
            counts.map { ("", [.init("state", $0.state)], Double($0.count)) })
        gauge("intercom_listeners", "Namespaces that are served.", counters.reduce(0) { $0 + $1.listeners })
        add(
            "intercom_sources", "gauge", "Containers that each source tells of.",
            plane.sources.list.map { ("", [.init("source", $0.name)], Double($0.containers)) })
        gauge("intercom_warnings", "Warnings of 'intercomctl status'.", plane.warnings.count)
    }

    /// Metrics of the cluster; none where no network is shared with other hosts.
    private mutating func addOtherHosts(_ plane: ControlPlane) {
        let cluster = plane.cluster
        guard cluster.isInUse else { return }
        let registry = plane.publisher.registry
        let report = cluster.session?.report
        add(
            "intercom_cluster_hosts", "gauge",
            "Other hosts by their state: alive, or lost, as nothing is heard of them.",
            [
                ("", [.init("state", "alive")], Double(registry.remoteHostCount - registry.lostHostCount)),
                ("", [.init("state", "lost")], Double(registry.lostHostCount)),
            ])
        gauge("intercom_cluster_entries", "Containers of other hosts that are held.", registry.remoteCount)
        counter(
            "intercom_cluster_refused", "Entries of other hosts that were refused.",
            [([], UInt64(cluster.refused.count))])
        counter("intercom_cluster_sessions", "Times that a bridge has attached.", [([], UInt64(cluster.lastSession))])
        gauge(
            "intercom_cluster_synced", "1 when other hosts have told everything once, 0 before.",
            registry.isClusterKnown ? 1 : 0)
        gauge(
            "intercom_cluster_connected", "1 while a bridge has attached and is connected to its store, else 0.",
            report?.state == .connected ? 1 : 0)
        if let time = cluster.session?.reportTime {
            gauge(
                "intercom_cluster_report_age_seconds", "Time since the bridge last reported how it is.",
                Int(time.duration(to: .now).components.seconds))
        }
        if let lag = report?.lag {
            let perSecond = 1000.0
            add(
                "intercom_cluster_lag_seconds", "gauge",
                "Time from the last change in the store to its coming into force.",
                [("", [], Double(lag) / perSecond)])
        }
    }

    private mutating func addEachContainer(_ measures: [WorkerMeasures], _ plane: ControlPlane) {
        var samples: [(Labels, UInt64)] = []
        for (view, count) in measures.flatMap(\.containers) {
            let name = plane.publisher.name(of: ContainerID(of: view))
            if !name.isEmpty { samples.append(([Metrics.MetricLabel("container", name)], count)) }
        }
        counter(
            "intercom_container_dns_requests", "Questions of a container, since its listener was made.",
            samples.sorted { $0.0.order < $1.0.order })
    }

    // MARK: - Kinds

    private mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        add(name, "gauge", help, [("", [], Double(value))])
    }

    private mutating func counter(_ name: String, _ help: String, _ values: [(Labels, UInt64)]) {
        add(name, "counter", help, values.map { ("_total", $0.0, Double($0.1)) })
    }

    private mutating func histogram(_ name: String, _ help: String, _ values: [(Labels, DurationHistogram)]) {
        let perSecond = 1e9
        add(
            name, "histogram", help,
            values.flatMap { labels, times -> [(String, Labels, Double)] in
                times.cumulative.map {
                    ("_bucket", labels + [.init("le", "\(Double($0.bound) / perSecond)")], Double($0.count))
                } + [
                    ("_bucket", labels + [.init("le", "+Inf")], Double(times.count)),
                    ("_count", labels, Double(times.count)), ("_sum", labels, Double(times.sum) / perSecond),
                ]
            })
    }

    private mutating func add(
        _ name: String, _ kind: String, _ help: String, _ samples: [(suffix: String, labels: Labels, value: Double)]
    ) {
        for start in stride(from: 0, to: max(1, samples.count), by: Self.part) {
            let some = samples.dropFirst(start).prefix(Self.part)
            all.append(
                Metrics.Family(
                    name: name, kind: kind, help: help,
                    samples: some.map { Metrics.Sample(suffix: $0.suffix, labels: $0.labels, value: $0.value) }))
        }
    }
}

extension [Metrics.MetricLabel] {
    /// Text to sort by.
    fileprivate var order: String { map(\.value).joined(separator: "\n") }
}
