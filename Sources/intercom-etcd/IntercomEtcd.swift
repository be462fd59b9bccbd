// intercom-etcd: the bridge between intercomd and etcd, by which containers of many hosts call each other by name.

package import ArgumentParser
import Clustering
import ControlAPI
import LinuxNet

/// The command line of `intercom-etcd`.
package struct EtcdCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "intercom-etcd",
        abstract: "Share containers' names with other hosts, on etcd.",
        discussion: """
            It tells etcd of this host's containers on shared networks, and the daemon of those of other hosts. It logs to \
            standard error and ends on SIGTERM; names stay as they were last told. Exit status: 0 told to end; 1 cannot run; \
            2 wrong usage, or mistakes in the configuration.
            """,
        version: Release.text, subcommands: [Roles.self, Leave.self, Dump.self])

    @OptionGroup var files: FileOptions

    @Flag(help: "Read the configuration, say what is wrong with it, and exit.")
    var checkConfig = false

    /// A command without options.
    package init() {}

    package func run() throws {
        var configuration = try EtcdConfiguration(path: files.config)
        if checkConfig {
            try configuration.checkFiles(in: files.config)
            return Files.write("\(files.config): ok\n", to: .standardOutput)
        }
        configuration.settings.release = Release.text
        try BridgeProcess(configuration, state: try StateDirectory(files.stateDir)).run()
    }

    /// As `ParsableCommand.main()`, with the exit statuses that the manual promises.
    package static func main() {
        var command: any ParsableCommand
        do {
            command = try parseAsRoot(Array(ProcessArguments.all.dropFirst()))
        } catch {
            let isUsage = !exitCode(for: error).isSuccess
            Files.write(fullMessage(for: error) + "\n", to: isUsage ? .standardError : .standardOutput)
            Exit.now(isUsage ? 2 : 0)
        }
        do {
            try command.run()
        } catch let error as EtcdConfigurationError {
            Files.write("\(error)\n", to: .standardError)
            Exit.now(2)
        } catch {
            let isUsage = error is CleanExit || error is ValidationError
            Files.write(isUsage ? fullMessage(for: error) + "\n" : "intercom-etcd: \(error)\n", to: .standardError)
            Exit.now(1)
        }
    }
}

/// Options of every verb.
struct FileOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Configuration file.", valueName: "path"))
    var config = "/etc/intercom/etcd.toml"

    @Option(help: ArgumentHelp("Directory of what outlives a restart.", valueName: "path"))
    var stateDir = "/var/lib/intercom-etcd"
}

/// Prints the etcdctl lines by which a host may read everything, and write its own keys alone.
struct Roles: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the etcdctl lines that give a host what it needs, and no more.")

    @OptionGroup var files: FileOptions
    @Argument(help: "Name of the host, which is the common name (CN) of its certificate.")
    var host: String

    func run() throws {
        guard Keyspace.isName(host.utf8) else { throw ValidationError(EtcdConfiguration.notAHost(host)) }
        let prefix = try EtcdConfiguration(path: files.config).settings.prefix
        Files.write(
            """
            etcdctl role add intercom-reader
            etcdctl role grant-permission intercom-reader read --prefix=true \(prefix)/v1/
            etcdctl role add intercom-\(host)
            etcdctl role grant-permission intercom-\(host) readwrite \(prefix)/v1/h/\(host)
            etcdctl role grant-permission intercom-\(host) readwrite --prefix=true \(prefix)/v1/e/\(host)/
            etcdctl user add \(host) --no-password
            etcdctl user grant-role \(host) intercom-reader
            etcdctl user grant-role \(host) intercom-\(host)

            """, to: .standardOutput)
    }
}

/// Takes this host's keys out of etcd.
struct Leave: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take this host and its containers out of etcd; the bridge must not run.")

    @OptionGroup var files: FileOptions

    func run() throws {
        let configuration = try EtcdConfiguration(path: files.config)
        let state = try StateDirectory(files.stateDir)
        var identity = state.identity() ?? BridgeIdentity(instance: "")
        guard identity.keepLease != 0 || identity.aliveLease != 0 else {
            return Files.write("\(configuration.settings.host) has nothing in etcd\n", to: .standardOutput)
        }
        let client = try EtcdClient(configuration)
        // Containers go first: no host is without its key while others still have its names.
        for lease in [identity.keepLease, identity.aliveLease] where lease != 0 { try client.revoke(lease) }
        (identity.keepLease, identity.aliveLease) = (0, 0)
        try state.save(identity)
        Files.write("\(configuration.settings.host) and its containers are out of etcd\n", to: .standardOutput)
    }
}

/// Prints all keys of intercom in etcd.
struct Dump: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print all hosts and containers in etcd: a line each, key and value.")

    @OptionGroup var files: FileOptions

    func run() throws {
        let configuration = try EtcdConfiguration(path: files.config)
        let client = try EtcdClient(configuration)
        let all = Keyspace(prefix: configuration.settings.prefix).all
        try client.forEachPair(all) { key, value in
            let text = "\(String(decoding: key, as: UTF8.self)) \(String(decoding: value, as: UTF8.self))"
            Files.write(BridgeLog.printable(text) + "\n", to: .standardOutput)
        }
    }
}
