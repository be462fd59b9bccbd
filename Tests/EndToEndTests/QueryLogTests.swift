// The log of questions: in the daemon's own log, and by dnstap to a real reader (fstrm_capture, dnstap-ldns).

import Foundation
import Testing

@Suite("The query log", .needsRoot)
struct QueryLogTests {
    private static func configuration(_ log: String) -> String {
        """
        [log]
        \(log)
        [forward]
        upstreams = ["127.0.0.5"]
        [[network]]
        name = "front"
        [[network]]
        name = "quiet"
        log-queries = "off"
        """
    }

    private func lend(_ log: String, _ body: (House) throws -> Void) throws {
        try House.lend(configuration: Self.configuration(log)) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("web", "--network", "front,ip=10.0.0.2")
            try house.container("db", "--network", "quiet,ip=10.0.1.2")
            try body(house)
        }
    }

    @Test("in the journal has a line for each question, but of a network whose questions are not logged")
    func journal() throws {
        try lend("queries = \"journal\"") { house in
            _ = try house.dig("db", "db")
            _ = try house.dig("web", "web")
            _ = try house.dig("web", "+tcp", "nobody")
            _ = try house.dig("web", "www.example", "TXT")
            for line in [
                #"web asked web A over udp: NOERROR, \d+ µs, network front"#,
                #"web asked nobody A over tcp: NXDOMAIN, \d+ µs, no such name"#,
                #"web asked www\.example TXT over udp: NOERROR, \d+ µs, upstream 127\.0\.0\.5:53"#,
            ] {
                let pattern = try Regex(line)
                #expect(eventually { house.log.contains(pattern) }, "\(line): \(house.log)")
            }
            #expect(!house.log.contains("db asked"))
        }
    }

    @Test(
        "by dnstap has each question with its answer, as a real reader shows it, also of a reader that comes later",
        .needsProgram("fstrm_capture"), .needsProgram("dnstap-ldns"))
    func dnstap() throws {
        // The house's directory is not known before its configuration.
        let socket = "/tmp/intercom-tap-\(getpid()).sock"
        defer { try? FileManager.default.removeItem(atPath: socket) }
        try lend("queries = \"dnstap\"\ndnstap = \"\(socket)\"") { house in
            #expect(eventually { house.log.contains("no dnstap reader at \(socket)") })
            _ = try house.dig("web", "early")
            let file = "\(house.directory)/tap"
            let reader = try house.start(
                in: "house",
                // It is to end by a signal, and inherits those that this process has blocked.
                [
                    "python3", "-c",
                    "import os, signal, sys; signal.pthread_sigmask(signal.SIG_SETMASK, []); os.execvp(sys.argv[1], sys.argv[1:])",
                    "fstrm_capture", "-t", "protobuf:dnstap.Dnstap", "-u", socket, "-w", file,
                ], log: "capture")
            #expect(eventually { house.log.contains("queries are logged to \(socket) again") })
            _ = try house.dig("web", "web")
            _ = try house.dig("web", "+tcp", "+noedns", "nobody")
            _ = try house.dig("db", "db")
            _ = try house.dig("web", "www.example", "TXT")
            // What fstrm_capture has taken is in the file when it ends; the daemon sends within 25 ms.
            let metrics = try house.ctl("metrics").out
            #expect(metrics.contains("intercom_query_log_dropped_total 1"), "'early' had no reader")
            reader.terminate()
            try #require(eventually { !reader.isRunning })
            let shown = try house.run(in: "house", ["dnstap-ldns", "-y", "-r", file]).text
            for part in [
                "type: CLIENT_RESPONSE", "socket_protocol: UDP", "socket_protocol: TCP", "response_port: 53",
                "NXDOMAIN", "web.\t5\tIN\tA\t10.0.0.2", "www.example.\tIN\tTXT",
            ] {
                #expect(shown.contains(part), "\(part): \(shown)")
            }
            // dnstap-ldns does not show what is extra.
            let captured = try Data(contentsOf: URL(fileURLWithPath: file))
            #expect(captured.range(of: Data("container=web network=front".utf8)) != nil)
            #expect(!shown.contains("db."), "its network is not logged")
            #expect(!shown.contains("early"))
            // The daemon goes on, and says that the reader has gone.
            #expect(try house.dig("web", "web").status == "NOERROR")
            #expect(eventually { house.log.ranges(of: "no dnstap reader at \(socket)").count == 2 })
        }
    }
}
