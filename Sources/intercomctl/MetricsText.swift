// Metrics as text: OpenMetrics 1.0, and the format that Prometheus had before.

import ArgumentParser
import ControlAPI
import DNSWire

/// Writes families of metrics.
struct MetricsText {
    /// The two formats differ in the names of counters and in the end.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        /// https://github.com/OpenObservability/OpenMetrics
        case openmetrics
        /// https://prometheus.io/docs/instrumenting/exposition_formats/
        case prometheus

        /// Media type of the text.
        var contentType: String {
            switch self {
            case .openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            }
        }
    }

    private let format: Format

    init(_ format: Format) {
        self.format = format
    }

    /// The whole text. Parts of a family stand one behind another.
    func text(of families: [Metrics.Family]) -> String {
        var text = ""
        var last: String?
        for family in families {
            if family.name != last { text += heading(family) }
            last = family.name
            for sample in family.samples { text += line(sample, of: family) }
        }
        return format == .openmetrics ? text + "# EOF\n" : text
    }

    private func heading(_ family: Metrics.Family) -> String {
        let (name, kind): (String, String) =
            switch (format, family.kind) {
            case (.prometheus, "counter"): (family.name + "_total", "counter")
            case (.prometheus, "info"): (family.name + "_info", "gauge")
            default: (family.name, family.kind)
            }
        let unit = "seconds"
        let hasUnit = format == .openmetrics && family.name.hasSuffix("_\(unit)")
        return "# HELP \(name) \(Self.escaped(family.help, quotes: format == .openmetrics))\n# TYPE \(name) \(kind)\n"
            + (hasUnit ? "# UNIT \(name) \(unit)\n" : "")
    }

    private func line(_ sample: Metrics.Sample, of family: Metrics.Family) -> String {
        let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped(DisplayText.escaped($0.value), quotes: true))\"" }
        let braces = labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}"
        return "\(family.name)\(sample.suffix)\(braces) \(Self.number(sample.value))\n"
    }

    /// A whole number without a point.
    private static func number(_ value: Double) -> String {
        Int(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
