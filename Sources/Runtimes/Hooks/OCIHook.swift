// The OCI hook: a runtime runs it when the namespaces of a container are there and its program is not (createRuntime), and
// when all of it has ended (poststop).

import LinuxNet
import RuntimeWire

/// `oci-hook`: publishes the container whose state comes on standard input, or takes it back. It always exits with 0, so that no container
/// fails for want of names.
package enum OCIHook {
    /// Name of the program, as a link to it.
    package static let program = "oci-hook"

    /// Does all of it.
    /// - Parameter arguments: the command line, without the program's name.
    package static func run(_ arguments: [String]) {
        do throws(HookFailure) {
            try publish(HookSettings(arguments))
        } catch {
            HookJournal.write(error.description, program: "intercom-\(program)")
        }
    }

    private static func publish(_ settings: HookSettings) throws(HookFailure) {
        let state: OCIState
        do {
            state = try OCIState(
                try StandardInput.readAll(limit: OCIState.maximumLength, timeout: HookSettings.inputTimeout))
        } catch {
            throw HookFailure("no container is published: \(error)")
        }
        if state.isStopped { return try HookUpdate.remove([state.id], source: .oci, settings: settings) }
        let configuration = configuration(of: state)
        guard var container = state.container(configuration: configuration, record: record(of: state)),
            let pid = container.pid, !HostNamespace.holds(pid)
        else { return }
        container.intercepted = configuration.flatMap { BundleResolver.servers($0, bundle: state.bundle) }
        try HookUpdate.put(container, source: .oci, settings: settings)
    }

    /// The bundle's configuration; nil where it cannot be read: the state alone is enough for a listener.
    private static func configuration(of state: OCIState) -> OCIConfiguration? {
        guard !state.bundle.isEmpty,
            let octets = try? Files.readBytes(
                "\(state.bundle)/config.json", limit: OCIConfiguration.maximumLength)
        else { return nil }
        return try? OCIConfiguration(octets)
    }

    /// The name that podman or buildah has on record; nil for other engines' containers.
    private static func record(of state: OCIState) -> String? {
        guard let directory = state.recordDirectory else { return nil }
        for file in PodmanRecords.files {
            let octets = try? Files.readBytes("\(directory)/\(file)", limit: PodmanRecords.maximumLength)
            if let octets, let name = try? PodmanRecords.name(of: state.id, in: octets) { return name }
        }
        return nil
    }
}
