// Settings and limits that all programs have in common which a runtime calls while it starts a container.

import LinuxNet

/// Settings of a hook: its command line is the runtime's, so nothing in it is refused.
struct HookSettings {
    /// Longest wait for what the runtime writes to standard input, which it does before or at once.
    static let inputTimeout = Duration.seconds(1)
    /// Longest wait for the daemon, in each step. It replies to `wait` within 100 ms; a start of a container never waits longer
    /// than this for a daemon that hangs.
    static let controlTimeout = Duration.milliseconds(500)
    /// Control socket unless `--control` names another.
    static let defaultControl = "/run/intercom/control.sock"

    /// The daemon's control socket.
    var control = Self.defaultControl

    /// Reads `--control PATH` and `--control=PATH`; everything else belongs to the runtime, and is passed over.
    /// - Parameter arguments: without the program's name.
    init(_ arguments: [String]) {
        let option = "--control"
        for (position, argument) in arguments.enumerated() {
            if argument.hasPrefix("\(option)=") {
                control = String(argument.dropFirst(option.count + 1))
            } else if argument == option, position + 1 < arguments.count {
                control = arguments[position + 1]
            }
        }
    }
}

/// Reason why a hook did not do what it is for.
struct HookFailure: Error, CustomStringConvertible {
    /// Sentence for the journal: what failed, on what, and what to do.
    var description: String

    init(_ description: String) { self.description = description }
}
