// Durations and what is read of them: quantiles, cumulative buckets.

import Tables
import Testing

@Suite("A histogram of durations")
struct DurationHistogramTests {
    @Test(
        "gives a quantile to an eighth of its value",
        arguments: [1_500, 4_200, 77_000, 1_000_000, 43_000_000, 4_500_000_000])
    func quantiles(duration: Int64) throws {
        var histogram = DurationHistogram()
        for step in 0..<1000 { histogram.add(duration + Int64(step) % 7) }
        for fraction in [0.01, 0.5, 0.99, 1] {
            let found = Double(try #require(histogram.quantile(fraction)))
            #expect(abs(found - Double(duration)) <= Double(duration) / 4, "\(fraction): \(found)")
        }
    }

    @Test("tells the few that are slow from the many that are fast")
    func tail() throws {
        var histogram = DurationHistogram()
        histogram.add(5_000, times: 980)
        histogram.add(20_000_000, times: 20)
        #expect(try #require(histogram.quantile(0.5)) < 10_000)
        #expect(try #require(histogram.quantile(0.99)) > 15_000_000)
        #expect(histogram.count == 1000 && histogram.sum == 980 * 5_000 + 20 * 20_000_000)
    }

    @Test("has no quantile while it is empty, and takes any duration")
    func bounds() {
        var histogram = DurationHistogram()
        #expect(histogram.quantile(0.5) == nil)
        for duration in [Int64.min, -1, 0, 1, 1023, 1024, 1 << 34, .max] { histogram.add(duration) }
        #expect(histogram.count == 8)
        #expect(histogram.quantile(1) == 1 << 34, "the last bucket has no end")
    }

    @Test("has cumulative buckets at the powers of two, none of which is below the one before")
    func cumulative() {
        var histogram = DurationHistogram()
        for duration in [500, 1024, 2047, 2048, 1 << 33, 1 << 34] { histogram.add(Int64(duration)) }
        let buckets = histogram.cumulative
        #expect(buckets.map(\.bound) == (10...34).map { UInt64(1) << UInt64($0) })
        #expect(buckets.map(\.count).prefix(3) == [1, 3, 4] && buckets.last?.count == 5)
        #expect(zip(buckets, buckets.dropFirst()).allSatisfy { $0.count <= $1.count })
    }

    @Test("adds up with others")
    func sums() {
        var (one, other, both) = (DurationHistogram(), DurationHistogram(), DurationHistogram())
        for duration in stride(from: Int64(1000), to: 2_000_000, by: 1717) {
            if duration % 2 == 0 { one.add(duration) } else { other.add(duration) }
            both.add(duration)
        }
        one.add(other)
        #expect(one == both)
    }
}
