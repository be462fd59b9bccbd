// Time, as the forwarder is given it: in one machine word, as it is looked at with every question. Public, so that it is
// compared in line in other modules.

/// A moment of a clock that never goes back, and that goes on while the machine sleeps: TTLs do, too.
public struct Moment: Comparable, Hashable, Sendable {
    /// Since the clock's beginning, whatever that is.
    public let nanoseconds: Int64

    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    @inlinable
    public static func < (left: Moment, right: Moment) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The moment that is later by so much.
    @inlinable
    public static func + (moment: Moment, lapse: Lapse) -> Moment {
        Moment(nanoseconds: moment.nanoseconds &+ lapse.nanoseconds)
    }

    /// The time from the right moment to the left one.
    @inlinable
    public static func - (left: Moment, right: Moment) -> Lapse {
        Lapse(nanoseconds: left.nanoseconds &- right.nanoseconds)
    }

    /// Goes on by so much.
    @inlinable
    public static func += (moment: inout Moment, lapse: Lapse) { moment = moment + lapse }
}

/// The time between two moments.
public struct Lapse: Comparable, Hashable, Sendable {
    /// Less than 0 where the later moment was taken from the earlier one.
    public let nanoseconds: Int64

    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// So many seconds.
    @inlinable
    public static func seconds(_ number: Int) -> Lapse { milliseconds(number * 1000) }

    /// So many milliseconds.
    @inlinable
    public static func milliseconds(_ number: Int) -> Lapse { Lapse(nanoseconds: Int64(number) * 1_000_000) }

    /// Rounded down.
    @inlinable
    public var milliseconds: Int { Int(nanoseconds / 1_000_000) }

    @inlinable
    public static func < (left: Lapse, right: Lapse) -> Bool { left.nanoseconds < right.nanoseconds }

    /// By how much the left one is longer.
    @inlinable
    public static func - (left: Lapse, right: Lapse) -> Lapse {
        Lapse(nanoseconds: left.nanoseconds - right.nanoseconds)
    }

    /// So many times as long.
    @inlinable
    public static func * (lapse: Lapse, factor: Int) -> Lapse {
        Lapse(nanoseconds: lapse.nanoseconds * Int64(factor))
    }
}
