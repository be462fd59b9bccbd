// Counts of durations by their size: log-linear buckets, as HdrHistogram has them.

/// A histogram of durations from 1 µs to 16 s.
///
/// Each power of two is divided into four buckets, so that a quantile is right to an eighth of its value. Adding allocates
/// nothing.
public struct DurationHistogram: Sendable, Equatable {
    /// Durations below this fall into the first bucket: 2^10 ns, about 1 µs.
    private static var firstPower: Int { 10 }
    /// Durations from this on fall into the last one: 2^34 ns, about 17 s.
    private static var lastPower: Int { 34 }
    /// Buckets of each power of two.
    private static var parts: Int { 4 }
    private static var bucketCount: Int { (lastPower - firstPower) * parts + 2 }

    private var buckets = [UInt64](repeating: 0, count: bucketCount)
    /// Number of durations.
    public private(set) var count: UInt64 = 0
    /// Nanoseconds of all of them together.
    public private(set) var sum: UInt64 = 0

    /// An empty histogram.
    public init() {}

    /// Adds a duration, several times.
    /// - Parameters:
    ///   - nanoseconds: the duration; a negative one counts as 0.
    ///   - times: how often.
    public mutating func add(_ nanoseconds: Int64, times: UInt64 = 1) {
        let duration = UInt64(max(0, nanoseconds))
        buckets[Self.bucket(of: duration)] &+= times
        count &+= times
        sum &+= duration &* times
    }

    /// Adds all durations of another histogram.
    public mutating func add(_ other: DurationHistogram) {
        for index in buckets.indices { buckets[index] &+= other.buckets[index] }
        count &+= other.count
        sum &+= other.sum
    }

    /// The number of the bucket that a duration falls into.
    private static func bucket(of duration: UInt64) -> Int {
        let power = UInt64.bitWidth - 1 - duration.leadingZeroBitCount
        guard power >= firstPower else { return 0 }
        guard power < lastPower else { return bucketCount - 1 }
        let part = Int(truncatingIfNeeded: duration >> UInt64(power - 2)) & (parts - 1)
        return 1 + (power - firstPower) * parts + part
    }

    /// The least duration of a bucket, in nanoseconds.
    private static func start(of bucket: Int) -> UInt64 {
        guard bucket > 0 else { return 0 }
        let (power, part) = ((bucket - 1) / parts + firstPower, (bucket - 1) % parts)
        return (UInt64(1) << UInt64(power)) + (UInt64(part) << UInt64(power - 2))
    }

    // MARK: - Reading

    /// The duration that a fraction of all durations is below, in nanoseconds, interpolated within a bucket; nil without any.
    /// - Parameter fraction: 0...1, as 0.99.
    public func quantile(_ fraction: Double) -> UInt64? {
        guard count > 0 else { return nil }
        let wanted = max(1, Double(count) * min(max(fraction, 0), 1))
        var before: UInt64 = 0
        for (bucket, number) in buckets.enumerated() where number > 0 {
            if Double(before + number) >= wanted {
                let start = Double(Self.start(of: bucket))
                guard bucket < Self.bucketCount - 1 else { return UInt64(start) }
                let width = Double(Self.start(of: bucket + 1)) - start
                return UInt64(start + width * (wanted - Double(before)) / Double(number))
            }
            before += number
        }
        return nil
    }

    /// A bound of a cumulative bucket and how many durations are below it.
    public struct CumulativeBucket: Sendable, Equatable {
        /// Nanoseconds: a power of two.
        public let bound: UInt64
        /// Number of durations below.
        public let count: UInt64
    }

    /// The numbers of durations below each power of two, in ascending order: what Prometheus takes.
    public var cumulative: [CumulativeBucket] {
        var total = buckets[0]
        var result = [CumulativeBucket(bound: Self.start(of: 1), count: total)]
        for power in 0..<(Self.lastPower - Self.firstPower) {
            for part in 0..<Self.parts { total += buckets[1 + power * Self.parts + part] }
            result.append(CumulativeBucket(bound: Self.start(of: 1 + (power + 1) * Self.parts), count: total))
        }
        return result
    }
}
