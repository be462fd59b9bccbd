// The examination behind a checkup: all that the control plane knows of the machine, and one request to the opener.

import Attachment
import ControlAPI
import Diagnosis
import Forwarding
import LinuxNet
import Registry
import Systemd

/// Gathers the facts about a machine.
final class Examination {
    private let plane: ControlPlane
    private let finder: FactFinder
    private let done: (Checkup, Int) -> Void
    private var facts: MachineFacts
    /// Containers whose programs may read another resolv.conf than theirs.
    private var suspects: [ContainerID] = []

    /// - Parameters:
    ///   - plane: knows everything.
    ///   - done: is called once, with the findings and the number of containers that were looked at.
    init(_ plane: ControlPlane, done: @escaping (Checkup, Int) -> Void) {
        self.plane = plane
        self.done = done
        finder = FactFinder(plane: plane)
        facts = MachineFacts(configurationPath: plane.configured.file.path)
    }

    // MARK: - Some containers

    /// Looks at some containers alone, each of which is proved anew.
    /// - Throws: `NoSuchContainer`, `AmbiguousName`.
    func examine(_ names: [String]) throws(ControlError) {
        var containers: [ContainerID] = []
        for name in names {
            if let waiting = plane.containers.room.waiting.first(where: { $0.declaration.name == name }) {
                facts.members.append((finder.member(waiting.declaration), .noListener(waiting.failure)))
            } else {
                containers.append(try plane.publisher.container(named: name).id)
            }
        }
        for container in containers { plane.containers.proveAgain(container) }
        suspects = Array(containers.prefix(Self.fileLimit))
        look(at: containers[...])
    }

    private func look(at containers: ArraySlice<ContainerID>) {
        guard let next = containers.first else { return finish() }
        plane.containers.whenProved(next) {
            if let container = self.plane.publisher.registry[next] { self.add(container) }
            self.look(at: containers.dropFirst())
        }
    }

    private func add(_ container: Registry.Container) {
        facts.members.append((finder.member(container), plane.state(of: container)))
    }

    private func finish() {
        guard suspects.isEmpty else { return lookAtFiles(suspects[...]) }
        finishFiles()
    }

    /// Containers whose programs are looked at for a resolv.conf of others: more say nothing else.
    private static let fileLimit = 8

    /// Reads the files of containers whose programs may have begun before these.
    private func lookAtFiles(_ suspects: ArraySlice<ContainerID>) {
        guard let next = suspects.first, facts.openerFailure == nil else { return finishFiles() }
        guard let (identity, source) = plane.containers.namespace(of: next) else {
            return lookAtFiles(suspects.dropFirst())
        }
        plane.requests.request { opener in
            try? ProgramFiles.read(identity, source, by: opener)
        } late: {
            self.lookAtFiles(suspects.dropFirst())
        } done: { (files: ProgramFiles?) in
            let intercepted = self.plane.containers.resolverAddresses(of: next)?.intercepted ?? []
            if let resolver = files?.resolver(of: source, intercepted: intercepted), resolver.elsewhere != nil {
                self.facts.resolvers[self.plane.publisher.name(of: next)] = resolver
            }
            self.lookAtFiles(suspects.dropFirst())
        }
    }

    private func finishFiles() { lookForHolders(facts.members.filter { Self.mayHaveHolder($0.state) }[...]) }

    /// Containers of which the program is looked for that has port 53: more say nothing else.
    private static let holderLimit = 16

    private static func mayHaveHolder(_ state: State) -> Bool {
        if case .noListener(let failure) = state { failure.kind == .portTaken } else { false }
    }

    private func lookForHolders(_ members: ArraySlice<(member: Member, state: State)>) {
        guard let next = members.first, facts.holders.count < Self.holderLimit, facts.openerFailure == nil,
            let container = try? plane.publisher.container(named: next.member.name)
        else { return done(Checkup(facts), facts.members.count) }
        PortHolders(plane: plane).look(at: container.id, next.state) { holder in
            self.facts.holders[next.member.name] = holder.program
            self.lookForHolders(members.dropFirst())
        }
    }

    // MARK: - The machine

    /// Looks at everything.
    func examineMachine() {
        for container in plane.publisher.registry.containers { add(container) }
        for (declaration, failure) in plane.containers.room.waiting {
            facts.members.append((finder.member(declaration), .noListener(failure)))
        }
        facts.undiscovered = plane.namespaces.undiscovered()
        facts.unnamed = finder.unnamed
        facts.findings = configurationFindings + registryFindings + gateFindings + otherFindings
        facts.silentAdapters = silentAdapters
        facts.lacksUpstreams =
            plane.upstreams.groups[UpstreamGroupID.default.rawValue]?.servers.isEmpty ?? true
            && plane.publisher.registry.networks.contains { !$0.isInternal }
        askWorkers()
    }

    /// Time after the start in which an adapter has called: it notices at once that the daemon is another.
    private static let adapterPatience = Duration.seconds(60)

    /// Adapters whose containers were restored, and who have not told of them since.
    private var silentAdapters: [(runtime: Runtime, containers: Int)] {
        guard plane.start.began.duration(to: .now) > Self.adapterPatience else { return [] }
        return plane.sources.list.compactMap { source in
            guard source.lastHeard == nil, source.containers > 0, let runtime = Runtime(rawValue: source.name),
                runtime.adapterUnit != nil
            else { return nil }
            return (runtime, source.containers)
        }
    }

    private func askWorkers() {
        let workers = plane.workers
        workers.ask(workers.indices, { .counters(token: $0) }) { replies in
            let reports = replies.flatMap { reply -> [UpstreamReport] in
                if case .counters(_, let counters) = reply { counters.upstreams } else { [] }
            }
            let places = Dictionary(grouping: reports) { UpstreamPlace(server: $0.server, vantage: $0.vantage) }
            self.facts.servers = places.map { Server($0.key.server, $0.value) }.sorted { $0.address < $1.address }
            self.askOpener()
        }
    }

