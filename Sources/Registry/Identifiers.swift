// Small numbers by which the registry and the directories name the same things. They are dense and used again.

/// A table of names: that of one network, or the links of one container.
package struct ScopeID: Hashable, Sendable {
    /// From 0 on.
    package let rawValue: UInt32

    /// The scope of records for all. Above all numbers that are given out, as those are dense.
    package static let everyone = ScopeID(rawValue: .max)

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// Number of the view of one container.
package struct ViewID: Hashable, Sendable {
    /// From 0 on.
    package let rawValue: UInt32

    /// The host's own view. Above all numbers that are given out, as those are dense; below the number that stands for the
    /// control plane's questions.
    package static let host = ViewID(rawValue: .max - 1)

    /// True for ``host``, without the generic comparison, which takes 20 instructions from another module.
    package var isHost: Bool { rawValue == .max - 1 }

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// A container, whatever it is called. Its view has the same number.
package struct ContainerID: Hashable, Comparable, Sendable {
    /// From 0 on.
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The container that has this view.
    package init(of view: ViewID) {
        rawValue = view.rawValue
    }

    /// The view of this container.
    package var view: ViewID { ViewID(rawValue: rawValue) }

    package static func < (left: ContainerID, right: ContainerID) -> Bool { left.rawValue < right.rawValue }
}

/// The upstreams that one question may go to. A number is never used again: answers that are kept belong to it.
package struct UpstreamGroupID: Hashable, Sendable {
    /// From 0 on.
    package let rawValue: UInt32

    /// Those of the configuration, else of the host.
    package static let `default` = UpstreamGroupID(rawValue: 0)
    /// The former servers of the container that asks. Above all numbers that are given out, as those are dense.
    package static let former = UpstreamGroupID(rawValue: .max - 1)
    /// The same servers, for names that they know better than the TTLs of their answers: nothing is cached.
    package static let neighbours = UpstreamGroupID(rawValue: .max)
    /// The servers of the host's resolv.conf without ours: for questions of the host itself.
    package static let host = UpstreamGroupID(rawValue: .max - 2)

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// Gives out the smallest numbers that are free.
struct NumberPool: Sendable {
    private var next: UInt32 = 0
    private var free: [UInt32] = []

    /// Above all numbers that are in use.
    var end: UInt32 { next }

    mutating func take() -> UInt32 {
        if let number = free.popLast() { return number }
        defer { next += 1 }
        return next
    }

    mutating func give(back number: UInt32) { free.append(number) }
}
