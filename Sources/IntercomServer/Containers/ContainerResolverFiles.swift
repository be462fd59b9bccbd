// The resolv.conf files of containers: written and removed by the opener, or here where a runtime asked for one.

import Attachment
import ControlAPI
import LinuxNet
import Logging
import SystemPackage

/// Knows which files were written for which container, and writes them anew when the host's resolver is another.
final class ContainerResolverFiles {
    /// The files of one container.
    private struct Files {
        /// The container's name, for messages.
        var name: String
        /// The one that its runtime asked for.
        var wanted: String?
        /// Those that we wrote.
        var written: [String] = []
        /// One that somebody else wrote, which stays.
        var foreign: String?
        /// True when it was seen to that it has one, though nobody declared it.
        var isSettled = false
    }

    private let requests: OpenerRequests
    private let logger: Logger
    private var files: [NamespaceKey: Files] = [:]
    /// Contents of the host's resolv.conf: options and search list are for containers, too.
    private(set) var resolver: ResolverConfiguration
    /// True where `/etc/netns/NAME/resolv.conf` is written.
    private var writesByName = true
    /// The directories below which a file may be.
    private var directories: [String] = []
    /// The search list of a container, where its networks have one in place of the host's.
    var search: (NamespaceKey) -> [String] = { _ in [] }

    init(_ configuration: Configuration, _ resolver: ResolverConfiguration, requests: OpenerRequests, logger: Logger) {
        self.resolver = resolver
        self.requests = requests
        self.logger = logger
        configure(configuration)
    }

    /// Takes the configuration that holds now: directories that it names, by themselves or by a file.
    func configure(_ configuration: Configuration) {
        writesByName = configuration.discover.writesResolverConfiguration
        directories =
            configuration.server.resolverDirectories
            + configuration.containers.compactMap(\.resolverConfigurationPath).map {
                ContainerWatch.split($0).directory
            } + [ResolverFiles.namespacesDirectory]
    }

    // MARK: - Files that a runtime asked for

    /// The file that a container's runtime asked for.
    func wanted(of namespace: NamespaceKey) -> String? { files[namespace]?.wanted }

    /// The file that names a container's servers to its programs, as far as known, and whether we wrote it.
    func file(of namespace: NamespaceKey) -> (path: String, isOurs: Bool)? {
        guard let files = files[namespace] else { return nil }
        if let foreign = files.foreign { return (foreign, false) }
        return (files.wanted ?? files.written.first).map { ($0, true) }
    }

    /// Writes the file that was asked for with `--resolv-conf`.
    /// - Throws: `OperationFailed`: the container is refused.
    func writeWanted(_ file: String, of namespace: NamespaceKey, called name: String) throws(ControlError) {
        do throws(LinuxError) {
            guard try ResolverFiles.write(resolver(of: namespace).render(), to: file, below: directories) else {
                throw LinuxError(call: "write", errno: .fileExists, subject: file)
            }
        } catch  where error.errno == .notPermitted {
            throw .operationFailed(reason: "\(error)")
        } catch {
            throw .operationFailed(
                reason: "\(file) cannot be written (\(error.errno)); name another file, or remove it")
        }
        files[namespace, default: Files(name: name)].wanted = file
        files[namespace]?.written.append(file)
    }

    // MARK: - Files by the namespace's name

    /// Writes the file of a declared container, which goes by the path of its namespace.
    func write(for namespace: NamespaceKey, at path: String, called name: String) {
        guard writesByName, let file = ResolverFiles.path(forNamespaceAt: path), file != wanted(of: namespace) else {
            return
        }
        write(file, of: namespace, called: name)
    }

