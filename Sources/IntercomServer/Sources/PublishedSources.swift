// Sources: what adapters of runtimes tell of, brought into force in slices of time, and kept over a restart.

import Attachment
import ControlAPI
import DequeModule
import LinuxNet
import Logging
import Registry
import Tables

/// Knows what each source has said, and keeps the registry and the namespaces of containers in step with it.
///
/// A call is compared with what its source said before: what is the same is left alone. The rest becomes steps, which are
/// carried out a few milliseconds in each turn, so that others are served between; their names come into force together.
final class PublishedSources {
    /// The most containers of one source.
    static let containerLimit = 100_000
    /// The most networks of one source.
    static let networkLimit = 10_000
    /// The most sources: a machine has a few runtimes.
    static let sourceLimit = 64
    /// Time that steps take in one turn.
    private static let slice = Duration.milliseconds(5)
    /// The longest that a reply waits for containers to be attached.
    private static let patience = Duration.milliseconds(100)

    /// Networks and containers of one source.
    struct Said {
        /// By their ids.
        var containers: [String: PublishedItem] = [:]
        /// By their names, folded.
        var networks: [String: PublishedSegment] = [:]
        /// Networks and containers that cannot be, with the reason.
        var leftOut: [String: String] = [:]
        /// Time of its last call; nil: it has not called since the daemon's start.
        var lastHeard: ContinuousClock.Instant?
        var isEmpty: Bool { containers.isEmpty && networks.isEmpty && leftOut.isEmpty }
    }

    private struct Wait {
        var numbers: [DeclarationNumber]
        let deadline: ContinuousClock.Instant
        let finish: () -> Void
    }

    let publisher: Publisher
    let containers: Containers
    let upstreams: Upstreams
    /// The source that tells of other hosts.
    let cluster: Cluster
    let state: DeclaredState
    let logger: Logger
    var said: [String: Said] = [:]
    /// Sources that tell of a container, by its id.
    var tellers: [String: Set<String>] = [:]
    /// Containers that join another, by the other's id.
    var joiners: [String: Set<PublicationKey>] = [:]
    /// Containers whose namespaces have ended.
    var ended = EndedPublications()
    /// Parts that wait for the last one.
    private var parts = PartialPublications()
    private var jobs: Deque<PublicationJob> = []
    private var waits: [Wait] = []

    init(
        publisher: Publisher, containers: Containers, upstreams: Upstreams, cluster: Cluster, state: DeclaredState,
        logger: Logger
    ) {
        self.cluster = cluster
        self.publisher = publisher
        self.containers = containers
        self.upstreams = upstreams
        self.state = state
        self.logger = logger
    }

    // MARK: - Calls

    /// Takes a message of a publication.
    /// - Parameters:
    ///   - parameters: the message.
    ///   - client: its sender.
    ///   - octets: its size.
    /// - Returns: the publication, if the message was its last; else there is nothing to do but to reply.
    /// - Throws: ``ControlError``: nothing has changed, and parts that came before are dropped.
    func take(
        _ parameters: Publish.Parameters, from client: Ticket, octets: Int
    ) throws(ControlError) -> Publication? {
        do throws(ControlError) {
            try check(parameters.source)
            return try parts.take(parameters, from: client, octets: octets)
        } catch {
            parts.drop(client)
            throw error
        }
    }

    /// Drops what a client that has gone sent in parts.
    func abandon(_ client: Ticket) { parts.drop(client) }

    /// Has a publication take the place of all that its source said before.
    /// - Parameters:
    ///   - publication: what the source says now.
    ///   - forgets: true where the source is to be forgotten.
    ///   - finish: is called when the registry has it.
    func publish(_ publication: Publication, forgets: Bool = false, finish: @escaping () -> Void) {
        var job = PublicationJob(
            source: publication.source,
            compare: { [unowned self] in
                let before = said[publication.source] ?? Said()
                return steps(
                    to: publication, from: before,
                    goneNetworks: before.networks.keys.filter { publication.networks[$0] == nil },
                    gone: before.containers.keys.filter { publication.containers[$0] == nil })
            }, finish: finish)
        job.leftOut = publication.leftOut
        job.forgets = forgets
        add(job)
    }

    /// Changes some of what a source said.
    /// - Parameters:
    ///   - parameters: what is new, different or gone.
    ///   - finish: is called when the registry has it, or the containers are attached.
    /// - Throws: ``ControlError``: nothing has changed.
    func update(_ parameters: Update.Parameters, finish: @escaping () -> Void) throws(ControlError) {
        let source = parameters.source
        try check(source)
        var publication = Publication(source: source)
        try publication.add(parameters.networks ?? [], parameters.put ?? [])
        let known = said[source]?.containers ?? [:]
        let added = publication.containers.keys.count { known[$0] == nil }
        try Publication.check(known.count + added, Self.containerLimit, "containers")
        for (what, reason) in publication.leftOut { logLeftOut(what, of: source, reason) }
        var job = PublicationJob(
            source: source,
            compare: { [unowned self, publication] in
                let before = said[source] ?? Said()
                let goneNetworks = (parameters.goneNetworks ?? []).map(Publication.folded)
                return steps(
                    to: publication, from: before,
                    goneNetworks: goneNetworks.filter {
                        before.networks[$0] != nil && publication.networks[$0] == nil
                    },
                    gone: (parameters.gone ?? []).filter {
                        before.containers[$0] != nil && publication.containers[$0] == nil
                    })
            }, finish: finish)
        if parameters.wait == true { job.awaited = Array(publication.containers.keys) }
        add(job)
    }

