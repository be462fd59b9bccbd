// Files of namespaces become containers: found, attached, called by another path, left.

import ControlAPI
import LinuxNet
import Logging
import Registry

extension ControlPlane {
    /// Namespaces that are entered at once.
    private static var crowd: Int { 256 }

    // MARK: - Looking

    /// Looks where the configuration says, from now on.
    func watchNamespaces() {
        do throws(LinuxError) {
            let new = try NamespacePaths(patterns: configuration.discover.namespaces)
            try epoll.add(new.descriptor, token: ControlToken.namespaces.word, interest: [.readable])
            paths = consume new
        } catch {
            logger.error("namespaces are not looked for: \(error)")
        }
        watchMounts()
        scanNamespaces()
    }

    /// Something happened where namespaces are looked for.
    func takeNamespaceEvents() {
        do throws(LinuxError) {
            guard let affected = try paths?.read() else { return scanNamespaces() }
            look(at: affected)
        } catch {
            logger.error("namespaces cannot be looked for: \(error)", metadata: .about(limitedAs: "namespaces"))
        }
    }

    /// Something was mounted or unmounted: perhaps over a file that was none of a namespace.
    func takeNamespaceMounts() {
        if paths?.isStale() == true { return scanNamespaces() }
        let changed = found.filter { path, found in
            found.container == nil && NamespaceIdentity(ofFileAt: path) != found.identity
        }
        if !changed.isEmpty { look(at: changed.keys) }
    }

    private func scanNamespaces() {
        guard let (present, problems) = paths?.scan() else { return }
        for problem in problems where !directoryProblems.contains("\(problem)") {
            logger.warning("namespaces cannot be looked for: \(problem)")
        }
        directoryProblems = problems.map(\.description)
        for path in found.keys where !present.contains(path) { leave(path) }
        look(at: present)
    }

    /// What is wrong with namespaces that were found.
    var discoveryWarnings: [String] {
        directoryProblems + found.values.compactMap(\.problem).sorted()
    }

    // MARK: - Finding

    /// Looks at paths that something happened to.
    func look(at paths: some Sequence<String>) {
        var arrivals: [String] = []
        var known: Set<NamespaceIdentity> = []
        var others: [String] = []
        for path in paths.sorted() {
            let identity = isExcluded(path) ? nil : NamespaceIdentity(ofFileAt: path)
            if found[path]?.identity != identity { leave(path) }
            guard let identity, found[path]?.container == nil else { continue }
            if found[path] == nil { found[path] = FoundNamespace(identity) }
            if containerOfNamespace[identity] == nil, known.insert(identity).inserted {
                arrivals.append(path)
            } else {
                others.append(path)
            }
        }
        while !arrivals.isEmpty {
            attach(Array(arrivals.prefix(Self.crowd)))
            arrivals.removeFirst(min(Self.crowd, arrivals.count))
        }
        for path in others { join(path) }
        hearChanges()
        publish()
    }

    /// Whether containers that nobody has declared have a redirected listener.
    private var redirectsByDefault: Bool { configuration.server.listen == .redirect }

    private func isExcluded(_ path: String) -> Bool {
        let name = ContainerWatch.split(path).name
        return configuration.discover.exclude.contains { Glob.matches(path, $0) || Glob.matches(name, $0) }
    }

    /// Attaches namespaces that nobody has declared.
    private func attach(_ paths: [String]) {
        for (path, entered) in zip(paths, enter(paths.map { .path($0) }, isRedirected: redirectsByDefault)) {
            do throws(ControlError) {
                guard let entrance = try entered.get().take() else { continue }
                try attach(path, entrance)
            } catch {
                note(error, at: path)
            }
        }
    }

    private func attach(_ path: String, _ entrance: consuming Entrance) throws(ControlError) {
        // It may lead elsewhere than when it was looked at: files come first, mounts follow.
        if found[path]?.identity != entrance.identity { found[path] = FoundNamespace(entrance.identity) }
        if containerOfNamespace[entrance.identity] != nil { return join(path) }
        let source = NamespaceSource.path(path)
        let name = ContainerWatch.split(path).name
        let cookie = entrance.cookie
        let container = registry.observe(ObservedContainer(cookie: cookie, name: name, path: path))
        do throws(ControlError) {
            try attach(container, to: source, entrance)
        } catch {
            registry.forget(container: cookie)
            throw error
        }
        attachments[container]?.foundPath = path
        found[path]?.container = container
        logger.info("container \(name) found at \(path)", metadata: .about(container: name))
        settleListener(of: container, at: path)
    }

