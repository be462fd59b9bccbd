// Everything that is counted, for monitoring systems: metrics as OpenMetrics has them.

/// All metrics of the daemon.
package enum Metrics: ControlMethod {
    package static let definition = """
        # Everything that is counted, as OpenMetrics has it (https://openmetrics.io); with "more" in several replies, in which
        # one family may come in several parts, one behind another.
        method Metrics() -> (families: []Family)
        """
    package static let types: [any ControlType.Type] = [MetricLabel.self, Sample.self, Family.self]

    package typealias Parameters = Nothing

    package struct Reply: Codable, Equatable, Sendable {
        /// In a fixed order.
        package var families: [Family]

        package init(families: [Family]) {
            self.families = families
        }
    }

    /// Metrics of one name.
    package struct Family: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # Metrics of one name; kind: "counter", "gauge", "histogram" or "info"; name: without the suffix of its samples.
            type Family (name: string, kind: string, help: string, samples: []Sample)
            """

        /// As `intercom_cache_hits`.
        package var name: String
        /// `counter`, `gauge`, `histogram` or `info`.
        package var kind: String
        /// A sentence for people.
        package var help: String
        /// The values.
        package var samples: [Sample]

        package init(name: String, kind: String, help: String, samples: [Sample]) {
            self.name = name
            self.kind = kind
            self.help = help
            self.samples = samples
        }
    }

    /// One value.
    package struct Sample: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # One value; suffix: what stands behind the family's name, as "_total" or "_bucket".
            type Sample (suffix: string, labels: []MetricLabel, value: float)
            """

        /// As `_total`; empty for a gauge.
        package var suffix: String
        /// In the order in which they are written.
        package var labels: [MetricLabel]
        /// In base units: seconds, octets, numbers.
        package var value: Double

        package init(suffix: String, labels: [MetricLabel], value: Double) {
            self.suffix = suffix
            self.labels = labels
            self.value = value
        }
    }

    /// A label of a value.
    package struct MetricLabel: ControlType, Codable, Hashable, Sendable {
        package static let definition = """
            # A label of a value, as network="frontend".
            type MetricLabel (name: string, value: string)
            """

        /// As `network`.
        package var name: String
        /// As `frontend`.
        package var value: String

        /// - Parameters:
        ///   - name: as `network`.
        ///   - value: as `frontend`.
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }
}

extension Status {
    /// Times of answers.
    package struct Latency: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # Times of answers over UDP from question to answer, in nanoseconds; source: "local", "cache" or "upstream"; samples:
            # how many were timed, of local and cached ones one batch of sixteen. Half of them took less than p50, of a hundred
            # 99 less than p99.
            type Latency (source: string, samples: int, p50: int, p99: int)
            """

        /// `local`, `cache` or `upstream`: who answered.
        package var source: String
        /// Answers that were timed.
        package var samples: Int
        /// Nanoseconds.
        package var p50: Int
        /// Nanoseconds.
        package var p99: Int

        package init(source: String, samples: Int, p50: Int, p99: Int) {
            self.source = source
            self.samples = samples
            self.p50 = p50
            self.p99 = p99
        }
    }
}
