// Ways into namespaces, as the kernel knows them: processes behind paths, and what a path leads to now.

import Attachment
import LinuxNet
import SystemPackage

extension NamespaceSource {
    /// The process that it belongs to, also by a path under `/proc` or a link to one, as people make them to see a
    /// container with `ip netns`: inotify hears nothing there, a pidfd does.
    var process: Int32? {
        switch self {
        case .pid(let pid): return pid
        case .path(let path):
            let parts = (Files.trail(of: path).last ?? path).split(separator: "/")
            guard parts.count > 2, parts[0] == "proc" else { return nil }
            return Int32(parts[1])
        }
    }

    /// True when a path still leads to this namespace. Of a process that is not ours `/proc` may show nothing; it is watched
    /// by a pidfd.
    func isStill(_ identity: NamespaceIdentity) -> Bool {
        guard case .path(let path) = self else { return true }
        return process == nil ? NamespaceIdentity(ofFileAt: path) == identity : paths.allSatisfy(Files.isThere)
    }

    /// The paths that it ends with, if one of them goes away.
    var paths: [String] {
        switch self {
        case .pid: []
        case .path(let path): Files.trail(of: path).filter { !$0.hasPrefix("/proc/") }
        }
    }

    /// Opens a namespace anew that is known: nothing keeps it open, so that it ends with its container.
    /// - Throws: ``LinuxError``, also where another namespace is there now.
    func openNamespace(_ identity: NamespaceIdentity, by opener: any Opener) throws(LinuxError) -> NetworkNamespace {
        var process: ProcessDescriptor?
        if let pid = self.process { process = try ProcessDescriptor(pid: pid) }
        let namespace = try self.openNamespace(of: process, by: opener).takeNamespace()
        guard namespace.identity == identity else {
            throw LinuxError(call: "open", errno: .noSuchFileOrDirectory, subject: description)
        }
        return namespace
    }
}

extension NamespaceSource {
    /// The file of the namespace.
    var namespacePath: String {
        switch self {
        case .path(let path): path
        case .pid(let pid): "/proc/\(pid)/ns/net"
        }
    }

    /// Reads the resolv.conf of a container, on a thread of a request.
    func readResolverFile(
        _ identity: NamespaceIdentity, by opener: any Opener
    ) throws(LinuxError) -> ReadResolverFile {
        if let pid = process {
            let process = try ProcessDescriptor(pid: pid)
            let namespace = try openNamespace(identity, by: opener)
            return try opener.readResolverFile(of: process, in: namespace)
        }
        return try readHostsResolverFile()
    }

    /// Reads the resolv.conf that the host keeps for programs in a namespace that has no process of its own, unless it is one
    /// of ours: those name 127.0.0.11, as if there were none, and may not be written yet. It does not wait.
    func readHostsResolverFile() throws(LinuxError) -> ReadResolverFile {
        ReadResolverFile(text: try hostsResolverText().flatMap { ResolverConfiguration.isOurs($0) ? nil : $0 })
    }

    /// The text of that file, whoever wrote it: `ip netns exec` mounts it for programs; nil: there is none. It does not wait.
    func hostsResolverText() throws(LinuxError) -> String? {
        guard case .path(let path) = self, let file = ResolverFiles.path(forNamespaceAt: path) else { return nil }
        return try Files.readText(file, limit: OpenerCalls.maximumResolverFile)
    }
}