    /// Has the opener do something that changes nothing: open our own namespace, which it may well refuse.
    private func askOpener() {
        plane.requests.request { opener in
            Result { () throws(LinuxError) in
                _ = try opener.openNamespace(of: try ProcessDescriptor(pid: ProcessDescriptor.own))
            }
        } late: {
            self.facts.openerFailure = "no reply"
            self.finish()
        } done: { (result: Result<Void, LinuxError>) in
            if case .failure(let error) = result, error.kind == .openerAway {
                self.facts.openerFailure = "\(error.call) \(error.subject ?? ""): \(error.errno)"
                return self.finish()
            }
            self.lookAtLimits()
        }
    }

    /// Counts what is limited, on a thread of a request: `/proc` is read, and the service manager is asked.
    private func lookAtLimits() {
        plane.requests.request { _ in
            LimitUse.ofThisProcess
        } late: {
            self.lookForUnserved()
        } done: { (limits: [LimitUse]) in
            self.facts.limits = limits
            self.lookForUnserved()
        }
    }

    private func lookForUnserved() {
        UnservedProcesses(plane: plane).find { programs in
            self.facts.unserved = programs
            self.lookForSuspects()
        }
    }

    /// Looks for processes that have no resolv.conf of their namespace's, in containers that have one.
    private func lookForSuspects() {
        plane.requests.request { opener in
            (try? opener.findProcessesWithoutFile(after: 0)) ?? []
        } late: {
            self.finish()
        } done: { (processes: [FoundProcess]) in
            let namespaces = Set(processes.map(\.namespace))
            self.suspects = Array(
                self.plane.publisher.registry.containers.lazy.map(\.id).filter { container in
                    guard let (identity, source) = self.plane.containers.namespace(of: container),
                        source.process == nil, case .path(let path) = source
                    else { return false }
                    return namespaces.contains(identity) && ResolverFiles.path(forNamespaceAt: path) != nil
                }.prefix(Self.fileLimit))
            self.finish()
        }
    }

    // MARK: - What other parts warn of

    private var configurationFindings: [Diagnosis.Finding] {
        let path = plane.configured.file.path
        var all = plane.configured.file.notInForce.map {
            Diagnosis.Finding(.notInForce, $0, cure: "systemctl restart intercom.service")
        }
        var file = plane.configured.file
        do throws(ConfigurationError) {
            try file.read()
            if file.configuration != plane.configuration {
                all.append(
                    Diagnosis.Finding(
                        .notInForce, "\(path) was changed and has not been read since", cure: "intercomctl reload"))
            }
        } catch {
            all += error.problems.map {
                Diagnosis.Finding(.badConfiguration, "\($0)", cure: "mend that line, then: intercomctl reload")
            }
        }
        return all + plane.configured.warnings.filter { !isWaitedFor($0) }.map { Diagnosis.Finding(.notInForce, $0) }
    }

    /// True for a sentence about a container that is shown with its state already.
    private func isWaitedFor(_ warning: String) -> Bool {
        plane.containers.room.waiting.contains { warning.hasPrefix("container \($0.declaration.name) ") }
    }

    private var registryFindings: [Diagnosis.Finding] {
        plane.publisher.registry.allWarnings.map {
            Diagnosis.Finding(Cause($0.kind), $0.text, cure: $0.cure)
        }
    }

    private var gateFindings: [Diagnosis.Finding] {
        plane.gates.failures.map { Diagnosis.Finding(gateOf: $0.container, $0.policy, $0.reason) }
            + plane.gates.full.map {
                Diagnosis.Finding(fullGateOf: $0.container, $0.policy, capacity: AddressGate.capacity)
            }
    }

    private var otherFindings: [Diagnosis.Finding] {
        // The host's own namespace may have a file, too: it is none of ours.
        let unattached = plane.containers.room.unattached.filter { $0.failure.kind != .forbidden }
        return unattached.sorted { $0.path < $1.path }.map { Diagnosis.Finding(unattached: $0.path, $0.failure) }
            + (plane.discovery.warnings + plane.sources.warnings + plane.cluster.warnings).map {
                Diagnosis.Finding(.warning, $0)
            }
    }
}

extension LimitUse {
    /// Uses of this process, as far as they are known.
    static var ofThisProcess: [LimitUse] {
        var uses: [LimitUse] = []
        if let count = OpenFiles.count, let limit = OpenFiles.limit {
            uses.append(LimitUse(.openFiles, count, of: limit))
        }
        if let inotify = InotifyUse.read() {
            uses.append(LimitUse(.inotifyWatches, inotify.watches, of: inotify.watchLimit))
            uses.append(LimitUse(.inotifyInstances, inotify.instances, of: inotify.instanceLimit))
        }
        let group = (try? Files.readText("/proc/self/cgroup", limit: maximumControlGroup)) ?? nil
        if ServiceManager.isListening, let group, let stored = StoredDescriptors.read(controlGroup: group) {
            uses.append(LimitUse(.storedSockets, stored.count, of: stored.limit))
        }
        return uses
    }

    private static let maximumControlGroup = 64 * 1024
}

extension Cause {
    init(_ kind: Registry.Warning.Kind) {
        switch kind {
        case .badName: self = .badName
        case .duplicateNetwork: self = .duplicateNetwork
        case .duplicateContainer: self = .duplicateName
        case .duplicateAddress: self = .duplicateAddress
        case .missingNetwork: self = .networkMissing
        case .missingPolicy: self = .policyMissing
        case .limit: self = .limit
        }
    }
}
