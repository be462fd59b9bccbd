// The way into this room: the program intercom-runtimes.

/// The command lines of the adapters of container runtimes.
package enum RuntimesCommand {
    /// Does what the process's arguments say, and exits.
    package static func main() {
        IntercomRuntimes.main()
    }
}