    /// A path of a namespace that is attached: its container is called so, unless it is called by another path.
    private func join(_ path: String) {
        guard let identity = found[path]?.identity, let container = containerOfNamespace[identity] else {
            // The other path, by which it was to be attached, failed to.
            return attach([path])
        }
        if let other = attachments[container]?.foundPath, other != path {
            note("\(path) is the namespace of \(other), which is attached", at: path)
            return
        }
        attachments[container]?.foundPath = path
        found[path]?.container = container
        found[path]?.problem = nil
        if let number = attachments[container]?.number {
            kernel?.rename(number, name: ContainerWatch.split(path).name, path: path)
        }
    }

    // MARK: - Leaving

    /// A path that leads to its namespace no more.
    func leave(_ path: String) {
        guard let left = found.removeValue(forKey: path), let container = left.container else { return }
        attachments[container]?.foundPath = nil
        if registry[container]?.declared == nil {
            end(container, because: "\(path) is gone")
        } else {
            lookAgain(at: left.identity)
        }
    }

    /// A container has ended: its namespace may have another path.
    func lookAgain(at identity: NamespaceIdentity) {
        for (path, other) in found where other.identity == identity { found[path]?.container = nil }
        let paths = found.filter { $0.value.identity == identity }.keys
        if !paths.isEmpty { look(at: paths) }
    }

    /// The declaration of a container was taken back, and it is found still: it is what it would be without.
    func returnToKernel(_ container: ContainerID) {
        guard let path = attachments[container]?.foundPath else { return }
        removeResolverFiles(of: container)
        attachments[container]?.wantedResolverFile = nil
        attachments[container]?.resolverFiles = []
        attachments[container]?.hasSettledResolverFile = false
        do throws(ControlError) {
            try attach(container, to: .path(path), try enter(.path(path), isRedirected: redirectsByDefault))
        } catch {
            end(container, because: error.message)
            return
        }
        settleListener(of: container, at: path)
        settleResolverFile(of: container)
    }

    // MARK: - Listeners

    /// Something has changed in a namespace that could not be given a listener: perhaps it can now.
    func retryListener(of container: ContainerID) {
        guard let attachment = attachments[container], registry[container]?.declared == nil,
            let path = attachment.foundPath
        else { return }
        do throws(ControlError) {
            var entrance = try enter(.path(path), isRedirected: redirectsByDefault)
            attachments[container]?.refusal = entrance.refusal
            if let sockets = entrance.listener.take() {
                hand(sockets, entrance.redirection, to: container)
                logger.info("container \(name(of: container)) has its listener now")
            }
            settleListener(of: container, at: path)
        } catch {
            note(error, at: path)
        }
    }

    /// Says why a container that was found has no listener, if it has none: the next change in its namespace is a chance.
    private func settleListener(of container: ContainerID, at path: String) {
        guard let attachment = attachments[container] else { return }
        if let number = attachment.number { kernel?.tell(number, always: attachment.refusal != nil) }
        if let refusal = attachment.refusal {
            note(.noListener(in: .path(path), refusal), at: path)
        } else {
            found[path]?.problem = nil
        }
    }

    /// Tries again what has failed for a reason that may have passed: an opener that is stuck, descriptors that are short.
    func enterAgain() {
        let failed = found.filter { $0.value.mayPass }
        for path in failed.keys { found[path]?.mayPass = false }
        for container in failed.values.compactMap(\.container) { retryListener(of: container) }
        look(at: failed.filter { $0.value.container == nil }.keys)
    }

    // MARK: - What is wrong

    private func note(_ error: ControlError, at path: String) {
        // A file comes first, and becomes a namespace by a mount: that takes a moment.
        note(error.message, at: path, later: error.member == "NotANetworkNamespace")
        guard error.member == "OperationFailed" else { return }
        found[path]?.mayPass = true
        schedule(.enterAgain, after: .seconds(10))
    }

    private func note(_ problem: String, at path: String, later: Bool = false) {
        guard found[path]?.problem != problem else { return }
        found[path]?.problem = problem
        found[path]?.isSaid = false
        if later { schedule(.sayProblems, after: .seconds(1)) } else { sayProblem(at: path) }
    }

    /// Says what is wrong, each once.
    func sayProblems() {
        for path in found.keys.sorted() { sayProblem(at: path) }
    }

    private func sayProblem(at path: String) {
        guard let entry = found[path], let problem = entry.problem, !entry.isSaid else { return }
        found[path]?.isSaid = true
        logger.warning("\(problem)", metadata: .about(.notAttached))
    }
}
