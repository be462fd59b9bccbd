// Calls of the daemon by a hook: one for each container.

import ControlAPI
import RuntimeWire

/// Sources that hooks publish under.
enum HookSource: String {
    case oci, lxc, cni
}

/// One call of `Update`.
enum HookUpdate {
    /// Publishes a container, and waits until it is attached: the first instruction of its program may be a query.
    static func put(
        _ container: RuntimeContainer, networks: [RuntimeNetwork] = [], source: HookSource, settings: HookSettings
    ) throws(HookFailure) {
        try call(
            Update.Parameters(
                source: source.rawValue, networks: networks.isEmpty ? nil : networks.map(PublishedNetwork.init),
                put: [PublishedContainer(container)], wait: true),
            "container \(container.name) may have no names", settings)
    }

    /// Takes containers back, by their ids; one that is not known is passed over.
    static func remove(
        _ ids: [String], put: [RuntimeContainer] = [], source: HookSource, settings: HookSettings
    ) throws(HookFailure) {
        try call(
            Update.Parameters(
                source: source.rawValue, put: put.isEmpty ? nil : put.map(PublishedContainer.init),
                gone: ids.isEmpty ? nil : ids),
            "\((ids + put.map(\.name)).joined(separator: ", ")) may keep a name for now", settings)
    }

    private static func call(
        _ parameters: Update.Parameters, _ consequence: String, _ settings: HookSettings
    ) throws(HookFailure) {
        do throws(ControlFailure) {
            let connection = try ControlConnection(path: settings.control, timeout: HookSettings.controlTimeout)
            _ = try connection.call(Update.self, parameters)
        } catch {
            throw HookFailure("\(consequence): \(error)")
        }
    }
}
