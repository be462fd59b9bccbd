// The Docker adapter: containers and networks of Docker, published to the daemon as the source `docker`.

package import ControlAPI
import LinuxNet
import RuntimeWire
import Systemd

/// Tells the daemon of Docker's containers for as long as it runs.
package struct DockerAdapter {
    /// Name of the source.
    package static let source = "docker"

    private static let controlToken: UInt64 = 0
    private static let firstDockerToken: UInt64 = 1

    private let socket: String
    private let control: String
    private let keepsDockerDNS: Bool

    /// - Parameters:
    ///   - socket: Docker's socket.
    ///   - control: the daemon's control socket.
    ///   - keepsDockerDNS: true: containers on custom networks are left to Docker's own DNS.
    package init(socket: String, control: String, keepsDockerDNS: Bool) {
        self.socket = socket
        self.control = control
        self.keepsDockerDNS = keepsDockerDNS
    }

    /// Publishes until SIGTERM or SIGINT. Whatever Docker and the daemon do, it goes on; what it has published stays.
    /// - Throws: `LinuxError` where the process can have no epoll instance.
    package func run() throws {
        let log = AdapterLog(name: Self.source)
        let poller = try Poller()
        let connections = DockerConnections(path: socket, poller: poller, firstToken: Self.firstDockerToken)
        let feed = SourceFeed(source: Self.source, path: control, log: log)
        try? ServiceManager.tell([.ready])
        while !poller.isEnded {
            var effects = connections.advance()
            let times = [connections.deadline, feed.retryAt].compactMap { $0?.microseconds }
            if effects.isEmpty {
                for event in try poller.wait(until: times.min().map { MonotonicTime(microseconds: $0) }) {
                    if event.token == Self.controlToken {
                        feed.connectionEvent()
                    } else {
                        effects += connections.proceed(event.token)
                    }
                }
            }
            carryOut(effects, connections.watch, feed, log)
            feed.send()
            feed.watch(by: poller, token: Self.controlToken)
        }
    }

    private func carryOut(
        _ effects: [DockerWatch.Effect], _ watch: DockerWatch, _ feed: SourceFeed, _ log: AdapterLog
    ) {
        for effect in effects {
            if case .say(let notice) = effect { say(notice, log) }
        }
        guard effects.contains(.changed) || effects.contains(.reread) else { return }
        let publication = watch.publication(keepsDockerDNS: keepsDockerDNS)
        feed.set(
            networks: publication.networks.map { PublishedNetwork($0) },
            containers: publication.containers.map { PublishedContainer($0) },
            isWhole: effects.contains(.reread))
    }

    private func say(_ notice: DockerWatch.Notice, _ log: AdapterLog) {
        var text = notice.text(socket)
        if case .away = notice { text += "; tried again until it can" }
        log.write(notice.isWarning ? .warning : .info, text)
        if case .complete = notice { try? ServiceManager.tell([.status(notice.text(socket))]) }
    }

    /// Reads Docker's containers once.
    /// - Returns: what ``run()`` would publish.
    /// - Throws: ``AdapterFailure`` where Docker cannot be read.
    package func readOnce() throws -> Publish.Parameters {
        let poller = try Poller()
        let log = AdapterLog(name: Self.source)
        let connections = DockerConnections(path: socket, poller: poller, firstToken: Self.firstDockerToken)
        while true {
            var effects = connections.advance()
            if effects.isEmpty {
                for event in try poller.wait(until: connections.deadline) {
                    effects += connections.proceed(event.token)
                }
            }
            if poller.isEnded { throw AdapterFailure(description: "interrupted") }
            for case .say(let notice) in effects {
                switch notice {
                case .away: throw AdapterFailure(description: notice.text(socket))
                case .complete: break
                case .unreadable, .oddEvent: log.write(.warning, notice.text(socket))
                }
            }
            guard connections.watch.isComplete else { continue }
            let publication = connections.watch.publication(keepsDockerDNS: keepsDockerDNS)
            return Publish.Parameters(
                source: Self.source, networks: publication.networks.map { PublishedNetwork($0) },
                containers: publication.containers.map { PublishedContainer($0) })
        }
    }
}

/// Why an adapter could not do what it was called for, as a line for people.
package struct AdapterFailure: Error, CustomStringConvertible {
    package let description: String
}

extension DockerWatch.Notice {
    fileprivate var isWarning: Bool {
        if case .complete = self { false } else { true }
    }

    fileprivate func text(_ socket: String) -> String {
        switch self {
        case .complete(let containers, let networks, let isAgain):
            let numbers = "\(Self.count(containers, "container")) run on \(Self.count(networks, "network"))"
            return isAgain ? "Docker answers again, everything was read again: \(numbers)" : numbers
        case .away(let reason): return "Docker at \(socket) cannot be read: \(reason)"
        case .unreadable(let container, let reason):
            return "container \(container.prefix(12)) cannot be inspected (\(reason)); tried again"
        case .oddEvent(let reason): return "\(reason); it is passed over, everything is read again within a minute"
        }
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
