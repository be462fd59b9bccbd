// A house of a test's own: a namespace that plays the host, with an intercomd in it, and namespaces for containers.

import Foundation
import Glibc

/// Everything that a test makes in the kernel; all of it is gone when the test is over.
final class House {
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// Directory of the binaries.
    static let binaries = ProcessInfo.processInfo.environment["INTERCOM_BIN"] ?? "\(repository)/.build/debug"

    /// The namespace that plays the host.
    let host = "house"
    let directory: String
    /// Keeps the mount namespace in which `/run/netns` and `/etc/netns` are this house's own.
    private let keeper: Process
    private(set) var namespaces: [String] = []
    private var processes: [Process] = []
    private(set) var daemon: Process?

    var socket: String { "\(directory)/control.sock" }
    var state: String { "\(directory)/state" }
    var configuration: String { "\(directory)/intercom.toml" }
    /// The resolv.conf that the daemon takes for the host's, in a house that has one of its own.
    var resolver: String { "\(directory)/etc/resolv.conf" }
    /// Stand-in for `/run/systemd/resolve`.
    var resolved: String { "\(directory)/resolved" }
    /// Log of intercomd.
    var log: String { (try? String(contentsOfFile: "\(directory)/log", encoding: .utf8)) ?? "" }

    private init() throws {
        let id = "ic" + String(UInt32.random(in: 0..<0x1000_0000), radix: 36)
        directory = FileManager.default.temporaryDirectory.appendingPathComponent(id).path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        keeper = try Self.seclude(directory)
        _ = try namespace(host)
        try ip("link set lo up")
    }

