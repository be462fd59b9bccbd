// Denials of policies: in the log, and remembered of containers under audit.

import DNSWire
import Logging
import Registry

/// Writes denials to the log, a bounded number for each container, and keeps the names of containers under audit for an hour.
final class PolicyJournal {
    /// Time for which names under audit are kept.
    static let memory = Duration.seconds(3600)
    /// Names that are kept of one container; more than programs without a browser ask for.
    static let namesOfContainer = 2048
    /// Containers whose names are kept.
    static let containers = 256

    /// A name that a container has asked for under audit.
    struct Need: Equatable {
        var types: Set<RecordType>
        /// The rule that would deny it; nil: none is about it.
        var rule: String?
        var last: ContinuousClock.Instant
    }

    private unowned let publisher: Publisher
    private let logger: Logger
    /// By the containers' names.
    private var needs: [String: [Name: Need]] = [:]

    init(publisher: Publisher, logger: Logger) {
        self.publisher = publisher
        self.logger = logger
    }

    /// Takes notes of a worker.
    /// - Parameters:
    ///   - notes: denials.
    ///   - leftOut: number of further ones.
    ///   - now: the time.
    func take(_ notes: [PolicyNote], leftOut: Int, now: ContinuousClock.Instant = .now) {
        for note in notes {
            guard let name = try? Name(wire: note.name.span),
                let container = publisher.registry[ContainerID(of: note.view)]
            else { continue }
            if note.isAudit { keep(note, name, of: container.name, now) }
            let verb = note.isAudit ? "would be denied" : "denied"
            logger.info(
                "\(name) \(note.type) \(verb) to \(container.name) by policy \(note.policy): \(note.rule)",
                metadata: .about(
                    container: container.name, policy: note.policy, rule: note.rule,
                    limitedAs: "policy \(container.name)"))
        }
        if leftOut > 0 {
            logger.info("\(leftOut) more questions were denied by policies", metadata: .about(limitedAs: "policies"))
        }
    }

    private func keep(_ note: PolicyNote, _ name: Name, of container: String, _ now: ContinuousClock.Instant) {
        if needs[container] == nil, needs.count >= Self.containers {
            needs = needs.filter { publisher.registry.hasContainer(named: $0.key) }
            guard needs.count < Self.containers else { return }
        }
        var known = needs[container] ?? [:]
        if known[name] == nil, known.count >= Self.namesOfContainer {
            known = known.filter { now - $0.value.last < Self.memory }
            guard known.count < Self.namesOfContainer else { return }
        }
        var need = known[name] ?? Need(types: [], rule: nil, last: now)
        need.types.insert(note.type)
        need.rule = note.isByDefault ? nil : note.rule
        need.last = now
        known[name] = need
        needs[container] = known
    }

    /// Names that a container has asked for in the last hour, and that its policy denies.
    func needs(of container: String, now: ContinuousClock.Instant = .now) -> [Name: Need] {
        (needs[container] ?? [:]).filter { now - $0.value.last < Self.memory }
    }
}
