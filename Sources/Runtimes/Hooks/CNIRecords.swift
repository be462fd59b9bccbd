// Records that the CNI plugin keeps between its calls: a call is about one link, the daemon is told of whole containers.

import LinuxNet
import RuntimeWire

/// One file for each container in a directory that ends with the host, as containers do.
struct CNIRecords {
    /// Directory of the files.
    static let directory = "/run/intercom-cni"
    /// End of each file's name: an id may end in anything else.
    private static let suffix = ".json"

    private func path(_ container: String) -> String { "\(Self.directory)/\(container)\(Self.suffix)" }

    /// The record of a container; nil where there is none that can be read.
    func read(_ container: String) -> CNIRecord? {
        guard let octets = try? Files.readBytes(path(container), limit: CNIRecord.maximumLength) else { return nil }
        return try? CNIRecord(octets)
    }

    /// The records of all containers.
    func all() -> [CNIRecord] {
        let names = (try? Files.entries(of: Self.directory)) ?? []
        return names.sorted().compactMap { name in
            name.hasSuffix(Self.suffix) ? read(String(name.dropLast(Self.suffix.count))) : nil
        }
    }

    /// Writes the record of a container, with the permissions of a private file.
    /// - Returns: why it could not be written; the container is published all the same.
    func write(_ record: CNIRecord) -> HookFailure? {
        do throws(LinuxError) {
            try Files.makeDirectories(Self.directory)
            try Files.writeAtomically(path(record.container), record.text, mode: 0o600)
            return nil
        } catch {
            return HookFailure(
                "the attachments of \(record.container) are not kept (\(error)): with several networks it loses all but the last"
            )
        }
    }

    /// Removes the record of a container; that there is none is no error.
    func remove(_ container: String) { try? Files.unlink(path(container)) }
}
