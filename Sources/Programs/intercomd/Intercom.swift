// The one executable that is installed. Each further program of intercom is a link to it: Swift's runtime is there once.

import ClientCommand
import DaemonCommand
import RuntimesCommand

@main
enum Intercom {
    /// Runs the program by whose name it was called; by any name of another's, the daemon.
    static func main() {
        let name = CommandLine.arguments.first?.split(separator: "/").last
        switch name {
        case "intercomctl": ClientCommand.main()
        case "intercom-runtimes": RuntimesCommand.main()
        case let name? where RuntimesCommand.isHook(String(name)): RuntimesCommand.runHook(String(name))
        default: DaemonCommand.main()
        }
    }
}
