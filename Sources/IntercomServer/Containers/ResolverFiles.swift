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

    /// Place where a resolv.conf file may be, once its path has been checked: a directory that the operator has named, the names
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
        if present == nil {
            try directory.create(place.name, text)
        } else {
            try directory.rewrite(place.name, text)
        }
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
