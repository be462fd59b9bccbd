// Names that containers had before they were renamed, for explain: for as long as the daemon runs, the last ones alone.

import Diagnosis
import LinuxNet
import Registry

/// The last renames of containers, with the time of each.
struct FormerNames {
    /// The most that are kept: the oldest make room.
    private static let limit = 256

    private var renames: [(rename: Registry.Rename, nanoseconds: Int64)] = []

    /// Keeps renames that have come about now.
    mutating func add(_ new: [Registry.Rename]) {
        guard !new.isEmpty else { return }
        let now = BootTime.now
        renames += new.map { ($0, now) }
        renames.removeFirst(max(0, renames.count - Self.limit))
    }

    /// The container that had a name last, if it is there and called otherwise.
    func container(formerlyCalled name: String, in registry: Registry) -> FormerName? {
        let name = name.lowercased()
        guard let last = renames.last(where: { $0.rename.formerName.lowercased() == name }),
            let container = registry[last.rename.container], container.name.lowercased() != name
        else { return nil }
        return FormerName(container.name, until: WallClock.shown(last.nanoseconds))
    }
}

extension WallClock {
    /// Local time of day, as `14:05`, of a moment of ``BootTime``; of another day with how long ago that was.
    static func shown(_ nanoseconds: Int64) -> String {
        let now = BootTime.now
        let clock = timeOfDay(WallClock(bootTime: now).microseconds(at: nanoseconds)).prefix(5)
        let hours = max(0, now &- nanoseconds) / 3_600_000_000_000
        return hours < 24 ? String(clock) : "\(clock), \(hours / 24) \(hours < 48 ? "day" : "days") ago"
    }
}
