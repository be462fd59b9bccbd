// The nftables rules of one namespace that lead questions to its listener, and the time at which they are set anew.

import Attachment
import LinuxNet
import Registry

/// The rules of one namespace, and the changes that others have made to them.
struct Redirection: ~Copyable {
    /// The longest pause before rules are set anew that somebody removes again and again.
    static let longestPatience = Duration.seconds(60)
    private static let shortestPatience = Duration.milliseconds(100)

    let namespace: NamespaceKey
    let container: ContainerID
    let lead: Lead
    let monitor: NftablesMonitor
    /// Is told when the rules cannot be set anew.
    let lost: (RedirectionFailure) -> Void
    /// The way into the namespace.
    let source: NamespaceSource
    /// True from a change by somebody else until the rules have been set anew.
    var isDoubtful = false
    /// True while the opener is at it.
    var isBusy = false
    /// True while the opener sets others in their place.
    var isReplaced = false
    /// Runs until the rules may be set anew. Meanwhile nobody looks at the monitor: what floods it costs nothing.
    var timer: Timer?
    private var lastRepair = ContinuousClock.Instant.now
    private var patience = Duration.zero

    init(
        of namespace: NamespaceKey, at source: NamespaceSource, _ container: ContainerID, _ lead: Lead,
        _ monitor: consuming NftablesMonitor, lost: @escaping (RedirectionFailure) -> Void
    ) {
        self.source = source
        self.lost = lost
        self.namespace = namespace
        self.container = container
        self.lead = lead
        self.monitor = monitor
    }

    /// The time from which on the rules may be set anew: at once, unless that was done a short while ago; each time later.
    var mayBeRepairedAt: ContinuousClock.Instant { lastRepair + patience }

    mutating func noteRepair(_ now: ContinuousClock.Instant) {
        let isCalm = lastRepair.duration(to: now) > Self.longestPatience
        patience = isCalm ? Self.shortestPatience : min(max(patience * 2, Self.shortestPatience), Self.longestPatience)
        lastRepair = now
    }
}
