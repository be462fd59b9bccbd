// LXC's hook: lxc-start runs it before the container's init and after its end (start-host and post-stop in lxc.container.conf(5)).

import LinuxNet
import RuntimeWire

/// `lxc-hook`: publishes the container that the environment names, or takes it back. It always exits with 0.
package enum LXCHook {
    /// Name of the program, as a link to it.
    package static let program = "lxc-hook"

    /// Does all of it.
    /// - Parameter arguments: the command line, without the program's name.
    package static func run(_ arguments: [String]) {
        do throws(HookFailure) {
            let environment = Dictionary(
                uniqueKeysWithValues: LXCStart.variables.compactMap { name in
                    Environment.value(of: name).map { (name, $0) }
                })
            let settings = HookSettings(arguments)
            // The last argument is the hook's type.
            if arguments.last == "post-stop", let name = environment["LXC_NAME"] {
                return try HookUpdate.remove([name], source: .lxc, settings: settings)
            }
            let container: RuntimeContainer
            do throws(RuntimeWireError) {
                container = try LXCStart.container(environment)
            } catch {
                throw HookFailure("no container is published: \(error); run this as lxc.hook.start-host")
            }
            if let pid = container.pid, HostNamespace.holds(pid) { return }
            try HookUpdate.put(container, source: .lxc, settings: settings)
        } catch {
            HookJournal.write(error.description, program: "intercom-\(program)")
        }
    }
}
