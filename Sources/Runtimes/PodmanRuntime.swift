// podman, as netavark writes down its names for aardvark-dns: the source `podman`.

package import LinuxNet
import RuntimeWire
import SystemPackage

/// Names of podman's containers. Their namespaces are published by the OCI hook.
package final class PodmanRuntime: WatchedRuntime {
    package static let source = "podman"

    private let directory: String
    private let definitions: String
    private var changes: WatchedDirectory
    private var isWatched = false

    /// - Parameters:
    ///   - directory: aardvark-dns's files.
    ///   - definitions: podman's own files of networks.
    /// - Throws: `LinuxError` where the process can have no inotify instance.
    package init(
        directory: String = AardvarkDirectory.path, definitions: String = PodmanNetwork.directory
    ) throws(LinuxError) {
        self.directory = directory
        self.definitions = definitions
        changes = try WatchedDirectory(directory)
    }

    package func watch(by poller: Poller, firstToken: UInt64) throws(LinuxError) {
        guard !isWatched else { return }
        try poller.add(changes.path.descriptor, token: firstToken, interest: [.readable])
        try poller.add(changes.entries.descriptor, token: firstToken + 1, interest: [.readable])
        isWatched = true
    }

    package func hasChanged() throws(LinuxError) -> Bool { try changes.hasChanged() }

    package func read() -> RuntimeReading {
        var files: [AardvarkNetwork] = []
        var networks: [PodmanNetwork] = []
        var failures: [String] = []
        do throws(LinuxError) {
            for file in try Files.entries(of: directory).sorted() {
                do {
                    guard let network = try readFile(file) else { continue }
                    files.append(network)
                    if let definition = definition(of: network.name) { networks.append(definition) }
                } catch {
                    failures.append("\(directory)/\(file) is passed over: \(error)")
                }
            }
        } catch  where error.errno == .noSuchFileOrDirectory {
            // netavark makes it with the first container on a network that has DNS.
        } catch {
            return RuntimeReading(failure: "\(error)")
        }
        let contents = AardvarkDirectory(files, definitions: networks)
        if contents.passedOver > 0 { failures.append("\(directory): \(contents.passedOver) lines are no containers") }
        return RuntimeReading(contents.publication, failures: failures)
    }

    private func readFile(_ file: String) throws -> AardvarkNetwork? {
        guard let octets = try Files.readBytes("\(directory)/\(file)", limit: AardvarkNetwork.maximumLength) else {
            return nil
        }
        return try AardvarkNetwork(file: file, octets)
    }

    /// The network's own file; nil where there is none, as for a network that is built in, or it cannot be read.
    private func definition(of network: String) -> PodmanNetwork? {
        guard let octets = try? Files.readBytes("\(definitions)/\(network).json", limit: PodmanNetwork.maximumLength)
        else { return nil }
        return try? PodmanNetwork(octets)
    }
}
