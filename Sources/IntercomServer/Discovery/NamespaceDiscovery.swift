// Discovery of namespaces: files where the configuration says become containers.

import Attachment
import Diagnosis
import LinuxNet
import Logging

/// Looks for namespaces at paths, and hands what appears and goes to ``Containers``.
final class NamespaceDiscovery {
    private let containers: Containers
    private let loop: EventLoop
    private let logger: Logger
    private var configuration: Configuration.Discover
    /// The paths; nil while nothing is looked for.
    private var paths: NamespacePaths?
    /// Files of Docker's that are no container's: the host's namespace, and those of Swarm's load balancers and overlays
    /// (libnetwork's `osl` and `overlay`).
    private static let dockersOwn = ["default", "ingress_sbox", "lb_*", "1-*"]
    /// Why directories of namespaces cannot be looked into.
    private var problems: [String] = []

    init(_ configuration: Configuration.Discover, containers: Containers, loop: EventLoop, logger: Logger) {
        self.configuration = configuration
        self.containers = containers
        self.loop = loop
        self.logger = logger
    }

    /// Sentences about what is wrong, for `status`.
    var warnings: [String] {
        let second = containers.room.secondPaths.map { "\($0.path) is the namespace of \($0.other), which is attached" }
        return problems + (containers.room.problems.map(\.failure.description) + second).sorted()
    }

    // MARK: - Beginning and end

    /// Looks where the configuration says, from now on.
    func start() {
        guard configuration.isEnabled else { return }
        do throws(LinuxError) {
            let new = try NamespacePaths(patterns: configuration.namespaces + configuration.unnamed)
            try loop.watch(new.descriptor, as: .namespaces)
            paths = consume new
        } catch {
            logger.error("cannot look for namespaces: \(error)")
        }
        containers.watch.watchMounts(logger)
        scan()
    }

    /// Looks where the configuration says now; where nothing is to be found any more, what was found is gone.
    func configure(_ new: Configuration.Discover) {
        configuration = new
        if new.isEnabled { return start() }
        paths = nil
        problems = []
        for path in Array(containers.room.paths) { containers.handle(.pathGone(path)) }
    }

    // MARK: - Events

    /// Something happened where namespaces are looked for.
    func takePathEvents() {
        do throws(LinuxError) {
            guard let affected = try paths?.read() else { return scan() }
            look(at: affected)
        } catch {
            logger.error("cannot look for namespaces: \(error)", metadata: .about(limitedAs: "namespaces"))
        }
    }

    /// Something was mounted or unmounted: a namespace may have appeared at its path, or gone while the file stays.
    func takeMountEvents() {
        containers.room.hastenDeclarations(now: .now)
        if paths?.isStale() == true {
            scan()
        } else {
            let changed = containers.room.unattachedPaths.filter {
                NamespaceIdentity(ofFileAt: $0.path) != NamespaceIdentity($0.namespace)
            }
            if !changed.isEmpty { look(at: changed.map(\.path)) }
        }
        // Mounts come in crowds, and do not say what they are about: the many that are attached are looked at now and then.
        loop.schedule(.lookForAbsent, after: .seconds(1))
    }

    // MARK: - Looking

    private func scan() {
        guard let (present, errors) = paths?.scan() else { return }
        let new = errors.map(\.description)
        for problem in new where !problems.contains(problem) {
            logger.warning("cannot look for namespaces: \(problem)")
        }
        problems = new
        for path in containers.room.paths.filter({ !present.contains($0) }) { containers.handle(.pathGone(path)) }
        look(at: present)
    }

    /// Looks at paths that something happened to.
    private func look(at paths: some Sequence<String>) {
        for path in paths.sorted() {
            if let identity = isExcluded(path) ? nil : NamespaceIdentity(ofFileAt: path) {
                containers.handle(.pathAppeared(path, NamespaceKey(identity)))
            } else if containers.room.namespace(ofPath: path) != nil {
                containers.handle(.pathGone(path))
            }
        }
    }

    // MARK: - For explain and doctor

    /// Reason why a namespace that has a file of this name is no container; nil: there is none, or it is one.
    func absence(ofNamespaceNamed name: String) -> Absence? {
        guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else { return nil }
        for directory in directories {
            let path = "\(directory)/\(name)"
            guard NamespaceIdentity(ofFileAt: path) != nil else { continue }
            if !configuration.isEnabled { return .undiscovered(path: path) }
            if isExcluded(path) { return .excluded(path: path) }
        }
        return nil
    }

    /// Namespaces that are no containers because discovery is off; none where it is on.
    func undiscovered() -> [String] {
        guard !configuration.isEnabled else { return [] }
        let known = Set(containers.room.namespaces.map { NamespaceIdentity($0) } + Self.own)
        return directories.flatMap { directory in
            ((try? Files.entries(of: directory)) ?? []).map { "\(directory)/\($0)" }
        }.filter { path in NamespaceIdentity(ofFileAt: path).map { !known.contains($0) } ?? false }.sorted()
    }

    /// Namespaces that have a file where the configuration looks, or would look were discovery on: those among them that are
    /// no containers are left out on purpose.
    func leftOut() -> Set<NamespaceIdentity> {
        let directories = directories + Self.directories(of: configuration.unnamed)
        return Set(
            directories.flatMap { directory in
                ((try? Files.entries(of: directory)) ?? []).compactMap {
                    NamespaceIdentity(ofFileAt: "\(directory)/\($0)")
                }
            })
    }

    private static var own: [NamespaceIdentity] {
        [NamespaceIdentity(ofFileAt: "/proc/self/ns/net")].compactMap(\.self)
    }

    /// Directories whose files are looked at, of those patterns that name a directory.
    private var directories: [String] { Self.directories(of: configuration.namespaces) }

    private static func directories(of patterns: [String]) -> [String] {
        patterns.filter { $0.hasSuffix("/*") }.map { String($0.dropLast(2)) }.filter { !Glob.isPattern($0) }
    }

    private func isExcluded(_ path: String) -> Bool {
        let name = ContainerWatch.split(path).name
        let isUnnamed = configuration.unnamed.contains { Glob.matches(path, $0) }
        if isUnnamed, Self.dockersOwn.contains(where: { Glob.matches(name, $0) }) { return true }
        return configuration.exclude.contains { Glob.matches(path, $0) || Glob.matches(name, $0) }
    }
}
