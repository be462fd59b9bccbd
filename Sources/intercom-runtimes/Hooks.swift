// Programs that runtimes call by the name of a link: hooks, and the CNI plugin. Their command lines are the runtimes'.

import LinuxNet
import Runtimes

extension RuntimesCommand {
    /// True when a name is that of a program which a runtime calls.
    package static func isHook(_ name: String) -> Bool {
        switch name {
        case OCIHook.program, LXCHook.program: true
        // The name is the project's own, too: only a runtime sets CNI_COMMAND.
        case CNIPlugin.program: CNIPlugin.isCalled
        default: false
        }
    }

    /// Does what such a program is for, and exits.
    /// - Parameter name: the name by which it was called.
    package static func runHook(_ name: String) -> Never {
        let arguments = Array(ProcessArguments.all.dropFirst())
        switch name {
        case CNIPlugin.program: CNIPlugin.main()
        case LXCHook.program: LXCHook.run(arguments)
        default: OCIHook.run(arguments)
        }
        Exit.now(0)
    }
}
