// A bound on messages that a container could cause without end.

package import Logging
import Synchronization

/// Passes on a few messages of each kind at once and then one now and then, which says how many were left out. Messages
/// that carry no `LogSubject.limit` all pass.
package struct RateLimitedLog<Handler: LogHandler>: LogHandler {
    private var handler: Handler
    private let limits = LogLimits()

    /// Limits what this handler is given.
    package init(_ handler: Handler) {
        self.handler = handler
    }

    package var logLevel: Logger.Level {
        get { handler.logLevel }
        set { handler.logLevel = newValue }
    }
    package var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue }
    }
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue }
    }

    package func log(event: LogEvent) {
        guard let kind = event.metadata?[LogSubject.limit] else { return handler.log(event: event) }
        guard let leftOut = limits.pass("\(kind)", at: .now) else { return }
        var event = event
        if leftOut > 0 { event.message = "\(event.message) (\(leftOut) more like it were left out)" }
        handler.log(event: event)
    }
}

/// Limits of the messages of each kind. Any thread may ask.
final class LogLimits: Sendable {
    /// Messages of one kind that pass at once.
    static let burst = 10
    /// After them, one passes in this time.
    static let pause = Duration.seconds(10)
    /// Kinds that are told apart; where there are more, all begin anew.
    static let maximumKinds = 1024

    private struct Kind {
        var left = LogLimits.burst
        var leftOut = 0
        var lastRefill: ContinuousClock.Instant
    }

    private let kinds = Mutex<[String: Kind]>([:])

    /// True when one more message of a kind passes.
    /// - Returns: how many before it did not; nil where it does not pass.
    func pass(_ name: String, at now: ContinuousClock.Instant) -> Int? {
        kinds.withLock { kinds in
            if kinds.count >= Self.maximumKinds, kinds[name] == nil { kinds.removeAll() }
            var kind = kinds[name] ?? Kind(lastRefill: now)
            while kind.left < Self.burst, now - kind.lastRefill >= Self.pause {
                kind.left += 1
                kind.lastRefill += Self.pause
            }
            if kind.left == Self.burst { kind.lastRefill = now }
            let leftOut = kind.leftOut
            let passes = kind.left > 0
            kind.left -= passes ? 1 : 0
            kind.leftOut = passes ? 0 : leftOut + 1
            kinds[name] = kind
            return passes ? leftOut : nil
        }
    }
}
