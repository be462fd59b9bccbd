// An adapter as a test runs it: a directory with sockets of its own, and servers behind them.

import Foundation
import Testing

/// A directory in which servers and an adapter run; all of them end with it.
final class AdapterHouse {
    let directory = "/tmp/ic-a\(UInt32.random(in: 0...UInt32.max))"
    private var processes: [Process] = []

    var docker: String { "\(directory)/docker.sock" }
    var control: String { "\(directory)/control.sock" }
    private var calls: String { "\(directory)/calls" }

    init() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: "\(directory)/intercom-runtimes", withDestinationPath: "\(House.binaries)/intercomd")
        try Data().write(to: URL(fileURLWithPath: calls))
    }

    deinit {
        for process in processes { House.kill(process) }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Starts a program; its standard input stays open.
    @discardableResult
    func start(_ arguments: [String], log: String) throws -> (process: Process, input: Pipe) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        let input = Pipe()
        process.standardInput = input
        let path = "\(directory)/\(log)"
        if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try output.seekToEnd()
        process.standardOutput = output
        process.standardError = output
        try Command.start(process)
        processes.append(process)
        return (process, input)
    }

    func stop(_ process: Process) {
        House.kill(process)
        processes.removeAll { $0 === process }
    }

    /// A socket of Docker's in a mode of Kit/docker.py.
    @discardableResult
    func startDocker(_ mode: String) throws -> (process: Process, input: Pipe) {
        try? FileManager.default.removeItem(atPath: docker)
        let started = try start(["python3", House.kit("docker.py"), docker, mode], log: "docker.log")
        _ = eventually { FileManager.default.fileExists(atPath: docker) }
        return started
    }

    /// A control socket in a mode of Kit/control.py.
    @discardableResult
    func startControl(_ mode: String = "") throws -> Process {
        try? FileManager.default.removeItem(atPath: control)
        let started = try start(["python3", House.kit("control.py"), control, calls, mode], log: "control.log")
        _ = eventually { FileManager.default.fileExists(atPath: control) }
        return started.process
    }

    /// The adapter, for as long as it runs.
    func startAdapter(_ options: String...) throws -> Process {
        try start(
            ["\(directory)/intercom-runtimes", "docker", "--socket", docker, "--control", control] + options,
            log: "log"
        ).process
    }

    /// `intercom-runtimes docker --once`.
    func once(_ options: String...) throws -> Output {
        try program(["docker", "--socket", docker, "--once"] + options)
    }

    /// `intercom-runtimes`, to its end.
    func program(_ arguments: [String]) throws -> Output {
        try Command.run(["\(directory)/intercom-runtimes"] + arguments)
    }

    /// The adapter, between sockets that are elsewhere.
    func startAdapter(docker: String, control: String, _ options: [String]) throws {
        try start(
            ["\(directory)/intercom-runtimes", "docker", "--socket", docker, "--control", control] + options, log: "log"
        )
    }

    /// Lines of the adapter's log.
    var log: [String] { text("log").split(separator: "\n").map(String.init) }

    /// Text of a log.
    func text(_ log: String) -> String {
        (try? String(contentsOfFile: "\(directory)/\(log)", encoding: .utf8)) ?? ""
    }

    /// Calls that the control socket has taken.
    var taken: [Call] {
        let text = (try? String(contentsOfFile: calls, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { try? JSONDecoder().decode(Call.self, from: Data($0.utf8)) }
    }

    /// Facts that the control socket has after all calls: ids of containers with their names, and names of networks.
    var known: (containers: [String: String], networks: [String]) {
        var containers: [String: String] = [:]
        var networks: Set<String> = []
        for call in taken {
            if call.method == "Publish", call.part ?? "first" == "first" { (containers, networks) = ([:], []) }
            for container in (call.containers ?? []) + (call.put ?? []) { containers[container.id] = container.name }
            for id in call.gone ?? [] { containers[id] = nil }
            for network in call.networks ?? [] { networks.insert(network.name) }
            networks.subtract(call.goneNetworks ?? [])
        }
        return (containers, networks.sorted())
    }

    /// A call of Publish or Update.
    struct Call: Decodable {
        struct Network: Decodable { var name: String }
        struct Container: Decodable {
            struct Attachment: Decodable {
                var name: String
                var addresses: [String]?
                var aliases: [String]?
            }
            var id: String
            var name: String
            var hostname: String?
            var pid: Int?
            var netns: String?
            var namespaceOf: String?
            var networks: [Attachment]?
            var upstreams: [String]?
            var draining: Bool?
            var intercept: [String]?
        }
        var method: String?
        var source: String
        var part: String?
        var networks: [Network]?
        var goneNetworks: [String]?
        var containers: [Container]?
        var put: [Container]?
        var gone: [String]?
        var wait: Bool?
    }
}
