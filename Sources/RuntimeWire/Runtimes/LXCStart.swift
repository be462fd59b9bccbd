// LXC's start-host hook: the environment says which container starts (lxc.container.conf(5), "CONTAINER HOOKS").

/// The environment of an LXC hook.
package enum LXCStart {
    /// Variables that are read.
    package static let variables = ["LXC_NAME", "LXC_PID", "LXC_HOOK_TYPE"]

    /// The container that starts.
    /// - Parameter environment: values of ``variables``, without those that are not set.
    package static func container(_ environment: [String: String]) throws(RuntimeWireError) -> RuntimeContainer {
        let name = environment["LXC_NAME"] ?? ""
        guard !name.isEmpty else { throw .badValue(what: "LXC_NAME", value: name) }
        let process = environment["LXC_PID"] ?? ""
        guard let pid = Int32(process), pid > 0 else { throw .badValue(what: "LXC_PID", value: process) }
        var container = RuntimeContainer(name: RuntimeName.whole(name) ?? RuntimeName.short(name), id: name)
        container.pid = pid
        return container
    }
}
