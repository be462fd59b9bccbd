// The inquiry behind one explanation: the container is proved anew, asked for its resolv.conf, and the data plane for its
// answer. Each is a step of its own, and none of them blocks the control thread.

import Attachment
import ControlAPI
import DNSWire
import Diagnosis
import Forwarding
import LinuxNet
import Registry

/// Gathers the facts about a question of a container that is there.
final class Inquiry {
    private var question: ExplainedQuestion
    private let container: ContainerID
    private let plane: ControlPlane
    private let finder: FactFinder
    private let done: (Facts, Resolve.Answer?) -> Void
    private var resolver: ResolverFile?
    private var resolution: Resolution?
    private var services: [Service]?
    private var other: AnswerFacts?
    private var holder = PortHolders.Holder()
    private var kept: KeptFacts?
    private var hosts: HostsFacts?
    private var nameServices: NameServices?

    /// - Parameters:
    ///   - question: what is asked.
    ///   - container: the container that asks.
    ///   - plane: knows everything.
    ///   - done: is called once, with the facts and the answer for people.
    init(
        _ question: ExplainedQuestion, _ container: ContainerID, _ plane: ControlPlane,
        done: @escaping (Facts, Resolve.Answer?) -> Void
    ) {
        self.question = question
        self.container = container
        self.plane = plane
        self.done = done
        finder = FactFinder(plane: plane)
    }

    /// Begins; the closures of the steps keep it alive.
    func begin() {
        plane.containers.proveAgain(container)
        plane.containers.whenProved(container) { self.lookForHolder() }
    }

    // MARK: - Its listener

    private func lookForHolder() {
        guard let asker = plane.publisher.registry[container] else { return readResolver() }
        PortHolders(plane: plane).look(at: container, plane.state(of: asker)) { holder in
            self.holder = holder
            self.readResolver()
        }
    }

    // MARK: - What its programs read

    private func readResolver() {
        guard let (identity, source) = plane.containers.namespace(of: container) else { return ask() }
        plane.requests.request { opener in
            Result { () throws(LinuxError) in try ProgramFiles.read(identity, source, by: opener) }
        } late: {
            self.ask()
        } done: { (result: Result<ProgramFiles, LinuxError>) in
            if case .success(let files) = result { self.take(files, source) }
            self.askEarlier()
        }
    }

    private func take(_ files: ProgramFiles, _ source: NamespaceSource) {
        nameServices = files.nameServices
        hosts = files.hosts.flatMap { HostsFacts($0.path, text: $0.text, name: question.facts.name) }
        let intercepted = plane.containers.resolverAddresses(of: container)?.intercepted ?? []
        resolver = files.resolver(of: source, intercepted: intercepted)
    }

    /// Asks for the names that a resolver library makes before the name itself.
    private func askEarlier() {
        guard resolver?.leadsHere == true else { return ask() }
        attempt(searchOrder.before[...]) { attempts in
            self.resolver?.attempts = attempts
            self.ask()
        }
    }

    /// Asks for those that it makes when the name itself has no records.
    private func askLater(then done: @escaping () -> Void) {
        let hasRecords = answer?.rcode == "NOERROR" && answer?.answers.isEmpty == false
        guard resolver?.leadsHere == true, !hasRecords, answer?.rcode != "SERVFAIL" else { return done() }
        attempt(searchOrder.behind[...]) { attempts in
            self.resolver?.later = attempts
            done()
        }
    }

    private var searchOrder: (before: [String], behind: [String]) {
        guard let resolver else { return ([], []) }
        return ResolverFile.order(of: question.facts.name, search: resolver.search, dots: resolver.dots)
    }

    /// Asks for the name with one domain after another behind it, until there is an answer with records.
    private func attempt(
        _ domains: ArraySlice<String>, _ made: [ResolverFile.Attempt] = [],
        then done: @escaping ([ResolverFile.Attempt]) -> Void
    ) {
        guard let domain = domains.first else { return done(made) }
        let text = "\(question.facts.name).\(domain)"
        guard let name = try? Name(text) else { return attempt(domains.dropFirst(), made, then: done) }
        resolve(name) { resolution in
            let answer = resolution.flatMap { try? Resolve.Answer($0, asked: text, self.question.type) }
            guard let answer else { return self.attempt(domains.dropFirst(), made, then: done) }
            let attempt = ResolverFile.Attempt(
                text, in: domain, code: answer.rcode, data: answer.answers.map(\.data), source: answer.source)
            // Where no upstream answers, each further name would wait for that, too.
            if attempt.isPositive || attempt.code == "SERVFAIL" { return done(made + [attempt]) }
            self.attempt(domains.dropFirst(), made + [attempt], then: done)
        }
    }

