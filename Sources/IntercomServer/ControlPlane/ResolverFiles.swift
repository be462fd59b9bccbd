// The resolv.conf files that make containers ask us: `/etc/netns/NAME/resolv.conf`, and where a runtime wants one.

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

    /// Writes a file that is absent or ours.
    /// - Returns: false where somebody else's file is there, which stays.
    /// - Throws: ``LinuxError`` when the file cannot be read or written.
    static func write(_ text: String, to path: String) throws(LinuxError) -> Bool {
        // We make no links, so this one is somebody else's, also where it leads nowhere.
        guard Files.linkTarget(path) == nil else { return false }
        if let present = try Files.readText(path, limit: 64 * 1024) {
            guard ResolverConfiguration.isOurs(present) else { return false }
            if present == text { return true }
        } else {
            try Files.makeDirectories(ContainerWatch.split(path).directory)
        }
        try Files.writeAtomically(path, text, mode: 0o644)
        return true
    }

    /// Removes a file if it is ours; and its directory under ``namespacesDirectory``, if it is empty then.
    static func remove(_ path: String) {
        guard Files.linkTarget(path) == nil, let present = try? Files.readText(path, limit: 64 * 1024),
            ResolverConfiguration.isOurs(present)
        else { return }
        try? Files.unlink(path)
        let directory = ContainerWatch.split(path).directory
        if ContainerWatch.split(directory).directory == namespacesDirectory { try? Files.removeDirectory(directory) }
    }
}

extension ControlPlane {
    /// Writes the files of a container that has just been attached, and remembers which are ours.
    /// - Parameter wanted: where the runtime wants one (`--resolv-conf`).
    func writeResolverFiles(of container: ContainerID, wanted: String?) throws(ControlError) {
        if let wanted {
            do throws(LinuxError) {
                guard try writeResolverFile(wanted) else {
                    throw LinuxError(call: "write", errno: .fileExists, subject: wanted)
                }
            } catch {
                throw .operationFailed(
                    reason: "\(wanted) cannot be written (\(error.errno)); name another file, or remove it")
            }
            attachments[container]?.wantedResolverFile = wanted
            attachments[container]?.resolverFiles.append(wanted)
        }
        guard case .path(let path)? = attachments[container]?.source,
            configuration.discover.writesResolverConfiguration,
            let file = ResolverFiles.path(forNamespaceAt: path), file != wanted
        else { return }
        writeResolverFile(file, of: container)
    }

    private func writeResolverFile(_ file: String, of container: ContainerID) {
        do throws(LinuxError) {
            if try writeResolverFile(file) {
                attachments[container]?.resolverFiles.removeAll { $0 == file }
                attachments[container]?.resolverFiles.append(file)
            } else {
                logger.info("container \(name(of: container)): \(file) is somebody else's and stays as it is")
            }
        } catch {
            logger.warning(
                "container \(name(of: container)): \(error)", metadata: .about(container: name(of: container)))
        }
    }

    /// Writes or removes the file of a container that nobody has declared: it has one while it is on a network, unless a
    /// file is there. A namespace that somebody set up for another purpose keeps its own DNS.
    func settleResolverFile(of container: ContainerID) {
        guard let attachment = attachments[container], let found = registry[container], found.declared == nil,
            let path = attachment.foundPath, let file = ResolverFiles.path(forNamespaceAt: path),
            configuration.discover.writesResolverConfiguration
        else { return }
        let wantsFile = !found.endpoints.isEmpty && attachment.refusal == nil
        guard wantsFile != attachment.hasSettledResolverFile else { return }
        attachments[container]?.hasSettledResolverFile = wantsFile
        if wantsFile {
            writeResolverFile(file, of: container)
        } else {
            removeResolverFiles(of: container)
            attachments[container]?.resolverFiles = []
        }
    }

    /// Writes anew what we wrote for containers: the search list and options of the host are others.
    func rewriteResolverFiles() {
        for (container, attachment) in attachments {
            for file in attachment.resolverFiles {
                do throws(LinuxError) {
                    _ = try writeResolverFile(file)
                } catch {
                    let name = name(of: container)
                    logger.warning("container \(name): \(error)", metadata: .about(container: name))
                }
            }
        }
    }

    func removeResolverFiles(of container: ContainerID) {
        for file in attachments[container]?.resolverFiles ?? [] { removeResolverFile(file) }
    }

    /// Below `/etc/netns` the opener writes.
    private func writeResolverFile(_ path: String) throws(LinuxError) -> Bool {
        guard let name = ResolverFiles.namespace(ofFileAt: path) else {
            return try ResolverFiles.write(hostResolver.configuration.render(), to: path)
        }
        return try opener.writeResolverFile(ofNamespace: name, hostResolver.configuration)
    }

    /// Removes a file if it is ours.
    func removeResolverFile(_ path: String) {
        guard let name = ResolverFiles.namespace(ofFileAt: path) else { return ResolverFiles.remove(path) }
        do throws(LinuxError) {
            try opener.removeResolverFile(ofNamespace: name)
        } catch {
            logger.warning("\(path) stays: \(error)")
        }
    }
}
