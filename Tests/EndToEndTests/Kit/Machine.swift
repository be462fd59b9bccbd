// A machine of a test's own: a Debian system booted by systemd-nspawn, with nothing in its network.

import Foundation
import Glibc
import Testing

/// A booted systemd. What happens in it stays there; all of it is gone when the test is over.
final class Machine {
    /// Directory in which `make test` has built the tree, or a file that says why it could not.
    private static let directory = ProcessInfo.processInfo.environment["INTERCOM_MACHINE"] ?? ""

    /// Why no machine can be booted; nil where one can.
    static let missing: String? = {
        if directory.isEmpty { return "make test makes the tree that is booted" }
        if let reason = try? String(contentsOfFile: "\(directory)/missing", encoding: .utf8) { return reason }
        return FileManager.default.fileExists(atPath: "\(directory)/tree") ? nil : "there is no tree in \(directory)"
    }()

    private let name = "ic-\(String(UInt32.random(in: 0..<0x1000_0000), radix: 36))"
    private let scratch: String
    private var process: Process?
    /// The machine's first process, as it is called here.
    private var leader: Int32 = 0

    /// The machine's files as they are seen from here.
    var root: String { "/proc/\(leader)/root" }
    private var tree: String { "\(scratch)/merged" }
    private var log: String { (try? String(contentsOfFile: "\(scratch)/log", encoding: .utf8)) ?? "" }

    private init() throws {
        scratch = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        for part in ["upper", "work", "merged"] {
            try FileManager.default.createDirectory(atPath: "\(scratch)/\(part)", withIntermediateDirectories: true)
        }
        let layers = "lowerdir=\(Self.directory)/tree,upperdir=\(scratch)/upper,workdir=\(scratch)/work"
        try Command.must(["mount", "-t", "overlay", "overlay", "-o", layers, tree])
    }

    private func tearDown() {
        if let process, process.isRunning {
            if leader > 0 { kill(leader, SIGKILL) }
            if !eventually(within: 10, { !process.isRunning }) { House.kill(process) }
        }
        _ = try? Command.run(["umount", tree])
        // Control groups are removed from their leaves on.
        for hierarchy in ["", "/systemd", "/unified"] {
            _ = try? Command.run(["find", "/sys/fs/cgroup\(hierarchy)/\(name)", "-depth", "-type", "d", "-delete"])
        }
        try? FileManager.default.removeItem(atPath: scratch)
    }

    private func boot() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "\(House.repository)/Tests/Machine/boot")
        process.arguments = [tree, name]
        try Data().write(to: URL(fileURLWithPath: "\(scratch)/log"))
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(scratch)/log"))
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        self.process = process
        let children = "/proc/\(process.processIdentifier)/task/\(process.processIdentifier)/children"
        let isUp = try eventually(within: 60) {
            guard process.isRunning else { return true }
            leader =
                ((try? String(contentsOfFile: children, encoding: .utf8)) ?? "").split(separator: " ").first
                .flatMap { Int32($0) } ?? 0
            guard leader > 0 else { return false }
            return ["running", "degraded"].contains(try run("systemctl", "is-system-running").text)
        }
        guard isUp, process.isRunning else {
            throw CommandFailure(command: "systemd-nspawn", output: Output(status: 1, out: log, err: ""))
        }
    }

    // MARK: - In the machine

    /// Runs a program in the machine.
    @discardableResult
    func run(_ arguments: String...) throws -> Output { try run(arguments) }

    @discardableResult
    func run(_ arguments: [String]) throws -> Output {
        try Command.run(["nsenter", "--all", "--target", "\(leader)"] + arguments)
    }

    /// Runs a program in the machine that has to succeed.
    @discardableResult
    func must(_ arguments: String...) throws -> Output {
        try Command.must(["nsenter", "--all", "--target", "\(leader)"] + arguments)
    }

    /// systemctl(1), for what has to succeed.
    func systemctl(_ arguments: [String]) throws {
        try Command.must(["nsenter", "--all", "--target", "\(leader)", "systemctl"] + arguments)
    }

    /// Warnings and errors of daemon and opener.
    func warnings() throws -> String {
        try must("journalctl", "--quiet", "--identifier=intercomd", "--priority=warning", "--output=cat").text
    }

    /// Puts a file into the machine.
    func write(_ text: String, to path: String) throws {
        let file = URL(fileURLWithPath: root + path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: file, atomically: true, encoding: .utf8)
    }

    /// A property of a unit, systemctl(1).
    func show(_ unit: String, _ property: String) throws -> String {
        try must("systemctl", "show", unit, "--property", property, "--value").text
    }

    struct NoDaemon: Error {}

    /// The main process of the daemon, as it is called here.
    func daemon() throws -> Int32 {
        let text = try String(contentsOfFile: root + pidFile(), encoding: .utf8)
        // None is there while it is started anew: who polls asks again.
        guard let pid = text.split(separator: "\n").first.flatMap({ Int32($0) }) else { throw NoDaemon() }
        return pid
    }

    /// Names the one process of the daemon, which runs, to each reader as it is called there: in whichever hierarchy of
    /// control groups this host has.
    private func pidFile() throws -> String {
        try must("find", "/sys/fs/cgroup", "-path", "*/system.slice/intercom.service/cgroup.procs").lines.first ?? ""
    }

    /// Makes a namespace in the machine and adds it as a container.
    func container(_ name: String, _ options: String...) throws {
        try must("ip", "netns", "add", name)
        try Command.must(
            ["nsenter", "--all", "--target", "\(leader)", "intercomctl", "container", "add", name, "--netns"]
                + ["/run/netns/\(name)"] + options)
    }

    /// Makes a namespace in the machine whose link `eth0` is plugged into a bridge.
    func plug(_ name: String, into bridge: String, _ address: String) throws {
        try must("ip", "netns", "add", name)
        try must("ip", "link", "add", "\(name)0", "type", "veth", "peer", "name", "eth0", "netns", name)
        try must("ip", "link", "set", "\(name)0", "master", bridge, "up")
        try must("ip", "-n", name, "link", "set", "eth0", "up")
        try must("ip", "-n", name, "addr", "add", address, "dev", "eth0")
    }

    /// Address that a program in a container of the machine gets for a name.
    func address(of name: String, from container: String) throws -> String {
        let output = try run("ip", "netns", "exec", container, "getent", "hosts", name)
        return output.text.split(separator: " ").first.map(String.init) ?? "exit \(output.status)"
    }

    /// Asks 1,000 questions a second from 100 namespaces, while something happens; see `load.py`.
    func load(_ events: String...) throws -> String {
        for number in 0..<100 { try must("ip", "netns", "add", "load\(number)") }
        return try Command.must(
            ["env"] + House.pythonPath + ["python3", House.kit("load.py"), root, "/run/intercom/control.sock"]
                + ["/run/netns/load", try pidFile()]
                + events.map { $0.replacingOccurrences(of: "@", with: "nsenter --all --target \(leader) ") }
        ).text
    }

    // MARK: -

    /// Lends a machine to a test.
    /// - Parameter prepare: is given where its files are before it boots.
    static func lend(prepare: (String) throws -> Void = { _ in }, _ body: (Machine) throws -> Void) throws {
        let machine = try Machine()
        defer { machine.tearDown() }
        try prepare(machine.tree)
        try machine.boot()
        try body(machine)
    }
}

extension Trait where Self == ConditionTrait {
    /// Holds where a machine can be booted.
    static var needsMachine: Self { .enabled(if: geteuid() == 0 && Machine.missing == nil, "\(Machine.missing ?? "")") }
}