    // MARK: - The data plane

    /// Asks for the name itself.
    private func ask() {
        // What is kept is looked at first: the question itself may have an answer kept.
        plane.workers.ask(
            [worker], { .listKept(token: $0, .name(self.question.name), limit: Self.keptLimit) }
        ) { replies in
            let before = replies.first
            self.resolve(self.question.name) { resolution in
                self.resolution = resolution
                if case .kept(_, let answers)? = before { self.take(answers.answers) }
                self.askLater { self.lookForServices() }
            }
        }
    }

    /// Kept answers of one name that are looked at: its types, by the groups of upstreams.
    private static let keptLimit = 256

    /// Takes what was kept of the question, if it was answered from that.
    private func take(_ answers: [KeptAnswer]) {
        guard let resolution, case .forwarded(let group) = resolution.decision else { return }
        let kept = answers.filter { answer in
            answer.group == group && answer.isPlain && (answer.type ?? question.type) == question.type
                && (answer.view.map { $0 == container.view.rawValue } ?? true)
        }.max { $0.left < $1.left }
        // Past its life it is given only where nobody answers.
        guard let kept, kept.left > 0 || resolution.isFromCache else { return }
        self.kept = KeptFacts(age: Int(kept.age), left: Int(kept.left))
    }

    // MARK: - The service

    private var isForwarded: Bool { if case .forwarded? = resolution?.decision { true } else { false } }

    /// Looks whether the port is open in the containers behind the answer, on the host, or outside; where no type was asked for,
    /// at the addresses of both families: programs ask for both, and wait for both answers.
    private func lookForServices() {
        let isNeeded = question.facts.port != nil || isForwarded
        guard isNeeded, question.isOfBothFamilies, answer?.rcode == "NOERROR" else {
            return lookForServices(at: addresses)
        }
        resolve(question.name, .aaaa) { other in
            let answer = other.flatMap { try? Resolve.Answer($0, asked: self.question.facts.name, .aaaa) }
            let more = answer?.answers.map(\.data) ?? []
            if let other, let answer { self.other = AnswerFacts(other.decision, answer) }
            if self.question.facts.port != nil, self.addresses.isEmpty, !more.isEmpty {
                // A name that has addresses of IPv6 alone is asked for these.
                self.question.type = .aaaa
                self.question.facts.type = "\(RecordType.aaaa)"
                self.resolution = other
                return self.lookForServices(at: more)
            }
            self.lookForServices(at: self.addresses + more)
        }
    }

    private func lookForServices(at addresses: [String]) {
        guard let port = question.facts.port, let asker = plane.publisher.registry[container] else {
            return askForServers()
        }
        // What a gate has not been asked to let through does not pass, and what explain asks for it is not.
        if isForwarded, plane.gates.state(of: container) != nil { return askForServers() }
        let place: ServiceSearch.Place =
            if case .answered(.host)? = resolution?.decision {
                .host(at: addresses)
            } else if isForwarded {
                .outside(called: question.facts.name, seenBy: asker, at: addresses)
            } else {
                .containers(called: question.name, seenBy: asker, at: addresses)
            }
        ServiceSearch(port: port, from: container, plane: plane).look(place) { services in
            self.services = services
            self.askForServers()
        }
    }

    /// The data plane's answer, for people.
    private var answer: Resolve.Answer? {
        resolution.flatMap { try? Resolve.Answer($0, asked: question.facts.name, question.type) }
    }

    private var addresses: [String] { answer?.answers.map(\.data) ?? [] }

    // MARK: - The upstreams

