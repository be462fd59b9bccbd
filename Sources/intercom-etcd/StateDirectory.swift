// Directory of a bridge's identity and snapshot.

import Clustering
import FoundationEssentials
import LinuxNet

/// Why a verb cannot do its work.
struct BridgeFailure: Error, CustomStringConvertible {
    let description: String
}

/// Files that outlive the process. One process at a time has the directory.
struct StateDirectory {
    /// The most octets of a snapshot: more than all containers that a bridge keeps.
    private static let snapshotLimit = 192 << 20

    private let path: String
    /// Held as long as this value lives.
    private let lock: LockHolder?

    private final class LockHolder {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    /// Makes the directory where there is none, and locks it.
    init(_ path: String) throws {
        self.path = path
        do throws(LinuxError) {
            try Files.makeDirectories(path)
            if let descriptor = try Files.lock(directory: path) {
                lock = LockHolder(descriptor)
            } else {
                lock = nil
            }
        } catch {
            throw BridgeFailure(description: "the state directory \(path) cannot be used: \(error)")
        }
        guard lock != nil else {
            throw BridgeFailure(
                description:
                    "another intercom-etcd runs with \(path): end it first, as by 'systemctl stop intercom-etcd'"
            )
        }
    }

    /// The identity that was saved; nil: none was, or the file is damaged.
    func identity() -> BridgeIdentity? {
        guard let octets = try? Files.readBytes("\(path)/identity.json", limit: 4096) else { return nil }
        return try? JSONDecoder().decode(BridgeIdentity.self, from: Data(octets))
    }

    func save(_ identity: BridgeIdentity) throws(LinuxError) {
        // Two numbers and a short text: JSON has a way to write them.
        guard let data = try? JSONEncoder().encode(identity) else { return }
        try Files.writeDurably("\(path)/identity.json", Array(data), mode: 0o600)
    }

    /// The snapshot that was saved; nil: none was, or the file is damaged.
    func snapshot() -> BridgeSnapshot? {
        guard let octets = try? Files.readBytes("\(path)/snapshot", limit: Self.snapshotLimit) else { return nil }
        return BridgeSnapshot(octets)
    }

    func save(_ snapshot: BridgeSnapshot) throws(LinuxError) {
        try Files.writeDurably("\(path)/snapshot", snapshot.octets, mode: 0o600)
    }
}
