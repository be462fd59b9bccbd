// The way into this room: the program intercomd.

/// The command line of the daemon and of its opener.
package enum DaemonCommand {
    /// Does what the process's arguments say, and exits.
    package static func main() {
        Intercomd.main()
    }
}
