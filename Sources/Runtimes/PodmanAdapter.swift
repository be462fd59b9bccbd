// The podman adapter: names that netavark writes down for aardvark-dns, published to the daemon as the source `podman`.

package import ControlAPI
import LinuxNet
import RuntimeWire
import SystemPackage
import Systemd

/// Tells the daemon of the names of podman's containers for as long as it runs. Their namespaces are told by the OCI hook.
package struct PodmanAdapter {
    /// Name of the source.
    package static let source = "podman"

    private static let controlToken: UInt64 = 0
    private static let directoryToken: UInt64 = 1
    private static let entriesToken: UInt64 = 2
    /// Time after which everything is read again, whatever the kernel has said.
    private static let rereadInterval = Duration.seconds(60)
    /// Time after which a reading with fewer containers is believed: netavark writes a file in less than a millisecond.
    private static let confirmation = Duration.milliseconds(50)

    private let directory: String
    private let definitions: String
    private let control: String

    /// - Parameters:
    ///   - directory: aardvark-dns's files.
    ///   - definitions: podman's own files of networks.
    ///   - control: the daemon's control socket.
    package init(
        directory: String = AardvarkDirectory.path, definitions: String = PodmanNetwork.directory, control: String
    ) {
        self.directory = directory
        self.definitions = definitions
        self.control = control
    }

    /// Publishes until SIGTERM or SIGINT. Whatever podman and the daemon do, it goes on; what it has published stays.
    /// - Throws: `LinuxError` where the process can have no epoll instance or no inotify instance.
    package func run() throws {
        let log = AdapterLog(name: Self.source)
        let poller = try Poller()
        let feed = SourceFeed(source: Self.source, path: control, log: log)
        var watch = try WatchedDirectory(directory)
        try poller.add(watch.path.descriptor, token: Self.directoryToken, interest: [.readable])
        try poller.add(watch.entries.descriptor, token: Self.entriesToken, interest: [.readable])
        try? ServiceManager.tell([.ready])
        var said: Reading?
        var unconfirmed: Reading?
        var rereadAt = MonotonicTime.now
        while !poller.isEnded {
            if MonotonicTime.now.microseconds >= rereadAt.microseconds {
                let reading = read()
                let isConfirmed =
                    reading == unconfirmed || said.map { !reading.contents.lacks(of: $0.contents) } ?? true
                unconfirmed = isConfirmed ? nil : reading
                rereadAt = MonotonicTime.now + (isConfirmed ? Self.rereadInterval : Self.confirmation)
                if isConfirmed {
                    say(reading, after: said, log)
                    // A directory that cannot be read says nothing about containers: those that it told of stay.
                    if reading.isWhole { publish(reading.contents, to: feed) }
                    said = reading
                }
            }
            feed.send()
            feed.watch(by: poller, token: Self.controlToken)
            let times = [rereadAt.microseconds, feed.retryAt?.microseconds].compactMap(\.self)
            for event in try poller.wait(until: times.min().map { MonotonicTime(microseconds: $0) }) {
                if event.token == Self.controlToken {
                    feed.connectionEvent()
                } else if try watch.hasChanged() {
                    rereadAt = MonotonicTime.now
                }
            }
        }
    }

    /// Reads podman's files once.
    /// - Returns: what ``run()`` would publish.
    /// - Throws: ``AdapterFailure`` where the directory cannot be read.
    package func readOnce() throws -> Publish.Parameters {
        let reading = read()
        if !reading.isWhole { throw AdapterFailure(description: reading.failures.joined(separator: "; ")) }
        let log = AdapterLog(name: Self.source)
        for failure in reading.failures { log.write(.warning, failure) }
        return Publish.Parameters(
            source: Self.source, networks: reading.contents.networks.map { PublishedNetwork($0) },
            containers: reading.contents.containers.map { PublishedContainer($0) })
    }

    private func publish(_ contents: AardvarkDirectory, to feed: SourceFeed) {
        feed.set(
            networks: contents.networks.map { PublishedNetwork($0) },
            containers: contents.containers.map { PublishedContainer($0) }, isWhole: false)
    }

    /// Logs the first reading, and failures that are new; the service manager is told of each.
    private func say(_ reading: Reading, after before: Reading?, _ log: AdapterLog) {
        for failure in reading.failures where before?.failures.contains(failure) != true {
            log.write(.warning, failure)
        }
        guard reading.isWhole else { return }
        let text = "containers: \(reading.contents.containers.count), networks: \(reading.contents.networks.count)"
        if before == nil { log.write(.info, text) }
        try? ServiceManager.tell([.status(text)])
    }

    // MARK: - Files

    /// The directory as it was read.
    private struct Reading: Equatable {
        var contents: AardvarkDirectory
        /// Sentences about files that could not be read, and about lines in them.
        var failures: [String]
        /// False where not even the directory could be read.
        var isWhole: Bool
    }

    private func read() -> Reading {
        var files: [AardvarkNetwork] = []
        var networks: [PodmanNetwork] = []
        var failures: [String] = []
        do throws(LinuxError) {
            for file in try Files.entries(of: directory).sorted() {
                do {
                    guard let network = try readFile(file) else { continue }
                    files.append(network)
                    if let definition = definition(of: network.name) { networks.append(definition) }
                } catch {
                    failures.append("\(directory)/\(file) is passed over: \(error)")
                }
            }
        } catch  where error.errno == .noSuchFileOrDirectory {
            // netavark makes it with the first container on a network that has DNS.
        } catch {
            return Reading(contents: AardvarkDirectory([], definitions: []), failures: ["\(error)"], isWhole: false)
        }
        let contents = AardvarkDirectory(files, definitions: networks)
        if contents.passedOver > 0 { failures.append("\(directory): \(contents.passedOver) lines are no containers") }
        return Reading(contents: contents, failures: failures, isWhole: true)
    }

    private func readFile(_ file: String) throws -> AardvarkNetwork? {
        guard let octets = try Files.readBytes("\(directory)/\(file)", limit: AardvarkNetwork.maximumLength) else {
            return nil
        }
        return try AardvarkNetwork(file: file, octets)
    }

    /// The network's own file; nil where there is none, as for a network that is built in, or it cannot be read.
    private func definition(of network: String) -> PodmanNetwork? {
        guard let octets = try? Files.readBytes("\(definitions)/\(network).json", limit: PodmanNetwork.maximumLength)
        else { return nil }
        return try? PodmanNetwork(octets)
    }
}
