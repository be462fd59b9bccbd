// The adapter of a runtime that is read as a whole: each reading that differs is published to the daemon.

package import ControlAPI
import LinuxNet
import RuntimeWire
import Systemd

/// Publishes one runtime for as long as it runs.
package struct WatchingAdapter<Runtime: WatchedRuntime> {
    private static var controlToken: UInt64 { 0 }
    private static var firstToken: UInt64 { 1 }
    /// Interval after which everything is read again without an event, too.
    private static var rereadInterval: Duration { .seconds(60) }
    /// Time after which a reading with fewer containers, or with a new failure, is believed. Runtimes write a file in place, in
    /// less than a millisecond, and it may be read in the middle of that.
    private static var confirmation: Duration { .milliseconds(50) }
    /// Waits after a runtime could not be read: each is twice as long as the one before.
    private static var backOff: (first: Duration, longest: Duration) { (.milliseconds(200), .seconds(10)) }

    private let runtime: Runtime
    private let control: String

    /// - Parameters:
    ///   - runtime: the runtime to publish.
    ///   - control: the daemon's control socket.
    package init(_ runtime: Runtime, control: String) {
        self.runtime = runtime
        self.control = control
    }

    /// Publishes until SIGTERM or SIGINT. Whatever runtime and daemon do, it goes on; what it has published stays.
    /// - Throws: `LinuxError` where the process can have no epoll instance, or may watch nothing.
    package func run() throws {
        let log = AdapterLog(name: Runtime.source)
        let poller = try Poller()
        let feed = SourceFeed(source: Runtime.source, path: control, log: log)
        try runtime.watch(by: poller, firstToken: Self.firstToken)
        try? ServiceManager.tell([.ready])
        var progress = Progress()
        while !poller.isEnded {
            if MonotonicTime.now.microseconds >= progress.rereadAt.microseconds {
                if let reading = progress.take(runtime.read()) {
                    say(reading, after: progress.said, log)
                    if reading.isWhole { publish(reading.contents, to: feed) }
                    progress.said = reading
                }
                try runtime.watch(by: poller, firstToken: Self.firstToken)
                // Events that came with replies are in no descriptor any more.
                if try runtime.hasChanged() { progress.rereadAt = MonotonicTime.now }
            }
            feed.send()
            feed.watch(by: poller, token: Self.controlToken)
            let times = [progress.rereadAt.microseconds, feed.retryAt?.microseconds].compactMap(\.self)
            for event in try poller.wait(until: times.min().map { MonotonicTime(microseconds: $0) }) {
                if event.token == Self.controlToken {
                    feed.connectionEvent()
                } else if try runtime.hasChanged() {
                    progress.rereadAt = MonotonicTime.now
                }
            }
        }
    }

    /// Reads the runtime once.
    /// - Returns: what ``run()`` would publish.
    /// - Throws: ``AdapterFailure`` where it cannot be read.
    package func readOnce() throws -> Publish.Parameters {
        let reading = runtime.read()
        if !reading.isWhole { throw AdapterFailure(description: reading.failures.joined(separator: "; ")) }
        let log = AdapterLog(name: Runtime.source)
        for failure in reading.failures { log.write(.warning, failure) }
        return Publish.Parameters(
            source: Runtime.source, networks: reading.contents.networks.map { PublishedNetwork($0) },
            containers: reading.contents.containers.map { PublishedContainer($0) })
    }

    private func publish(_ contents: Publication, to feed: SourceFeed) {
        feed.set(
            networks: contents.networks.map { PublishedNetwork($0) },
            containers: contents.containers.map { PublishedContainer($0) }, isWhole: false)
    }

    /// Logs the first reading, failures that are new, and the end of them; the service manager is told of each reading.
    private func say(_ reading: RuntimeReading, after before: RuntimeReading?, _ log: AdapterLog) {
        for failure in reading.failures where before?.failures.contains(failure) != true {
            log.write(.warning, failure)
        }
        guard reading.isWhole else { return }
        let text = "containers: \(reading.contents.containers.count), networks: \(reading.contents.networks.count)"
        if before == nil { log.write(.info, text) }
        if before?.isWhole == false { log.write(.info, "can be read again: \(text)") }
        try? ServiceManager.tell([.status(text)])
    }

    /// Readings so far, and the time of the next.
    private struct Progress {
        var said: RuntimeReading?
        var unconfirmed: RuntimeReading?
        var rereadAt = MonotonicTime.now
        var wait = WatchingAdapter.backOff.first

        /// Takes a reading in.
        /// - Returns: it; nil where another has to confirm it first.
        mutating func take(_ reading: RuntimeReading) -> RuntimeReading? {
            guard reading == unconfirmed || !isDoubtful(reading) else {
                unconfirmed = reading
                rereadAt = MonotonicTime.now + WatchingAdapter.confirmation
                return nil
            }
            unconfirmed = nil
            if reading.isWhole {
                wait = WatchingAdapter.backOff.first
                rereadAt = MonotonicTime.now + WatchingAdapter.rereadInterval
            } else {
                rereadAt = MonotonicTime.now + wait
                wait = min(wait * 2, WatchingAdapter.backOff.longest)
            }
            return reading
        }

        private func isDoubtful(_ reading: RuntimeReading) -> Bool {
            let lacks = said.map { reading.isWhole && reading.contents.lacks(of: $0.contents) } ?? false
            return lacks || !Set(reading.failures).isSubset(of: said?.failures ?? [])
        }
    }
}
