// Places whose links and addresses have to be read again: each by itself, and later the more often that fails.

import LinuxNet

/// The places that ``KernelWatch`` has lost track of.
struct KernelGaps: Sendable {
    /// Time that one turn reads, at least one place: other calls wait no longer.
    static let slice = Duration.milliseconds(10)
    /// The pause after the first failure; it doubles with each.
    private static let shortestPatience = Duration.milliseconds(20)
    private static let longestPatience = Duration.seconds(10)

    private struct Gap {
        var due = ContinuousClock.Instant.now
        var patience = shortestPatience
    }

    private var gaps: [Place: Gap] = [:]

    /// A place has to be read again: at once, unless it waits already because that failed.
    mutating func add(_ place: Place) {
        if gaps[place] == nil { gaps[place] = Gap() }
    }

    /// A place has been read, or is of no interest any more.
    mutating func remove(_ place: Place) {
        gaps[place] = nil
    }

    /// A place has been read in part: the others first.
    mutating func yield(_ place: Place, from now: ContinuousClock.Instant) {
        gaps[place]?.due = now
    }

    /// A place could not be read.
    mutating func postpone(_ place: Place, from now: ContinuousClock.Instant) {
        guard let patience = gaps[place]?.patience else { return }
        gaps[place] = Gap(due: now + patience, patience: min(patience * 2, Self.longestPatience))
    }

    /// The places that may be read now; the host first, which all others hang on, then those that have waited longest.
    func due(at now: ContinuousClock.Instant) -> [Place] {
        let due = gaps.filter { $0.value.due <= now }.sorted { $0.value.due < $1.value.due }.map(\.key)
        return due.filter { $0 == .host } + due.filter { $0 != .host }
    }

    /// Time at which a place may be read; nil: none has to be.
    var nextDue: ContinuousClock.Instant? { gaps.values.map(\.due).min() }
}
