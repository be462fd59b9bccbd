// The way into this room: the program intercomctl.

/// The command line of the control socket.
package enum ClientCommand {
    /// Does what the process's arguments say, and exits.
    package static func main() {
        Intercomctl.main()
    }
}
