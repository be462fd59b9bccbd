// The resolv.conf files of containers: written and removed by the opener, or here where a runtime asked for one.

import Attachment
import ControlAPI
import LinuxNet
import Logging
import Registry
import SystemPackage

extension Containers {
    /// The directories that the configuration names, by themselves or by a file, and that of files by namespaces' names.
    private var resolverDirectories: [String] {
        plane.configuration.server.resolverDirectories
            + plane.configuration.containers.compactMap(\.resolverConfigurationPath).map {
                ContainerWatch.split($0).directory
            } + [ResolverFiles.namespacesDirectory]
    }

    // MARK: - Files that a runtime asked for

    /// Writes the file that was asked for with `--resolv-conf`, or refuses the container.
    func writeWantedResolverFile(_ file: String, of namespace: NamespaceKey) throws(ControlError) {
        do throws(LinuxError) {
            guard
                try ResolverFiles.write(
                    plane.hostResolver.configuration.render(), to: file, below: resolverDirectories)
            else {
                throw LinuxError(call: "write", errno: .fileExists, subject: file)
            }
        } catch  where error.errno == .notPermitted {
            throw .operationFailed(reason: "\(error)")
        } catch {
            throw .operationFailed(
                reason: "\(file) cannot be written (\(error.errno)); name another file, or remove it")
        }
        attached[namespace]?.wantedResolverFile = file
        attached[namespace]?.resolverFiles.append(file)
    }

    // MARK: - Files by the namespace's name

    /// Writes the file of a declared container; sees to that of a found one.
    func writeResolverFiles(of namespace: NamespaceKey) {
        guard let container = room[namespace] else { return }
        guard container.declaration != nil else { return settleResolverFile(of: namespace) }
        guard case .path(let path) = container.source, plane.configuration.discover.writesResolverConfiguration,
            let file = ResolverFiles.path(forNamespaceAt: path), file != attached[namespace]?.wantedResolverFile
        else { return }
        writeResolverFile(file, of: namespace)
    }

    /// Writes or removes the file of a container that nobody has declared: it has one while it is on a network, unless a
    /// file is there. A namespace that somebody set up for another purpose keeps its own DNS.
    func settleResolverFile(of namespace: NamespaceKey) {
        guard let container = room[namespace], container.declaration == nil, let attached = attached[namespace],
            let found = plane.registry[attached.container], let path = container.path,
            let file = ResolverFiles.path(forNamespaceAt: path),
            plane.configuration.discover.writesResolverConfiguration
        else { return }
        let wantsFile = !found.endpoints.isEmpty && container.port != nil
        guard wantsFile != attached.hasSettledResolverFile else { return }
        self.attached[namespace]?.hasSettledResolverFile = wantsFile
        if wantsFile { writeResolverFile(file, of: namespace) } else { removeResolverFiles(of: namespace) }
    }

    /// Writes anew what we wrote for containers: the search list and options of the host are others.
    func rewriteResolverFiles() {
        for (namespace, attached) in attached {
            for file in attached.resolverFiles { writeResolverFile(file, of: namespace) }
        }
    }

    func removeResolverFiles(of namespace: NamespaceKey) {
        for file in attached[namespace]?.resolverFiles ?? [] { removeResolverFile(file) }
        attached[namespace]?.resolverFiles = []
        attached[namespace]?.wantedResolverFile = nil
        attached[namespace]?.hasSettledResolverFile = false
    }

    // MARK: - The opener's part

    /// Below `/etc/netns` the opener writes; the others were checked when they were asked for.
    private func writeResolverFile(_ file: String, of namespace: NamespaceKey) {
        let configuration = plane.hostResolver.configuration
        if attached[namespace]?.resolverFiles.contains(file) == false {
            attached[namespace]?.resolverFiles.append(file)
        }
        guard let name = ResolverFiles.namespace(ofFileAt: file) else {
            return wrote(
                file, of: namespace,
                Result { () throws(LinuxError) in
                    try ResolverFiles.write(configuration.render(), to: file, below: resolverDirectories)
                })
        }
        requests.request(about: file) { opener in
            Result { () throws(LinuxError) in try opener.writeResolverFile(ofNamespace: name, configuration) }
        } late: { [self] in
            wrote(file, of: namespace, .failure(LinuxError(call: "write", errno: .timedOut, subject: file)))
        } done: { [self] (result: Result<Bool, LinuxError>) in
            wrote(file, of: namespace, result)
        }
    }

    private func wrote(_ file: String, of namespace: NamespaceKey, _ result: Result<Bool, LinuxError>) {
        let name = name(of: namespace)
        switch result {
        case .success(true):
            // The container may have ended meanwhile.
            if attached[namespace]?.resolverFiles.contains(file) != true { removeResolverFile(file) }
            return
        case .success(false):
            logger.info("container \(name): \(file) is somebody else's and stays as it is")
        case .failure(let error):
            logger.warning("container \(name): \(error)", metadata: .about(container: name))
        }
        attached[namespace]?.resolverFiles.removeAll { $0 == file }
    }

    /// Removes a file if it is ours.
    func removeResolverFile(_ path: String) {
        guard let name = ResolverFiles.namespace(ofFileAt: path) else {
            return ResolverFiles.remove(path, below: resolverDirectories)
        }
        requests.request(about: path) { opener in
            Result { () throws(LinuxError) in try opener.removeResolverFile(ofNamespace: name) }
        } late: { [logger] in
            logger.warning("\(path) stays: the opener does not answer")
        } done: { [logger] (result: Result<Void, LinuxError>) in
            if case .failure(let error) = result { logger.warning("\(path) stays: \(error)") }
        }
    }
}