    /// Forgets all that a source said.
    /// - Throws: `InvalidName`.
    func forget(_ source: String, finish: @escaping () -> Void) throws(ControlError) {
        try check(source)
        publish(Publication(source: source), forgets: true, finish: finish)
    }

    /// The steps from what a source said to what it says: networks come before the containers on them, and go after them.
    private func steps(
        to publication: Publication, from before: Said, goneNetworks: [String], gone: [String]
    ) -> [PublicationStep] {
        let networks = publication.networks.filter { before.networks[$0.key] != $0.value }
        let containers = publication.containers.filter { isNews($0.value, before.containers[$0.key]) }
        return networks.values.map { .putNetwork($0) } + gone.map { .drop(id: $0) }
            + containers.values.map { .put($0) } + goneNetworks.map { .dropNetwork($0) }
    }

    /// True for a container that its source has not told of like this.
    private func isNews(_ item: PublishedItem, _ before: PublishedItem?) -> Bool {
        before.map { $0.parameters != item.parameters || $0.hasEnded } ?? true
    }

    /// Refuses what cannot be a source's name, and more sources than a machine has runtimes.
    private func check(_ source: String) throws(ControlError) {
        let isName =
            (1...32).contains(source.utf8.count)
            && source.utf8.allSatisfy {
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                    || $0 == UInt8(ascii: "-")
            }
        guard isName else {
            throw .invalidName(source, reason: "a source's name has 1 to 32 characters: a to z, 0 to 9, and -")
        }
        guard !["kernel", "configuration", "control", "cluster"].contains(source) else {
            throw .invalidName(source, reason: "the daemon itself has a source of this name; take that of the runtime")
        }
        guard said[source] != nil || said.count < Self.sourceLimit else {
            throw .tooMany("sources", count: said.count + 1, limit: Self.sourceLimit)
        }
    }

    // MARK: - Jobs

    /// True while steps of a publication are left: names that have changed wait for the others.
    var isBusy: Bool { !jobs.isEmpty }

    /// Time at which ``work()`` is due; nil: it waits for an event.
    var nextDeadline: ContinuousClock.Instant? {
        isBusy ? .now : (waits.map(\.deadline) + [ended.nextDeadline].compactMap(\.self)).min()
    }

    private func add(_ job: PublicationJob) {
        said[job.source, default: Said()].lastHeard = .now
        jobs.append(job)
    }

    /// Carries out steps for a slice of time, and drops containers that ended ten minutes ago.
    func work() {
        for key in ended.takeDue(now: .now) { vanish(key) }
        let end = ContinuousClock.now + Self.slice
        while !jobs.isEmpty {
            guard goOn(until: end) else { return }
        }
    }

    /// Goes on with the first job.
    /// - Returns: true when it is done.
    private func goOn(until end: ContinuousClock.Instant) -> Bool {
        let steps = jobs[0].steps ?? jobs[0].compare()
        jobs[0].steps = steps
        let source = jobs[0].source
        while jobs[0].done < steps.count {
            let step = steps[jobs[0].done]
            carryOut(step, of: source)
            jobs[0].lines.append(line(step, of: source))
            jobs[0].done += 1
            if jobs[0].done < steps.count, ContinuousClock.now >= end { return false }
        }
        finish(jobs.removeFirst(), steps)
        return true
    }

    private func finish(_ job: PublicationJob, _ steps: [PublicationStep]) {
        if let leftOut = job.leftOut {
            let before = said[job.source]?.leftOut ?? [:]
            for (what, reason) in leftOut where before[what] != reason { logLeftOut(what, of: job.source, reason) }
            said[job.source]?.leftOut = leftOut
        }
        if job.forgets, said[job.source]?.isEmpty == true { said[job.source] = nil }
        if !steps.isEmpty {
            if steps.contains(where: \.mayChangeUpstreams) { upstreams.noteChange() }
            state.keep(job.lines)
            log(steps, of: job.source)
        }
        let numbers = job.awaited.compactMap { said[job.source]?.containers[$0]?.number }
        guard !numbers.isEmpty else { return job.finish() }
        waits.append(Wait(numbers: numbers, deadline: .now + Self.patience, finish: job.finish))
    }

    /// Replies to those whose containers are attached, or who have waited long enough.
    func settleWaits() {
        guard !waits.isEmpty else { return }
        let now = ContinuousClock.now
        var left: [Wait] = []
        for var wait in waits {
            wait.numbers.removeAll { containers.room.state(of: $0, isDraining: false) != .starting }
            if wait.numbers.isEmpty || wait.deadline <= now { wait.finish() } else { left.append(wait) }
        }
        waits = left
    }

    // MARK: - Said

    private func logLeftOut(_ what: String, of source: String, _ reason: String) {
        logger.warning(
            "\(what) of source \(source) is left out: \(reason)", metadata: .about(limitedAs: "left out of \(source)"))
    }

    private func log(_ steps: [PublicationStep], of source: String) {
        var (put, gone, networks) = (0, 0, 0)
        for step in steps {
            switch step {
            case .put: put += 1
            case .drop: gone += 1
            case .putNetwork, .dropNetwork: networks += 1
            }
        }
        logger.info(
            "source \(source): containers new or different: \(put), gone: \(gone); networks changed: \(networks)")
    }
}