    private func askForServers() {
        guard case .forwarded? = resolution?.decision else { return finish([]) }
        plane.workers.ask([worker], { .counters(token: $0) }) { replies in
            let reports = replies.flatMap { reply -> [UpstreamReport] in
                if case .counters(_, let counters) = reply { counters.upstreams } else { [] }
            }
            self.finish(reports)
        }
    }

    private var worker: Int { plane.publisher.worker(of: container.view) }

    private func resolve(_ name: Name, _ type: RecordType? = nil, then done: @escaping (Resolution?) -> Void) {
        let query = OwnQuery.octets(of: name, type ?? question.type)
        plane.workers.ask([worker], { .resolve(token: $0, view: self.container.view, query: query) }) { replies in
            if case .resolved(_, let resolution)? = replies.first { done(resolution) } else { done(nil) }
        }
    }

    // MARK: - The end

    private func finish(_ reports: [UpstreamReport]) {
        guard let asker = plane.publisher.registry[container] else {
            let name = question.facts.asker
            let facts = Facts(
                question.facts, asker: .absent(finder.absence(of: name), near: nil),
                configurationPath: plane.configured.file.path)
            return done(facts, nil)
        }
        var facts = Facts(
            question.facts, asker: .present(finder.member(asker), plane.state(of: asker)),
            configurationPath: plane.configured.file.path)
        var answer = self.answer
        answer?.source += plane.cluster.hosts(of: question.facts.name, seenBy: question.facts.asker)
        facts.resolver = resolver
        facts.holders = finder.holders(of: question.name, for: asker)
        if facts.holders.isEmpty {
            let bare = plane.publisher.registry.bareName(of: question.name, seenBy: asker)
            facts.absence = finder.absence(of: bare.textWithoutDot)
            facts.near = finder.near(question.name, for: asker)
            facts.formerly = plane.publisher.formerNames.container(
                formerlyCalled: bare.textWithoutDot, in: plane.publisher.registry)
            facts.unnamed = finder.unnamed(seenBy: asker)
        }
        let shadowed = plane.publisher.registry.record(
            shadowedAt: question.name, question.type, seenBy: asker)
        if !facts.holders.isEmpty { facts.shadowedRecord = shadowed.map { "\($0.type) \($0.text)" } }
        facts.openNetwork = finder.openNetwork
        facts.isPolicyStrict = finder.isPolicyStrict(of: asker)
        if let resolution, let answer { facts.outcome = AnswerFacts(resolution.decision, answer) }
        facts.other = other
        if case .forwarded(let group)? = resolution?.decision {
            facts.servers = finder.servers(of: group, for: container, reports)
        }
        facts.services = services
        facts.holder = holder.program
        facts.leadsTo = holder.leadsTo
        facts.kept = kept
        facts.hosts = hosts
        facts.nameServices = nameServices
        facts.isAddress = IPAddress(question.facts.name) != nil
        facts.nextTry = plane.containers.namespaceOfContainer[container].flatMap {
            plane.containers.room.nextTry(of: $0)
        }.map { max(0, Int(ContinuousClock.now.duration(to: $0).components.seconds)) }
        facts.gate = plane.gates.failure(of: container).map { GateFailure(policy: asker.policy ?? "", reason: $0) }
        done(facts, answer)
    }
}

extension AnswerFacts {
    init(_ decision: Decision, _ answer: Resolve.Answer) {
        self.init(
            Rule(decision), source: answer.source, code: answer.rcode, data: answer.answers.map(\.data),
            details: answer.extendedErrors.map { $0.text ?? $0.meaning }, isTruncated: answer.flags.contains("tc"))
    }
}

extension AnswerFacts.Rule {
    init(_ decision: Decision) {
        switch decision {
        case .forwarded: self = .forwarded
        case .dropped: self = .settled
        case .answered(let source):
            switch source {
            case .subnet: self = .subnet
            case .domain: self = .domain
            case .singleLabel: self = .singleLabel
            case .multicast: self = .multicast
            case .blocked: self = .blocked
            case .policy: self = .policy
            case .malformed, .notImplemented, .badVersion, .refused, .notRecursive, .chaos, .specialUse,
                .deniedSpecialUse, .link, .network, .reverse, .host, .record, .underscored, .emptyName, .notReady,
                .cache,
                .cachedDenial, .cachedFailure, .gate:
                self = .settled
            }
        }
    }
}
