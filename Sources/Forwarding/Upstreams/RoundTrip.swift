// The time that an upstream takes to answer.

/// A smoothed round-trip time and how much it varies, as RFC 6298 §2 has them.
struct RoundTrip: Sendable {
    /// Nil before anything was measured.
    private(set) var smoothed: Lapse?
    private(set) var variation = Lapse(nanoseconds: 0)

    /// The patience with an upstream that has not replied yet: most answer earlier, and nobody notices that much.
    private static let initialPatience = Lapse.milliseconds(400)
    private static let bounds = Lapse.milliseconds(50)...Lapse.seconds(1)

    /// Takes in how long one reply took. Not that to a question that was repeated: nobody knows which of the two it
    /// answers (Karn's algorithm, RFC 6298 §3).
    mutating func add(_ sample: Lapse) {
        guard let smoothed else {
            smoothed = sample
            // RFC 6298 §2.2.
            variation = Lapse(nanoseconds: sample.nanoseconds / 2)
            return
        }
        let difference = abs(smoothed.nanoseconds - sample.nanoseconds)
        // RFC 6298 §2.3: a quarter and an eighth of the new sample.
        variation = Lapse(nanoseconds: (3 * variation.nanoseconds + difference) / 4)
        self.smoothed = Lapse(nanoseconds: (7 * smoothed.nanoseconds + sample.nanoseconds) / 8)
    }

    /// A reply that takes longer is late: 50 ms to 1 s.
    var patience: Lapse {
        guard let smoothed else { return Self.initialPatience }
        let late = Lapse(nanoseconds: smoothed.nanoseconds + 4 * variation.nanoseconds)
        return min(max(late, Self.bounds.lowerBound), Self.bounds.upperBound)
    }
}
