// Debian's dockerd in a house: in its own host's namespace, with containers made of the machine's own /usr.

import Foundation
import Testing

extension Trait where Self == ConditionTrait {
    /// Only where dockerd is, in `make test-runtimes`.
    static var needsDocker: Self {
        .enabled(
            if: ProcessInfo.processInfo.environment["INTERCOM_RUNTIMES"] != nil && RealDocker.isInstalled,
            "INTERCOM_RUNTIMES=1 and the package docker.io")
    }
}

/// A dockerd with an adapter of its own.
final class RealDocker {
    static var isInstalled: Bool { FileManager.default.fileExists(atPath: "/usr/sbin/dockerd") }

    let house: House
    private let adapterHouse: AdapterHouse
    private var directory: String { "\(house.directory)/docker" }
    private var socket: String { "\(directory)/docker.sock" }
    var pidFile: String { "\(directory)/pid" }

    /// Starts dockerd and gives it an image.
    init(in house: House) throws {
        self.house = house
        adapterHouse = try AdapterHouse()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try #"{"live-restore": true}"#.write(toFile: "\(directory)/daemon.json", atomically: true, encoding: .utf8)
        try startDaemon()
        // Links into /usr, and places for what is mounted: everything else is the machine's.
        let script = """
            cd "$(mktemp -d)" && mkdir usr etc tmp proc sys dev run var && for l in bin sbin lib lib64; do ln -s usr/$l $l; done &&
            tar c . | /usr/bin/docker --host unix://\(socket) import - tiny && rm -rf "$PWD"
            """
        try Command.must(["sh", "-c", script])
    }

    /// Starts dockerd, and waits until it answers.
    func startDaemon() throws {
        // Of a containerd that was killed with dockerd, which a new one would wait for.
        for file in [pidFile, "\(directory)/exec/containerd/containerd.pid"] {
            try? FileManager.default.removeItem(atPath: file)
        }
        // Not by `ip netns exec`, whose /sys has no control groups.
        let view = ["nsenter", "--mount=/proc/\(house.keeperPid)/ns/mnt", "nsenter", "--net=\(house.path("house"))"]
        let options = [
            "--config-file", "\(directory)/daemon.json", "--data-root", "\(directory)/data", "--exec-root",
            "\(directory)/exec",
            "--pidfile", pidFile, "--host", "unix://\(socket)", "--storage-driver", "vfs",
        ]
        try adapterHouse.start(view + ["env", "PATH=/usr/sbin:/usr/bin", "dockerd"] + options, log: "dockerd.log")
        guard try eventually(within: 60, { try run("version").status == 0 }) else {
            throw CommandFailure(
                command: "dockerd", output: Output(status: 1, out: adapterHouse.text("dockerd.log"), err: ""))
        }
    }

