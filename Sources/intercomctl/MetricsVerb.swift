// intercomctl metrics

import ArgumentParser
import ControlAPI
import DNSWire
import LinuxNet
import SystemPackage

struct MetricsVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Print everything that is counted, for monitoring systems.",
        discussion: """
            The text is OpenMetrics. intercom-metrics.socket, which is not enabled by default, serves it to Prometheus at \
            http://127.0.0.1:9153/metrics.
            """)

    @Option(
        help: ArgumentHelp("openmetrics, or prometheus: the older format, for promtool.", valueName: "format"))
    var format = MetricsText.Format.openmetrics

    @Flag(help: "Answer one HTTP request on standard input, as systemd hands over a connection.")
    var http = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        if http { return Files.write(response(), to: .standardOutput) }
        let families = try families()
        if common.json {
            Files.write(CommonOptions.document(Metrics.Reply(families: families)), to: .standardOutput)
        } else {
            Files.write(MetricsText(format).text(of: families), to: .standardOutput)
        }
    }

    private func families() throws(Failure) -> [Metrics.Family] {
        let client = try ControlClient(socket: common.socket)
        return try client.allReplies(to: Metrics.self, Nothing()).flatMap(\.families)
    }

    // MARK: - HTTP

    /// The response to one request; whoever sends nothing, or too much, gets one as well.
    private func response() -> String {
        let head: [UInt8]
        do throws(LinuxError) {
            head = try StandardInput.readAll(limit: HTTPScrape.longestHead, timeout: HTTPScrape.patience) {
                HTTPScrape.isComplete($0)
            }
        } catch {
            return HTTPScrape.response(
                error.errno == .fileTooLarge ? "431 Request Header Fields Too Large" : "408 Request Timeout",
                "\(error)\n")
        }
        do throws(HTTPScrape.Refusal) {
            let request = try HTTPScrape(head)
            let families: [Metrics.Family]
            do throws(Failure) {
                families = try self.families()
            } catch {
                return HTTPScrape.response(
                    "503 Service Unavailable", "intercomctl: \(error.message)\n", isHead: request.isHead)
            }
            return request.response(MetricsText(request.format).text(of: families))
        } catch {
            return HTTPScrape.response(error.status, "GET /metrics is all that there is\n")
        }
    }
}

/// A request for the metrics (RFC 9112).
struct HTTPScrape {
    /// A request that is not answered with metrics.
    struct Refusal: Error {
        /// Code and reason (RFC 9110 §15).
        let status: String
    }

    /// Octets of a request; Prometheus sends some 300.
    static let longestHead = 8192
    /// Time for a client to send its request: it is on this machine.
    static let patience = Duration.seconds(5)

    let format: MetricsText.Format
    /// True where the client wants no body.
    let isHead: Bool

    /// - Throws: ``Refusal`` where it is no request for the metrics.
    init(_ head: [UInt8]) throws(Refusal) {
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = (lines.first ?? "").split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[2].hasPrefix("HTTP/1.") else { throw Refusal(status: "400 Bad Request") }
        guard words[0] == "GET" || words[0] == "HEAD" else { throw Refusal(status: "405 Method Not Allowed") }
        guard words[1].prefix(while: { $0 != "?" }) == "/metrics" else { throw Refusal(status: "404 Not Found") }
        isHead = words[0] == "HEAD"
        let accept = lines.dropFirst().first { $0.lowercased().hasPrefix("accept:") } ?? ""
        format = accept.lowercased().contains("application/openmetrics-text") ? .openmetrics : .prometheus
    }

    /// True when a request has come whole: its head ends in an empty line, and it has no body.
    static func isComplete(_ octets: [UInt8]) -> Bool { octets.suffix(4) == Array("\r\n\r\n".utf8)[...] }

    /// The response with the metrics.
    func response(_ text: String) -> String {
        Self.response("200 OK", text, type: format.contentType, isHead: isHead)
    }

    static func response(
        _ status: String, _ body: String, type: String = "text/plain; charset=utf-8", isHead: Bool = false
    ) -> String {
        """
        HTTP/1.1 \(status)\r
        Content-Type: \(type)\r
        Content-Length: \(body.utf8.count)\r
        Connection: close\r
        \r
        \(isHead ? "" : body)
        """
    }
}
