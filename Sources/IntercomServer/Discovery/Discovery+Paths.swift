// Files of namespaces, where the configuration says: each becomes a container.

import Attachment
import LinuxNet
import Logging

extension Discovery {
    /// Looks where the configuration says, from now on.
    func watchNamespaces() {
        guard plane.configuration.discover.isEnabled else { return }
        do throws(LinuxError) {
            let new = try NamespacePaths(patterns: plane.configuration.discover.namespaces)
            try plane.epoll.add(new.descriptor, token: ControlToken.namespaces.word, interest: [.readable])
            paths = consume new
        } catch {
            logger.error("namespaces are not looked for: \(error)")
        }
        watchMounts()
        scan()
    }

    /// Something happened where namespaces are looked for.
    func takePathEvents() {
        do throws(LinuxError) {
            guard let affected = try paths?.read() else { return scan() }
            look(at: affected)
        } catch {
            logger.error("namespaces cannot be looked for: \(error)", metadata: .about(limitedAs: "namespaces"))
        }
    }

    /// Something was mounted or unmounted: a namespace may have appeared at its path, or gone while the file stays.
    func takeMountEvents() {
        plane.containers.room.hastenDeclarations(now: .now)
        if paths?.isStale() == true {
            scan()
        } else {
            let changed = plane.containers.room.unattachedPaths.filter {
                NamespaceIdentity(ofFileAt: $0.path) != NamespaceIdentity($0.namespace)
            }
            if !changed.isEmpty { look(at: changed.map(\.path)) }
        }
        // Mounts come in crowds, and do not say what they are about: the many that are attached are looked at now and then.
        plane.schedule(.lookForAbsent, after: .seconds(1))
    }

    private func scan() {
        guard let (present, problems) = paths?.scan() else { return }
        for problem in problems where !directoryProblems.contains("\(problem)") {
            logger.warning("namespaces cannot be looked for: \(problem)")
        }
        directoryProblems = problems.map(\.description)
        let gone = plane.containers.room.paths.filter { !present.contains($0) }
        for path in gone { plane.containers.handle(.pathGone(path)) }
        look(at: present)
    }

    /// Looks at paths that something happened to.
    private func look(at paths: some Sequence<String>) {
        for path in paths.sorted() {
            if let identity = isExcluded(path) ? nil : NamespaceIdentity(ofFileAt: path) {
                plane.containers.handle(.pathAppeared(path, NamespaceKey(identity)))
            } else if plane.containers.room.namespace(ofPath: path) != nil {
                plane.containers.handle(.pathGone(path))
            }
        }
        takeChanges()
        plane.publish()
    }

    private func isExcluded(_ path: String) -> Bool {
        let name = ContainerWatch.split(path).name
        return plane.configuration.discover.exclude.contains { Glob.matches(path, $0) || Glob.matches(name, $0) }
    }
}
