// The resolv.conf files that make containers ask us: `/etc/netns/NAME/resolv.conf`, and where a runtime wants one.

import Attachment
import ControlAPI
import LinuxNet
import Logging
import Registry
import SystemPackage

/// Writes and removes resolv.conf files; never one that somebody else wrote.
struct ResolverFiles {
    /// iproute2's convention: `ip netns exec NAME` mounts what is below over `/etc` (ip-netns(8)).
    static let namespacesDirectory = "/etc/netns"

    /// The file of a namespace under `/run/netns`; nil for any other path.
    static func path(forNamespaceAt path: String) -> String? {
        for directory in ["/run/netns/", "/var/run/netns/"] where path.hasPrefix(directory) {
            let name = path.dropFirst(directory.count)
            guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else { return nil }
            return "\(namespacesDirectory)/\(name)/resolv.conf"
        }
        return nil
    }

    /// The namespace whose file this is; nil for any other path.
    static func namespace(ofFileAt path: String) -> String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 5, path.hasPrefix("\(namespacesDirectory)/"), parts[4] == "resolv.conf" else { return nil }
        return String(parts[3])
    }

    /// The file of a namespace by its name.
    /// - Throws: ``LinuxError`` for what is no name of a file in one directory.
    static func path(ofNamespace name: String) throws(LinuxError) -> String {
        guard let path = path(forNamespaceAt: "/run/netns/\(name)"), !name.utf8.contains(0) else {
            throw LinuxError(call: "open", errno: .invalidArgument, subject: "\(namespacesDirectory)/\(name)")
        }
        return path
    }

    // MARK: - Places

    /// Where a resolv.conf file may be, once its path has been checked: a directory that the operator has named, the names
    /// of the directories below it, and the file's name.
    private struct Place {
        let base: String
        var parents: ArraySlice<String>
        let name: String

        /// - Returns: nil for a path that is in none of the directories, or has an empty part, `.` or `..`.
        init?(_ path: String, in directories: [String]) {
            var parts = Self.parts(of: path)[...]
            guard path.hasPrefix("/"), !path.hasSuffix("/"), !path.utf8.contains(0),
                !path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).contains(where: \.isEmpty),
                !parts.contains("."), !parts.contains(".."),
                let base = directories.first(where: { parts.starts(with: Self.parts(of: $0)) }),
                parts.count > Self.parts(of: base).count, let name = parts.popLast()
            else { return nil }
            self.base = base
            parents = parts.dropFirst(Self.parts(of: base).count)
            self.name = name
        }

        private static func parts(of path: String) -> [String] { path.split(separator: "/").map(String.init) }

        /// Opens the directory of the file.
        func open(makes: Bool) throws(LinuxError) -> OwnDirectory {
            if makes { try Files.makeDirectories(base) }
            var directory = try OwnDirectory(path: base)
            for parent in parents { directory = try directory.directory(parent, makes: makes) }
            return directory
        }
    }

    /// Longest file of ours that is read to see whether it is ours, in octets.
    private static let longestFile = 64 * 1024

    /// One answer for every path that is not allowed, whether something is there or not.
    private static func refusal(_ path: String, _ directories: [String]) -> LinuxError {
        let places = directories.filter { $0 != namespacesDirectory }.joined(separator: ", ")
        return LinuxError(
            call: "\(path): a resolv.conf may be below \(places) ([server] resolv-conf-directories), or be"
                + " \(namespacesDirectory)/NAME/resolv.conf", errno: .notPermitted)
    }

    /// Writes a file that is absent or ours, below one of the directories.
    /// - Returns: false where something else is there, which stays.
    /// - Throws: ``LinuxError``: `notPermitted` for any other path; else when the file cannot be read or written.
    static func write(_ text: String, to path: String, below directories: [String]) throws(LinuxError) -> Bool {
        guard let place = Place(path, in: directories) else { throw refusal(path, directories) }
        let directory = try place.open(makes: true)
        let present: String?
        do throws(LinuxError) {
            present = try directory.text(of: place.name, limit: longestFile)
        } catch  where [.invalidArgument, .tooManySymbolicLinkLevels, .fileTooLarge].contains(error.errno) {
            // A link, a pipe, a directory, a file of two names: we make none of these.
            return false
        }
        guard present.map(ResolverConfiguration.isOurs) ?? true else { return false }
        if present == text { return true }
        try directory.write(place.name, text, replaces: present != nil)
        return true
    }

    /// Removes a file below one of the directories if it is ours; and its directory under ``namespacesDirectory``, if it is
    /// empty then.
    static func remove(_ path: String, below directories: [String]) {
        guard let place = Place(path, in: directories), let directory = try? place.open(makes: false),
            let present = try? directory.text(of: place.name, limit: longestFile), ResolverConfiguration.isOurs(present)
        else { return }
        try? directory.remove(place.name)
        guard place.base == namespacesDirectory, let name = place.parents.last else { return }
        try? OwnDirectory(path: namespacesDirectory).removeDirectory(name)
    }

    /// Writes `/etc/netns/NAME/resolv.conf`, as ``write(_:to:below:)``.
    static func write(_ text: String, ofNamespace name: String) throws(LinuxError) -> Bool {
        try write(text, to: try path(ofNamespace: name), below: [namespacesDirectory])
    }

    /// Removes `/etc/netns/NAME/resolv.conf`, as ``remove(_:below:)``.
    static func remove(ofNamespace name: String) throws(LinuxError) {
        remove(try path(ofNamespace: name), below: [namespacesDirectory])
    }
}

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
