// Metrics: what is counted, the two formats, one HTTP request a process; with a real promtool and Prometheus where they are.

import Foundation
import Testing

@Suite("Metrics", .needsRoot)
struct MetricsTests {
    private static let configuration = """
        [metrics]
        per-container = true
        [forward]
        upstreams = ["127.0.0.5"]
        [[network]]
        name = "front"
        [[network]]
        name = "back"
        """

    /// Samples by their name with labels, of the text of metrics.
    private func samples(_ text: String) -> [String: Double] {
        var samples: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let blank = line.lastIndex(of: " ") else { continue }
            samples[String(line[..<blank])] = Double(line[line.index(after: blank)...])
        }
        return samples
    }

    /// A house in which questions of each kind were asked.
    private func lend(_ body: (House) throws -> Void) throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("web", "--network", "front,ip=10.0.0.2")
            try house.container("db", "--network", "back,ip=10.0.1.2")
            for _ in 0..<3 { _ = try house.dig("web", "web") }
            _ = try house.dig("web", "web", "AAAA")
            _ = try house.dig("web", "+tcp", "web", "MX")
            _ = try house.dig("web", "nobody")
            _ = try house.dig("db", "-x", "10.0.1.2")
            for _ in 0..<2 { _ = try house.dig("db", "www.example", "TXT") }
            try body(house)
        }
    }

    @Test("count questions by network, transport and type, and answers by code and who gave them")
    func counts() throws {
        try lend { house in
            let text = try house.ctl("metrics").out
            let samples = samples(text)
            let expected: [(String, Double)] = [
                (#"intercom_dns_requests_total{network="front",proto="udp",family="1",type="A"}"#, 4),
                (#"intercom_dns_requests_total{network="front",proto="udp",family="1",type="AAAA"}"#, 1),
                (#"intercom_dns_requests_total{network="front",proto="tcp",family="1",type="MX"}"#, 1),
                (#"intercom_dns_requests_total{network="back",proto="udp",family="1",type="PTR"}"#, 1),
                (#"intercom_dns_requests_total{network="back",proto="udp",family="1",type="TXT"}"#, 2),
                (#"intercom_dns_responses_total{rcode="NOERROR",source="local"}"#, 6),
                (#"intercom_dns_responses_total{rcode="NXDOMAIN",source="local"}"#, 1),
                (#"intercom_dns_responses_total{rcode="NOERROR",source="upstream"}"#, 1),
                (#"intercom_dns_responses_total{rcode="NOERROR",source="cache"}"#, 1),
                (#"intercom_forward_requests_total{to="127.0.0.5:53"}"#, 1),
                (#"intercom_forward_duration_seconds_count{to="127.0.0.5:53",rcode="NOERROR"}"#, 1),
                (#"intercom_forward_healthy{to="127.0.0.5:53"}"#, 1),
                (#"intercom_dns_request_duration_seconds_count{source="upstream"}"#, 1),
                ("intercom_cache_hits_total", 1), ("intercom_cache_misses_total", 1), ("intercom_cache_entries", 1),
                ("intercom_cache_stale_total", 0), ("intercom_cache_evictions_total", 0),
                ("intercom_cache_prefetches_total", 0),
                (#"intercom_containers{state="ready"}"#, 2), (#"intercom_containers{state="unheard"}"#, 0),
                ("intercom_listeners", 2), (#"intercom_build_info{version="0.2.0"}"#, 1),
                (#"intercom_container_dns_requests_total{container="web"}"#, 6),
                (#"intercom_container_dns_requests_total{container="db"}"#, 3),
            ]
            for (name, value) in expected {
                #expect(samples[name] == value, "\(name): \(samples[name] ?? -1)\n\(text)")
            }
            #expect(text.hasSuffix("\n# EOF\n"))
        }
    }

    @Test("go on counting for a network when its containers end, and for the new one when a container moves")
    func departed() throws {
        try lend { house in
            func asked(_ network: String, _ type: String) throws -> Double? {
                let name =
                    "intercom_dns_requests_total{network=\"\(network)\",proto=\"udp\",family=\"1\",type=\"\(type)\"}"
                return samples(try house.ctl("metrics").out)[name]
            }
            try house.mustCtl("network", "connect", "back", "web")
            try house.mustCtl("network", "disconnect", "front", "web")
            _ = try house.dig("web", "web")
            #expect(try asked("front", "A") == 4)
            #expect(try asked("back", "A") == 1)
            try house.mustCtl("container", "rm", "web", "db")
            #expect(try asked("front", "A") == 4)
            #expect(try asked("back", "A") == 1)
            #expect(try asked("back", "TXT") == 2)
        }
    }

    @Test("leave out containers unless the configuration wants them")
    func perContainer() throws {
        try House.lend(configuration: "[[network]]\nname = \"n\"\n") { house in
            try house.container("web", "--network", "n,ip=10.0.0.2")
            _ = try house.dig("web", "web")
            #expect(try !house.ctl("metrics").out.contains("container="))
            try "[[network]]\nname = \"n\"\n[metrics]\nper-container = true\n"
                .write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            #expect(try house.ctl("metrics").out.contains(#"{container="web"} 1"#))
        }
    }

    @Test("time answers: status has the half and the 99th of 100")
    func latency() throws {
        try lend { house in
            let status = try house.ctl("status").out
            #expect(
                status.contains("ANSWERS IN") && status.contains("local  ") && status.contains("upstream  "),
                "\(status)")
            let json = try house.ctl("status", "--json").out
            #expect(json.contains("\"p99\"") && json.contains("\"source\" : \"upstream\""), "\(json)")
        }
    }

    @Test(
        "are served by one process a request, and to nothing but GET and HEAD of /metrics",
        arguments: [
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK", "text/plain; version=0.0.4"),
            (
                "GET /metrics?x=1 HTTP/1.0\r\naccept: text/html,application/openmetrics-text;version=1.0.0\r\n\r\n",
                "200 OK", "application/openmetrics-text; version=1.0.0"
            ),
            ("HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK", "Content-Length: "),
            ("GET / HTTP/1.1\r\n\r\n", "404 Not Found", "GET /metrics"),
            ("GET /metricsx HTTP/1.1\r\n\r\n", "404 Not Found", "GET /metrics"),
            ("POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed", "GET /metrics"),
            ("nonsense\r\n\r\n", "400 Bad Request", "GET /metrics"), ("", "400 Bad Request", "GET /metrics"),
            ("GET /metrics HTTP/1.1\r\nX: \(String(repeating: "x", count: 9000))", "431 Request", "text/plain"),
        ])
    func http(request: String, status: String, part: String) throws {
        try House.lend { house in
            let command = ["\(House.binaries)/intercomctl", "--socket", house.socket, "metrics", "--http"]
            let output = try Command.run(command, input: request)
            #expect(output.status == 0 && output.out.hasPrefix("HTTP/1.1 \(status)"), "\(output)")
            #expect(output.out.contains(part), "\(output)")
            let body = output.out.components(separatedBy: "\r\n\r\n").dropFirst().joined(separator: "\r\n\r\n")
            if request.hasPrefix("HEAD") {
                #expect(body.isEmpty)
            } else {
                #expect(output.out.contains("Content-Length: \(body.utf8.count)\r\n"))
            }
        }
    }

    @Test("say 503 while there is no daemon")
    func noDaemon() throws {
        let command = ["\(House.binaries)/intercomctl", "--socket", "/nonexistent", "metrics", "--http"]
        let output = try Command.run(command, input: "GET /metrics HTTP/1.1\r\n\r\n")
        #expect(output.out.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"), "\(output)")
        #expect(output.out.contains("start intercomd"), "\(output)")
    }

    @Test("satisfy promtool, and so do the alerts that are shipped", .needsProgram("promtool"))
    func promtool() throws {
        try lend { house in
            let text = try house.ctl("metrics", "--format", "prometheus").out
            let check = try Command.run(["promtool", "check", "metrics"], input: text)
            #expect(check.description == "exit 0\n", "\(check)")
        }
        let rules = "\(House.repository)/config/prometheus/intercom.rules.yml"
        let check = try Command.run(["promtool", "check", "rules", rules])
        #expect(check.status == 0 && check.out.contains("SUCCESS: 12 rules found"), "\(check)")
    }

    @Test("that alerts and dashboard name are metrics that there are")
    func names() throws {
        try lend { house in
            let cluster = "\n[cluster]\nnetworks = [\"front\"]\nsocket = \"\(house.directory)/cluster.sock\"\n"
            try (Self.configuration + cluster).write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            let known = Set(
                samples(try house.ctl("metrics").out).keys.map { String($0.prefix { $0 != "{" }) })
            for file in ["prometheus/intercom.rules.yml", "grafana/intercom.json"] {
                let text = try String(contentsOfFile: "\(House.repository)/config/\(file)", encoding: .utf8)
                let named = Set(text.matches(of: /intercom_[a-z_]+/).map { String($0.0) })
                #expect(named.subtracting(known).isEmpty && !named.isEmpty, "\(file): \(named.subtracting(known))")
                if file.hasSuffix("json") {
                    #expect(try JSONSerialization.jsonObject(with: Data(text.utf8)) is [String: Any])
                }
            }
        }
    }

    @Test("are scraped by a real Prometheus", .needsProgram("prometheus"))
    func prometheus() throws {
        try lend { house in
            // As intercom-metrics.socket has it: a process for each connection.
            let program = """
                import socket, subprocess, sys
                listener = socket.create_server(("127.0.0.1", 9153))
                while True:
                    connection, _ = listener.accept()
                    with connection: subprocess.run(sys.argv[1:], stdin=connection, stdout=connection)
                """
            try house.start(
                in: "house",
                [
                    "python3", "-c", program, "\(House.binaries)/intercomctl", "--socket", house.socket, "metrics",
                    "--http",
                ], log: "scraped")
            let file = "\(house.directory)/prometheus.yml"
            let rules = "\(House.repository)/config/prometheus/intercom.rules.yml"
            let text = """
                global: {scrape_interval: 1s, evaluation_interval: 1s}
                rule_files: ["\(rules)"]
                scrape_configs:
                  - job_name: intercom
                    static_configs: [{targets: ["127.0.0.1:9153"]}]
                """
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            try house.start(
                in: "house",
                [
                    "prometheus", "--config.file=\(file)", "--storage.tsdb.path=\(house.directory)/tsdb",
                    "--web.listen-address=127.0.0.1:9090",
                ], log: "prometheus")
            func query(_ expression: String) throws -> String {
                try house.python(
                    """
                    import sys, urllib.parse, urllib.request
                    query = urllib.parse.urlencode({"query": sys.argv[1]})
                    print(urllib.request.urlopen("http://127.0.0.1:9090/api/v1/query?" + query, timeout=5).read().decode())
                    """, [expression]
                ).out
            }
            #expect(try eventually(within: 30) { try query("up{job=\"intercom\"}").contains("\"1\"]") })
            let asked = try query("sum(intercom_dns_requests_total{network=\"front\"})")
            #expect(asked.contains("\"6\"]"), "\(asked)")
            let quantile = try query(
                "histogram_quantile(0.5, sum by (le) (intercom_dns_request_duration_seconds_bucket{source=\"local\"}))")
            #expect(quantile.contains("\"value\"") && !quantile.contains("NaN"), "\(quantile)")
        }
    }
}

extension Trait where Self == ConditionTrait {
    /// For what a program of others checks, which is large and not installed for all tests.
    static func needsProgram(_ name: String) -> Self {
        .enabled(
            if: ["/usr/bin", "/usr/sbin", "/usr/local/bin"].contains {
                FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
            }, "\(name) is not installed")
    }
}