    /// Writes or removes the file of a container that nobody has declared: it has one while it is on a network, unless a
    /// file is there. A namespace that somebody set up for another purpose keeps its own DNS.
    /// - Parameters:
    ///   - namespace: the container's namespace.
    ///   - path: the path at which it was found.
    ///   - name: the container's name.
    ///   - wantsFile: true where it is on a network, and has a listener.
    func update(_ namespace: NamespaceKey, at path: String, called name: String, wantsFile: Bool) {
        guard writesByName, let file = ResolverFiles.path(forNamespaceAt: path),
            wantsFile != files[namespace]?.isSettled ?? false
        else { return }
        files[namespace, default: Files(name: name)].isSettled = wantsFile
        if wantsFile { write(file, of: namespace, called: name) } else { removeAll(of: namespace) }
    }

    /// Writes anew what we wrote for containers: the search list and options of the host are others.
    func rewrite(for resolver: ResolverConfiguration) {
        self.resolver = resolver
        for namespace in files.keys { rewrite(of: namespace) }
    }

    /// Writes anew what we wrote for a container.
    func rewrite(of namespace: NamespaceKey) {
        guard let files = files[namespace] else { return }
        for file in files.written { write(file, of: namespace, called: files.name) }
    }

    /// The host's resolver with the container's own search list, if it has one.
    private func resolver(of namespace: NamespaceKey) -> ResolverConfiguration {
        var resolver = resolver
        let search = search(namespace)
        if !search.isEmpty { resolver.search = search }
        return resolver
    }

    /// Removes what we wrote for a container.
    func removeAll(of namespace: NamespaceKey) {
        for file in files.removeValue(forKey: namespace)?.written ?? [] { remove(file) }
    }

    /// Those files of a container that the opener writes and removes.
    func namedFiles(of namespace: NamespaceKey) -> [String] {
        files[namespace]?.written.filter { ResolverFiles.namespace(ofFileAt: $0) != nil } ?? []
    }

    // MARK: - Writing and removing

    /// Below `/etc/netns` the opener writes; the others were checked when they were asked for.
    private func write(_ file: String, of namespace: NamespaceKey, called name: String) {
        files[namespace, default: Files(name: name)].name = name
        if files[namespace]?.written.contains(file) == false { files[namespace]?.written.append(file) }
        guard let netns = ResolverFiles.namespace(ofFileAt: file) else {
            return wrote(
                file, of: namespace, called: name,
                Result { () throws(LinuxError) in
                    try ResolverFiles.write(resolver(of: namespace).render(), to: file, below: directories)
                })
        }
        requests.request(about: file) { [resolver = resolver(of: namespace)] opener in
            Result { () throws(LinuxError) in try opener.writeResolverFile(ofNamespace: netns, resolver) }
        } late: { [self] in
            wrote(
                file, of: namespace, called: name,
                .failure(LinuxError(call: "write", errno: .timedOut, subject: file)))
        } done: { [self] (result: Result<Bool, LinuxError>) in
            wrote(file, of: namespace, called: name, result)
        }
    }

    private func wrote(
        _ file: String, of namespace: NamespaceKey, called name: String, _ result: Result<Bool, LinuxError>
    ) {
        switch result {
        case .success(true):
            // The container may have ended meanwhile.
            if files[namespace]?.written.contains(file) != true { remove(file) }
            files[namespace]?.foreign = nil
            return
        case .success(false):
            files[namespace]?.foreign = file
            logger.info("container \(name): \(file) was not written by intercom; leaving it unchanged")
        case .failure(let error):
            logger.warning("container \(name): \(error)", metadata: .about(container: name))
        }
        files[namespace]?.written.removeAll { $0 == file }
    }

    /// Removes a file if it is ours.
    func remove(_ path: String) {
        guard let name = ResolverFiles.namespace(ofFileAt: path) else {
            return ResolverFiles.remove(path, below: directories)
        }
        requests.request(about: path) { opener in
            Result { () throws(LinuxError) in try opener.removeResolverFile(ofNamespace: name) }
        } late: { [logger] in
            logger.warning("cannot remove \(path): the opener does not reply")
        } done: { [logger] (result: Result<Void, LinuxError>) in
            if case .failure(let error) = result { logger.warning("cannot remove \(path): \(error)") }
        }
    }
}
