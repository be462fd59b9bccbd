// Time, as the forwarder is given it: in one machine word, as it is looked at with every question.

/// A moment of a clock that never goes back, and that goes on while the machine sleeps: TTLs do, too.
package struct Moment: Comparable, Hashable, Sendable {
    /// Since the clock's beginning, whatever that is.
    package let nanoseconds: Int64

    @inlinable
    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    @inlinable
    package static func < (left: Moment, right: Moment) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The moment that is later by so much.
    @inlinable
    package static func + (moment: Moment, lapse: Lapse) -> Moment {
        Moment(nanoseconds: moment.nanoseconds &+ lapse.nanoseconds)
    }

    /// The time from the right moment to the left one.
    @inlinable
    package static func - (left: Moment, right: Moment) -> Lapse {
        Lapse(nanoseconds: left.nanoseconds &- right.nanoseconds)
    }

    /// Goes on by so much.
    @inlinable
    package static func += (moment: inout Moment, lapse: Lapse) { moment = moment + lapse }
}

/// The time between two moments.
package struct Lapse: Comparable, Hashable, Sendable {
    /// Less than 0 where the later moment was taken from the earlier one.
    package let nanoseconds: Int64

    @inlinable
    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// So many seconds.
    @inlinable
    package static func seconds(_ number: Int) -> Lapse { milliseconds(number * 1000) }

    /// So many milliseconds.
    @inlinable
    package static func milliseconds(_ number: Int) -> Lapse { Lapse(nanoseconds: Int64(number) * 1_000_000) }

    /// Rounded down.
    @inlinable
    package var milliseconds: Int { Int(nanoseconds / 1_000_000) }

    @inlinable
    package static func < (left: Lapse, right: Lapse) -> Bool { left.nanoseconds < right.nanoseconds }

    /// By how much the left one is longer.
    @inlinable
    package static func - (left: Lapse, right: Lapse) -> Lapse {
        Lapse(nanoseconds: left.nanoseconds - right.nanoseconds)
    }

    /// So many times as long.
    @inlinable
    package static func * (lapse: Lapse, factor: Int) -> Lapse {
        Lapse(nanoseconds: lapse.nanoseconds * Int64(factor))
    }
}
