// Container runtimes of Debian in a house: each sees its own /run and /var/lib, and the network of the house's host.

import Foundation
import Testing

extension Trait where Self == ConditionTrait {
    /// Only where programs of packages are, in `make test-runtimes`.
    static func needs(_ programs: String...) -> Self {
        .enabled(
            if: ProcessInfo.processInfo.environment["INTERCOM_RUNTIMES"] != nil
                && programs.allSatisfy { FileManager.default.fileExists(atPath: $0) },
            "INTERCOM_RUNTIMES=1 and \(programs.joined(separator: ", "))")
    }
}

/// Mounts in which runtimes leave nothing behind on this machine, and the processes of a test in them.
final class RuntimeLab {
    let house: House
    let adapters: AdapterHouse
    /// Directory of the test's files, the same inside and outside.
    var directory: String { adapters.directory }
    /// Directory with links by the names that runtimes call.
    var programs: String { "\(directory)/bin" }
    /// Root file system of containers: the machine's /usr, mounted read-only, and places for mounts.
    var rootfs: String { "\(directory)/rootfs" }
    private let keeper: Process

    init(in house: House) throws {
        self.house = house
        adapters = try AdapterHouse()
        let directory = adapters.directory
        // Not `ip netns exec`, whose /sys has no control groups; LXC looks for bridges in /sys/class/net.
        let script = """
            set -e
            mkdir -p \(directory)/bin \(directory)/cgroup \(directory)/etc/upper \(directory)/etc/work \
                \(directory)/opt/upper \(directory)/opt/work
            for name in oci-hook lxc-hook intercom intercom-runtimes; do
                ln -s \(House.binaries)/intercomd \(directory)/bin/$name; done
            mount --rbind /sys/fs/cgroup \(directory)/cgroup
            mount -t sysfs sysfs /sys
            mount --rbind \(directory)/cgroup /sys/fs/cgroup
            mount -t tmpfs tmpfs /run
            mkdir -p /run/netns /run/lock
            mount -t overlay -o lowerdir=/etc,upperdir=\(directory)/etc/upper,workdir=\(directory)/etc/work overlay /etc
            mount -t overlay -o lowerdir=/opt,upperdir=\(directory)/opt/upper,workdir=\(directory)/opt/work overlay /opt
            for name in containers containerd lxc cni; do
                mkdir -p /var/lib/$name; mount -t tmpfs tmpfs /var/lib/$name; done
            [ ! -e \(house.resolver) ] || mount --bind \(house.resolver) "$(readlink -f /etc/resolv.conf)"
            mkdir -p \(directory)/rootfs
            cd \(directory)/rootfs
            mkdir usr etc tmp proc sys dev run var
            for name in bin sbin lib lib64; do ln -s usr/$name $name; done
            touch \(directory)/ready
            exec sleep 3600
            """
        let host = house.file(house.path(house.host))
        keeper =
            try adapters.start(
                [
                    "nsenter", "--mount=/proc/\(house.keeperPid)/ns/mnt", "--net=\(host)", "unshare", "--mount",
                    "--propagation", "private", "sh", "-c", script,
                ], log: "keeper.log"
            ).process
        guard eventually({ FileManager.default.fileExists(atPath: "\(adapters.directory)/ready") }) else {
            throw CommandFailure(
                command: "unshare --mount",
                output: Output(status: 1, out: Self.text("keeper.log", in: adapters), err: ""))
        }
    }

    private var view: [String] {
        let namespaces = "/proc/\(keeper.processIdentifier)/ns"
        return [
            "nsenter", "--mount=\(namespaces)/mnt", "--net=\(namespaces)/net", "env",
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        ]
    }

    /// Closes what Foundation leaves open in a child: it takes a program for running as long as anybody holds its socket pair,
    /// and a runtime leaves monitors behind that would hold it. dash closes no descriptor above 9.
    private static let withoutInherited = """
        for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -le 2 ] || eval "exec $fd>&-"; done

        """

    private func shell(_ script: String) -> [String] { view + ["bash", "-c", Self.withoutInherited + script] }

    /// Runs a shell script in these mounts.
    @discardableResult
    func run(_ script: String) throws -> Output { try Command.run(shell(script)) }

    /// Runs a script that has to succeed.
    @discardableResult
    func must(_ script: String) throws -> String { try Command.must(shell(script)).text }

    /// Starts a program in these mounts; it ends with the test.
    @discardableResult
    func start(_ arguments: [String], log: String) throws -> Process {
        try adapters.start(view + arguments, log: log).process
    }

    func write(_ text: String, to path: String) throws {
        try text.write(toFile: "\(directory)/\(path)", atomically: true, encoding: .utf8)
    }

    /// dig in the network namespace of a process, at a server.
    func dig(in pid: String, at server: String, _ arguments: String...) throws -> Reply {
        Reply(
            try Command.run(
                ["nsenter", "--net=/proc/\(pid)/ns/net", "dig", "@\(server)", "+timeout=3", "+tries=1"] + arguments))
    }

    /// True when the answer to a question from a process is these data, within the time of `eventually`.
    func answers(_ data: [String], _ name: String, in pid: String, at server: String = "127.0.0.11") throws -> Bool {
        try eventually(within: 20) { try dig(in: pid, at: server, name).data == data }
    }

    /// Text of a log of a program in this lab.
    func text(_ log: String) -> String { Self.text(log, in: adapters) }

    private static func text(_ log: String, in house: AdapterHouse) -> String {
        (try? String(contentsOfFile: "\(house.directory)/\(log)", encoding: .utf8)) ?? ""
    }

    /// All that may help to find out why a test failed.
    var logs: String {
        let containers = (try? house.ctl("container", "ls"))?.out ?? ""
        return "\(containers)\n\(house.log)\n\(text("log"))"
    }

    /// Lends a lab to a test.
    /// - Parameter resolver: the text of the host's resolv.conf, for daemon and runtimes; nil: the machine's own.
    static func lend(resolver: String? = nil, _ body: (RuntimeLab) throws -> Void) throws {
        try House.lend(resolver: resolver) { house in
            let lab = try RuntimeLab(in: house)
            defer { House.kill(lab.keeper) }
            try body(lab)
        }
    }
}