    /// Kills dockerd, and what it has started of its own, as a crash would; containers run on.
    func killDaemon() throws {
        let pid = try String(contentsOfFile: pidFile, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        try Command.must(["kill", "-9", pid])
        _ = eventually { !FileManager.default.fileExists(atPath: "/proc/\(pid)") }
    }

    /// Starts the adapter.
    func startAdapter(_ options: String...) throws {
        try adapterHouse.startAdapter(docker: socket, control: house.socket, options)
    }

    /// Lines of the adapter's log.
    var log: [String] { adapterHouse.log }

    /// docker, for what has to succeed.
    @discardableResult
    func must(_ arguments: String...) throws -> String {
        try Command.must(["/usr/bin/docker", "--host", "unix://\(socket)"] + arguments).text
    }

    /// docker.
    func run(_ arguments: String...) throws -> Output {
        try Command.run(["/usr/bin/docker", "--host", "unix://\(socket)"] + arguments)
    }

    /// Runs a container that does nothing.
    func container(_ name: String, _ options: String...) throws {
        try Command.must(
            [
                "/usr/bin/docker", "--host", "unix://\(socket)", "run", "--detach", "--name", name, "--volume",
                "/usr:/usr:ro",
            ]
                + options + ["tiny", "sleep", "3600"])
    }

    /// Starts containers that were created, sixteen at a time.
    func startAll(_ names: [String]) throws {
        let docker = "/usr/bin/docker --host unix://\(socket)"
        let list = names.joined(separator: " ")
        try Command.must(["sh", "-c", "printf '%s\\n' \(list) | xargs -P 16 -n 1 \(docker) start"])
    }

    /// Writes lines of a command to a log, each behind the nanoseconds of the clock when it came.
    private func stamp(_ command: [String], log: String) throws {
        let script = "import sys, time\nfor line in sys.stdin: print(time.time_ns(), line, end='', flush=True)"
        try house.start(
            in: "house", ["sh", "-c", "script=$1; shift; \"$@\" | python3 -uc \"$script\"", "sh", script] + command,
            log: log)
    }

    /// Has a log of each start of a container as Docker tells of it, and one of each name as it is there.
    func watchStarts() throws {
        try stamp(["\(House.binaries)/intercomctl", "--socket", house.socket, "monitor"], log: "names")
        try stamp(
            [
                "/usr/bin/docker", "--host", "unix://\(socket)", "events", "--filter", "event=start", "--format",
                "{{.TimeNano}} container {{.Actor.Attributes.name}}",
            ], log: "starts")
    }

    /// Nanoseconds from Docker's event to the name, of each container that has both.
    func delays() -> [String: Int] {
        var starts: [String: Int] = [:]
        for words in words(of: "starts") where words.count == 4 { starts[words[3]] = Int(words[1]) }
        var delays: [String: Int] = [:]
        for words in words(of: "names") where words.count > 3 && words[1...2] == ["container", "added"] {
            if let start = starts[words[3]], let end = Int(words[0]) { delays[words[3]] = end - start }
        }
        return delays
    }

    private func words(of log: String) -> [[String]] {
        let text = (try? String(contentsOfFile: "\(house.directory)/\(log)", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }

    /// The addresses that a container is answered, sorted; empty where there are none, nil where it is not known yet.
    func addresses(_ name: String, from container: String) throws -> [String]? {
        let output = try house.ctl("--json", "resolve", name, "--from", container)
        struct Reply: Decodable {
            struct Answer: Decodable {
                struct Record: Decodable { var data: String }
                var answers: [Record]
            }
            var answer: Answer
        }
        guard let reply = try? JSONDecoder().decode(Reply.self, from: Data(output.out.utf8)) else { return nil }
        return reply.answer.answers.map(\.data).sorted()
    }

    /// Expects that a container is answered these addresses before long; nil: that it is not known.
    func expect(
        _ name: String, from container: String, _ expected: [String]?, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let isSo = try eventually { try addresses(name, from: container) == expected }
        if isSo { return }
        let answer = try addresses(name, from: container)
        Issue.record(
            "\(name) from \(container): \(answer ?? []), not \(expected ?? [])\n\(log)\n\(house.log)",
            sourceLocation: sourceLocation)
    }

    /// Address of a container on a network.
    func address(_ container: String, on network: String) throws -> String {
        try must(
            "inspect", "--format", "{{(index .NetworkSettings.Networks \"\(network)\").IPAddress}}", container)
    }

    /// Address of the host on a container's network.
    func gateway(of container: String, on network: String) throws -> String {
        try must("inspect", "--format", "{{(index .NetworkSettings.Networks \"\(network)\").Gateway}}", container)
    }

    /// dig at 127.0.0.11 in a container's network namespace.
    func dig(in container: String, _ arguments: String...) throws -> Reply {
        let pid = try must("inspect", "--format", "{{.State.Pid}}", container)
        return Reply(
            try Command.run(
                ["nsenter", "--net=/proc/\(pid)/ns/net", "dig", "@127.0.0.11", "+timeout=3", "+tries=1"] + arguments))
    }

    /// Ends everything: containers, dockerd and what it has started.
    func tearDown() {
        let ids = (try? run("ps", "--all", "--quiet"))?.lines ?? []
        if !ids.isEmpty {
            _ = try? Command.run(["/usr/bin/docker", "--host", "unix://\(socket)", "rm", "--force"] + ids)
        }
        if let pid = try? String(contentsOfFile: pidFile, encoding: .utf8) {
            _ = try? Command.run(["kill", pid.trimmingCharacters(in: .whitespacesAndNewlines)])
            _ = eventually { !FileManager.default.fileExists(atPath: pidFile) }
        }
    }

    /// Lends a house with dockerd to a test.
    static func lend(configuration: String = "", _ body: (RealDocker) throws -> Void) throws {
        try House.lend(configuration: configuration) { house in
            let docker = try RealDocker(in: house)
            defer { docker.tearDown() }
            try body(docker)
        }
    }
}
