// intercomd: the daemon's command line.

import ArgumentParser
import ControlAPI
import IntercomServer
import LinuxNet
import Logging

struct Intercomd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "intercomd",
        abstract: "The DNS server of containers, at 127.0.0.11 inside each network namespace.",
        discussion: """
            Containers are declared in the configuration or by intercomctl. The daemon logs to the journal if that is \
            behind standard error, else to standard error; it reloads its configuration on SIGHUP and ends on SIGTERM. It \
            exits with 0 when told to end, 1 when it cannot start, 2 on wrong usage, 70 when it cannot go on: a restart \
            mends that alone.
            """,
        version: Release.text
    )

    /// Configuration file when `--config` is not given.
    static let defaultConfiguration = "/etc/intercom/intercom.toml"

    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "Configuration file (default: \(Intercomd.defaultConfiguration) if it exists).", valueName: "path"))
    var configPath: String?

    @Option(
        help: ArgumentHelp("Control socket (default: as configured, /run/intercom/control.sock).", valueName: "path"))
    var socket: String?

    @Option(
        help: ArgumentHelp("Directory of what outlives a restart: what intercomctl has declared.", valueName: "path"))
    var stateDir = "/var/lib/intercom"

    @Option(help: ArgumentHelp("Least severe messages that are logged; trace shows every query.", valueName: "level"))
    var logLevel = LogLevel.info

    @Flag(
        help: """
            Be the opener: enter namespaces for a daemon without privileges, at the socket that the service manager hands \
            over, else at --opener-socket.
            """)
    var opener = false

    @Option(
        help: ArgumentHelp(
            "Socket of the opener that this daemon asks (default: it enters namespaces itself).", valueName: "path"))
    var openerSocket: String?

    @Flag(help: "Read the configuration, say what is wrong with it, and exit.")
    var checkConfig = false

    func run() throws {
        if opener { return try runOpener() }
        var file = ConfigurationFile(path: configPath ?? Self.defaultConfiguration, isOptional: configPath == nil)
        try file.read()
        if checkConfig {
            print(file.isPresent ? "\(file.path): ok" : "no configuration file: defaults are ok")
            return
        }
        let logger = Logger(daemonAt: logLevel.level)
        if openerSocket == nil, !Capabilities.canEnterNamespaces { throw NotPrivileged() }
        Limits.raiseOpenFiles()
        AllowedFiles.limit(settings: file.configuration, stateDirectory: stateDir, logger)
        let options = DaemonOptions(
            configurationFile: file, socket: socket, stateDirectory: stateDir, openerSocket: openerSocket)
        let plane = try ControlPlane(options: options, logger: logger)
        try plane.begin()
        do {
            try plane.run()
        } catch {
            throw Breakdown(cause: error)
        }
    }

    private func runOpener() throws {
        var service = try OpenerService(path: openerSocket, logger: Logger(daemonAt: logLevel.level))
        try service.run()
    }

    /// As `ParsableCommand.main()`, with the exit statuses that the manual promises.
    static func main() {
        let command: Self
        do {
            command = try parse(Array(ProcessArguments.all.dropFirst()))
        } catch {
            let isUsage = !exitCode(for: error).isSuccess
            Files.write(fullMessage(for: error) + "\n", to: isUsage ? .standardError : .standardOutput)
            Exit.now(isUsage ? 2 : 0)
        }
        do {
            try command.run()
        } catch let error as Breakdown {
            Files.write("intercomd: \(error.cause)\n", to: .standardError)
            Exit.now(Breakdown.status)
        } catch let error as ConfigurationError {
            // Each line begins with its file and place, for editors.
            refuseToStart("\(error)\n")
        } catch {
            refuseToStart("intercomd: \(error)\n")
        }
    }

    /// Ends with 1, which RestartPreventExitStatus= of the units names: says so where a service manager has started us.
    private static func refuseToStart(_ message: String) -> Never {
        Files.write(message, to: .standardError)
        // sd_notify(3): a service manager waits for us.
        if Environment.value(of: "NOTIFY_SOCKET") != nil {
            Files.write(
                "intercomd: a restart does not mend that, so there is none; mend it, then start the unit (systemctl start)\n",
                to: .standardError)
        }
        Exit.now(1)
    }
}

/// The reason why a daemon that ran cannot go on. Another start may mend it.
private struct Breakdown: Error {
    /// EX_SOFTWARE, sysexits.h.
    static let status: Int32 = 70

    let cause: any Error
}

/// Nobody here may enter a namespace.
private struct NotPrivileged: Error, CustomStringConvertible {
    let description =
        "no namespace can be entered: this is not root, and there is no opener; run it as root, or start intercom-opener.service and name its socket by --opener-socket"
}

/// The levels of `--log-level`, as swift-log has them.
enum LogLevel: String, CaseIterable, ExpressibleByArgument {
    case trace, debug, info, notice, warning, error, critical

    var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
}
