// One source's side of the control interface: what it has to say goes in, and the daemon is told what is new of it.

package import ControlAPI
package import LinuxNet
import Varlink

/// Keeps the daemon's knowledge of one source the same as the adapter's.
///
/// The first call publishes everything; later ones tell only what is different. Where the daemon was away, everything is
/// published again: nobody has to know what it has kept.
package final class SourceFeed {
    /// Networks by name, containers by id.
    private struct Facts: Equatable {
        var networks: [String: PublishedNetwork] = [:]
        var containers: [String: PublishedContainer] = [:]
    }

    /// The most time of one call; a publication of 10,000 containers takes the daemon about a second.
    private static let timeout = Duration.seconds(5)
    /// Wait after the first failure; each further one doubles it.
    private static let firstBackOff = Duration.milliseconds(100)
    /// Longest wait after a failure.
    private static let longestBackOff = Duration.seconds(10)
    /// Octets of JSON in one message; the daemon takes 2 MiB.
    private static let messageSize = 512 * 1024
    /// Containers that the daemon may refuse one by one; if there are more, it refuses for another reason.
    private static let maximumRefusals = 64

    private let source: String
    private let path: String
    private let log: AdapterLog
    private var connection: ControlConnection?
    private var isWatched = false
    /// Nil until there is something to say.
    private var wanted: Facts?
    /// True when the daemon has taken all that is wanted.
    private var isSettled = false
    /// Facts that the daemon has taken; nil: everything is to be published.
    private var known: Facts?
    /// Facts that it has refused, as they were then.
    private var refused = Facts()
    private var backOff = SourceFeed.firstBackOff
    private var failure: String?
    /// Time of the next ``send()`` where one has failed; nil: none has.
    package private(set) var retryAt: MonotonicTime?

    /// A feed that has said nothing.
    /// - Parameters:
    ///   - source: its name, as `docker`.
    ///   - path: the daemon's control socket.
    ///   - log: takes failures, and says when they are over.
    package init(source: String, path: String, log: AdapterLog) {
        self.source = source
        self.path = path
        self.log = log
    }

    /// Replaces what is to be said; ``send()`` says it.
    /// - Parameters:
    ///   - networks: no two with the same name.
    ///   - containers: no two with the same id.
    ///   - isWhole: true: everything is published, even if the daemon should know it.
    package func set(networks: [PublishedNetwork], containers: [PublishedContainer], isWhole: Bool) {
        var facts = Facts()
        for network in networks { facts.networks[network.name] = network }
        for container in containers { facts.containers[container.id] = container }
        wanted = facts
        isSettled = false
        if isWhole { known = nil }
    }

    /// Has the poller say when the daemon closes the connection; ``connectionEvent()`` is to be called then.
    package func watch(by poller: Poller, token: UInt64) {
        guard let connection, !isWatched else { return }
        isWatched = (try? poller.add(connection.descriptor, token: token, interest: [.readHangUp])) != nil
    }

    /// The daemon has closed the connection: all is published again to the next one.
    package func connectionEvent() {
        disconnect()
        retryAt = MonotonicTime.now + Self.firstBackOff
    }

    private func disconnect() {
        (connection, isWatched, known, isSettled) = (nil, false, nil, false)
    }

    /// Tells the daemon what is new, unless a failure was a moment ago.
    package func send() {
        guard let wanted, !isSettled else { return }
        if let retryAt, MonotonicTime.now.microseconds < retryAt.microseconds { return }
        do throws(ControlFailure) {
            let connection = try connected()
            do throws(ControlFailure) {
                try tell(wanted, on: connection)
            } catch  where error.isRefusal {
                // Parts of a publication are forgotten with their connection.
                disconnect()
                try findRefused(in: wanted, on: try connected())
                try tell(wanted, on: try connected())
            }
            if failure != nil { log.write(.info, "the daemon answers again: everything was published") }
            (failure, retryAt, backOff, isSettled) = (nil, nil, Self.firstBackOff, true)
        } catch {
            disconnect()
            if failure != error.description { log.write(.warning, "\(error.description); tried again until it works") }
            failure = error.description
            retryAt = MonotonicTime.now + backOff
            backOff = min(backOff * 2, Self.longestBackOff)
        }
    }

    private func connected() throws(ControlFailure) -> ControlConnection {
        if let connection { return connection }
        let new = try ControlConnection(path: path, timeout: Self.timeout)
        connection = new
        return new
    }

    // MARK: - Calls

    /// Says what is different, or everything.
    private func tell(_ wanted: Facts, on connection: ControlConnection) throws(ControlFailure) {
        let facts = accepted(wanted)
        if let known {
            if known != facts { try update(from: known, to: facts, on: connection) }
        } else {
            try publish(facts, on: connection)
        }
        known = facts
    }

    private func publish(_ facts: Facts, on connection: ControlConnection) throws(ControlFailure) {
        let networks = facts.networks.values.sorted { $0.name < $1.name }
        let pieces = Self.pieces(facts.containers.values.sorted { $0.id < $1.id })
        for (number, piece) in pieces.enumerated() {
            let part: Publish.Part? =
                pieces.count == 1 ? nil : number == 0 ? .first : number == pieces.count - 1 ? .last : .middle
            _ = try connection.call(
                Publish.self,
                Publish.Parameters(
                    source: source, networks: number == 0 ? networks : nil, containers: piece, part: part))
        }
    }

    private func update(from old: Facts, to new: Facts, on connection: ControlConnection) throws(ControlFailure) {
        let put = new.containers.values.filter { old.containers[$0.id] != $0 }.sorted { $0.id < $1.id }
        let networks = new.networks.values.filter { old.networks[$0.name] != $0 }.sorted { $0.name < $1.name }
        let gone = old.containers.keys.filter { new.containers[$0] == nil }.sorted()
        let goneNetworks = old.networks.keys.filter { new.networks[$0] == nil }.sorted()
        let pieces = Self.pieces(put)
        // More than one message holds goes at once, or not at all, as a publication.
        guard pieces.count == 1, gone.count <= Self.goneInOneMessage else { return try publish(new, on: connection) }
        _ = try connection.call(
            Update.self,
            Update.Parameters(
                source: source, networks: networks.isEmpty ? nil : networks,
                goneNetworks: goneNetworks.isEmpty ? nil : goneNetworks, put: put.isEmpty ? nil : put,
                gone: gone.isEmpty ? nil : gone))
    }

    /// Ids have up to 255 octets.
    private static let goneInOneMessage = messageSize / 256

    /// Containers in pieces of one message each; at least one piece.
    private static func pieces(_ containers: [PublishedContainer]) -> [[PublishedContainer]] {
        var pieces: [[PublishedContainer]] = [[]]
        var size = 0
        for container in containers {
            let length = VarlinkReply.element(container).count
            if size > 0, size + length > messageSize {
                pieces.append([])
                size = 0
            }
            pieces[pieces.count - 1].append(container)
            size += length
        }
        return pieces
    }

    // MARK: - Refusals

    /// The facts without those that were refused as they are.
    private func accepted(_ facts: Facts) -> Facts {
        guard !refused.networks.isEmpty || !refused.containers.isEmpty else { return facts }
        var facts = facts
        for (name, network) in refused.networks where facts.networks[name] == network {
            facts.networks[name] = nil
        }
        for (id, container) in refused.containers where facts.containers[id] == container {
            facts.containers[id] = nil
        }
        for (id, container) in facts.containers {
            guard let networks = container.networks else { continue }
            let known = networks.filter { facts.networks[$0.name] != nil }
            if known.count < networks.count { facts.containers[id]?.networks = known }
        }
        return facts
    }

    /// Offers networks and containers in halves until each that is refused is alone: the others are not to suffer for it.
    private func findRefused(in wanted: Facts, on connection: ControlConnection) throws(ControlFailure) {
        let before = refused
        refused = Facts()
        var refusals = 0
        try offer(wanted.networks.values.sorted { $0.name < $1.name }, &refusals) { networks throws(ControlFailure) in
            _ = try connection.call(Update.self, Update.Parameters(source: source, networks: networks))
        } refuse: { network, reason in
            refused.networks[network.name] = network
            guard before.networks[network.name] != network else { return }
            log.write(.warning, "network \(network.name) is left out: \(reason)")
        }
        let containers = accepted(wanted).containers
        try offer(containers.values.sorted { $0.id < $1.id }, &refusals) { containers throws(ControlFailure) in
            for piece in Self.pieces(containers) {
                _ = try connection.call(Update.self, Update.Parameters(source: source, put: piece))
            }
        } refuse: { container, reason in
            refused.containers[container.id] = wanted.containers[container.id]
            guard before.containers[container.id] != refused.containers[container.id] else { return }
            log.write(.warning, "container \(container.name ?? container.id) is left out: \(reason)")
        }
    }

    private func offer<Element>(
        _ elements: [Element], _ refusals: inout Int, _ call: ([Element]) throws(ControlFailure) -> Void,
        refuse: (Element, String) -> Void
    ) throws(ControlFailure) {
        guard !elements.isEmpty else { return }
        do throws(ControlFailure) {
            try call(elements)
        } catch  where error.isRefusal {
            if elements.count > 1 {
                let half = elements.count / 2
                try offer(Array(elements[..<half]), &refusals, call, refuse: refuse)
                return try offer(Array(elements[half...]), &refusals, call, refuse: refuse)
            }
            refusals += 1
            guard refusals <= Self.maximumRefusals, let element = elements.first else { throw error }
            refuse(element, error.description)
        }
    }
}
