// The files that the daemon may open where its unit has passed it the host's root: what it has use for, and no more.

import LinuxNet
package import Logging

/// The directories below which the daemon reads and writes.
package struct AllowedFiles {
    /// Directories of the root whose files no user shares with others, or that hold those of others: `/var` has `/var/tmp`.
    private static let unread: Set<String> = ["tmp", "var"]

    let reading: [String]
    let writing: [String]

    /// - Parameters:
    ///   - entries: the names in the root directory of this process. Where the unit hides the host's directory, as `/home`,
    ///     the rule is for what hides it, and does not reach the host's by the descriptor.
    ///   - settings: says where namespaces and resolv.conf files are.
    ///   - stateDirectory: where declarations are kept.
    init(rootEntries entries: [String], settings: Configuration, stateDirectory: String) {
        let patterns = (settings.discover.namespaces + settings.discover.unnamed).map { pattern in
            let parts = pattern.split(separator: "/").dropLast().prefix { !Glob.isPattern(String($0)) }
            return "/" + parts.joined(separator: "/")
        }
        // `/` itself would allow everything. Patterns count where they are below a directory that is left out.
        reading =
            entries.filter { !Self.unread.contains($0) }.sorted().map { "/\($0)" } + patterns.filter { $0 != "/" }
            + settings.hosts.map(\.path)
        writing = [stateDirectory] + settings.server.resolverDirectories
    }

    /// Limits the calling thread and those that it starts, where the host's root was passed: by it they would reach all of the
    /// host's files. Without the means it says so, and goes on.
    package static func limit(settings: Configuration, stateDirectory: String, _ logger: Logger) {
        guard HostRoot.isPassed else { return }
        do throws(LinuxError) {
            let allowed = AllowedFiles(
                rootEntries: try Files.entries(of: "/"), settings: settings, stateDirectory: stateDirectory)
            try FileAccess.limitThread(reading: allowed.reading, writing: allowed.writing)
        } catch {
            logger.warning(
                "the daemon is not limited to the files that it needs: \(error) (boot with Landlock, as lsm=landlock,…)"
            )
        }
    }
}