    /// Starts what keeps the house's mount namespace.
    private static func seclude(_ directory: String) throws -> Process {
        let script = """
            mkdir -p /run/netns /etc/netns && mount -t tmpfs tmpfs /run/netns && mount -t tmpfs tmpfs /etc/netns &&
            touch \(directory)/secluded && exec sleep 3600
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]
        process.standardInput = FileHandle.nullDevice
        try Command.start(process)
        guard eventually({ FileManager.default.fileExists(atPath: "\(directory)/secluded") }) else {
            kill(process)
            throw CommandFailure(command: "unshare --mount", output: Output(status: 1, out: "", err: ""))
        }
        return process
    }

    private func tearDown() {
        if let daemon { Self.end(daemon) }
        for process in processes { Self.kill(process) }
        for name in namespaces.reversed() {
            endProcesses(in: name)
            _ = try? Command.run(view + ["ip", "netns", "del", name])
        }
        Self.kill(keeper)
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static func end(_ process: Process) {
        guard process.isRunning else { return }
        process.terminate()
        process.waitUntilExit()
    }

    /// Ends a process that a test has started. Not by SIGTERM: it inherited the signal mask of a test's thread.
    static func kill(_ process: Process) {
        guard process.isRunning else { return }
        Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// A process in the house's mount namespace.
    var keeperPid: Int32 { keeper.processIdentifier }

    // MARK: - Namespaces and processes

    /// Makes a network namespace and gives its path.
    func namespace(_ name: String) throws -> String {
        try command("ip", "netns", "add", name)
        namespaces.append(name)
        return path(name)
    }

    /// Deletes a namespace, as `ip netns` does it.
    func deleteNamespace(_ name: String) throws {
        try command("ip", "netns", "del", name)
        namespaces.removeAll { $0 == name }
    }

    /// Kills what runs in a namespace, also what the processes of a test have left behind.
    func endProcesses(in name: String) {
        let pids = (try? Command.run(view + ["ip", "netns", "pids", name]))?.lines ?? []
        for pid in pids.compactMap({ Int32($0) }) { Glibc.kill(pid, SIGKILL) }
    }

    func hasNamespace(_ name: String) -> Bool { namespaces.contains(name) }

    func path(_ name: String) -> String { "/run/netns/\(name)" }

    /// Runs `ip` in a namespace: a line as people type it.
    @discardableResult
    func ip(in name: String = "house", _ line: String) throws -> Output {
        try Command.must(view + ["ip", "-n", name] + line.split(separator: " ").map(String.init))
    }

    /// True when a namespace has a link of this name.
    func hasLink(_ link: String, in name: String = "house") throws -> Bool {
        try Command.run(view + ["ip", "-n", name, "link", "show", link]).status == 0
    }

    /// Runs a program where `/run/netns` and `/etc/netns` are this house's.
    func command(_ arguments: String...) throws {
        try Command.must(view + arguments)
    }

    /// Start of each command in this house.
    private var view: [String] { ["nsenter", "--mount=/proc/\(keeper.processIdentifier)/ns/mnt"] }

    /// Path from outside to a file of this house below `/etc/netns` or `/run/netns`.
    func file(_ path: String) -> String { "/proc/\(keeper.processIdentifier)/root\(path)" }

    /// Runs a program in a namespace of this house.
    @discardableResult
    func run(in name: String, _ arguments: [String], input: String = "", within seconds: Int = 60) throws -> Output {
        try Command.run(view + ["ip", "netns", "exec", name] + arguments, input: input, within: seconds)
    }

    /// Starts a program in a namespace, and waits until it is there; it is ended with the house.
    @discardableResult
    func start(in name: String, _ arguments: [String], log: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = view + ["ip", "netns", "exec", name] + arguments
        process.standardInput = FileHandle.nullDevice
        let path = "\(directory)/\(log)"
        try Data().write(to: URL(fileURLWithPath: path))
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        process.standardOutput = output
        process.standardError = output
        try Command.start(process)
        processes.append(process)
        // Until then its pid means a process in a namespace that is none of this house.
        let isThere = try eventually { try !process.isRunning || isIn(name, process) }
        guard isThere else {
            throw CommandFailure(command: "ip netns exec \(name)", output: Output(status: 1, out: "", err: ""))
        }
        return process
    }

    /// True when a process is in a namespace.
    private func isIn(_ name: String, _ process: Process) throws -> Bool {
        let file = try FileManager.default.attributesOfItem(atPath: file(path(name)))[.systemFileNumber] as? UInt64
        let entered = try? FileManager.default.destinationOfSymbolicLink(
            atPath: "/proc/\(process.processIdentifier)/ns/net")
        return file.map { "net:[\($0)]" } == entered
    }

    /// Runs Python with PyPI's packages of the tests.
    func python(in name: String = "house", _ script: String, _ arguments: [String] = []) throws -> Output {
        let file = "\(directory)/\(UUID().uuidString).py"
        try script.write(toFile: file, atomically: true, encoding: .utf8)
        return try run(in: name, ["env"] + Self.pythonPath + ["python3", file] + arguments)
    }

    /// A file beside this one.
    static func kit(_ file: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(file).path
    }

    static var pythonPath: [String] {
        ProcessInfo.processInfo.environment["INTERCOM_PYTHONPATH"].map { ["PYTHONPATH=\($0)"] } ?? []
    }

    // MARK: - intercomd

    /// For a daemon that knows of nothing but what is declared.
    static let undiscovered = "[discover]\nenabled = false\n"

    /// Starts the daemon with a configuration and waits until it takes calls.
    /// - Parameters:
    ///   - resolver: the text of a resolv.conf; nil: the daemon sees the machine's own.
    ///   - wrapper: a command that runs the command behind it.
    func startDaemon(
        _ text: String, options: [String] = [], resolver: String? = nil, under wrapper: [String] = []
    ) throws {
        try text.write(toFile: configuration, atomically: true, encoding: .utf8)
        let process = try start(
            in: "house",
            (try resolver.map { try furnish(resolver: $0) } ?? []) + wrapper
                + [
                    "\(Self.binaries)/intercomd", "--config", configuration, "--socket", socket, "--state-dir",
                    state,
                ]
                + options, log: "log")
        processes.removeLast()
        daemon = process
        let isUp = try eventually(within: 20) { try !process.isRunning || ctl("status").status == 0 }
        guard isUp, process.isRunning else {
            throw CommandFailure(command: "intercomd", output: Output(status: 1, out: log, err: ""))
        }
    }

    /// Makes an `/etc` of this house alone, but for `/etc/netns`.
    /// - Returns: what stands before a command that sees it: mounts in the mount namespace that `ip netns exec` has made.
    private func furnish(resolver text: String) throws -> [String] {
        let etc = "\(directory)/etc"
        try FileManager.default.createDirectory(atPath: "\(etc)/netns", withIntermediateDirectories: true)
        for file in ["passwd", "group", "nsswitch.conf"] {
            try? FileManager.default.copyItem(atPath: "/etc/\(file)", toPath: "\(etc)/\(file)")
        }
        try text.write(toFile: resolver, atomically: true, encoding: .utf8)
        try FileManager.default.createDirectory(atPath: resolved, withIntermediateDirectories: true)
        let mounts =
            "mkdir -p /etc/netns /run/systemd/resolve && mount --bind /etc/netns \(etc)/netns"
            + " && mount --rbind \(etc) /etc && mount --bind \(resolved) /run/systemd/resolve"
        return ["sh", "-c", "\(mounts) && exec \"$@\"", "furnish"]
    }

    /// Ends the daemon as an operator would; gives its exit status.
    func stopDaemon() -> Int32? {
        guard let daemon else { return nil }
        daemon.terminate()
        daemon.waitUntilExit()
        self.daemon = nil
        return daemon.terminationStatus
    }

    /// Kills the daemon as a crash would, and starts it again with the same configuration.
    func crashDaemon() throws {
        if let daemon { Self.kill(daemon) }
        daemon = nil
        try startDaemon(try String(contentsOfFile: configuration, encoding: .utf8))
    }

    /// intercomctl.
    @discardableResult
    func ctl(_ arguments: String...) throws -> Output {
        try Command.run(["\(Self.binaries)/intercomctl", "--socket", socket] + arguments)
    }

    /// intercomctl, for what has to succeed.
    func ctl(_ arguments: [String]) throws -> Output {
        try Command.run(["\(Self.binaries)/intercomctl", "--socket", socket] + arguments)
    }

    func mustCtl(_ arguments: String...) throws {
        try Command.must(["\(Self.binaries)/intercomctl", "--socket", socket] + arguments)
    }

    /// Makes a namespace and adds it as a container.
    func container(_ name: String, _ options: String...) throws {
        _ = try namespace(name)
        try Command.must(
            ["\(Self.binaries)/intercomctl", "--socket", socket, "container", "add", name, "--netns", path(name)]
                + options)
    }

    /// Reply to dig in a container.
    func dig(_ container: String, _ arguments: String...) throws -> Reply {
        Reply(
            try run(
                in: container, ["dig", "@127.0.0.11", "+timeout=6", "+tries=1", "+noadflag", "+nocookie"] + arguments))
    }

    // MARK: -

    /// Lends a house to a test.
    /// - Parameter resolver: the text of the host's resolv.conf; nil: the machine's own.
    static func lend(
        configuration: String = "", options: [String] = [], resolver: String? = nil, _ body: (House) throws -> Void
    ) throws {
        let house = try House()
        defer { house.tearDown() }
        try house.startDaemon(configuration, options: options, resolver: resolver)
        try body(house)
    }
}

/// Output of dig, parsed.
struct Reply: CustomStringConvertible {
    /// `NOERROR`, `NXDOMAIN` …; empty where no answer came.
    var status = ""
    var flags: Set<String> = []
    /// Records as `name ttl class type data`, one blank between.
    var answer: [String] = []
    var authority: [String] = []
    var output: Output

    init(_ output: Output) {
        self.output = output
        var section = ""
        for line in output.lines {
            if let range = line.range(of: "status: ") {
                status = String(line[range.upperBound...].prefix { $0 != "," })
            }
            if line.hasPrefix(";; flags: ") {
                flags = Set(line.dropFirst(10).prefix { $0 != ";" }.split(separator: " ").map(String.init))
            }
            if line.hasSuffix(" SECTION:") { section = line }
            if line.isEmpty || line.hasPrefix(";") { continue }
            let record = line.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            if section.contains("ANSWER") { answer.append(record) }
            if section.contains("AUTHORITY") { authority.append(record) }
        }
    }

    /// Time that dig shows for the answer.
    var milliseconds: Int? {
        output.lines.first { $0.hasPrefix(";; Query time: ") }?.split(separator: " ").dropFirst(3).first.flatMap {
            Int($0)
        }
    }

    /// The data of the answer's records, sorted.
    var data: [String] {
        answer.map { $0.split(separator: " ", maxSplits: 4).last.map(String.init) ?? "" }.sorted()
    }

    var description: String { output.description }
}
