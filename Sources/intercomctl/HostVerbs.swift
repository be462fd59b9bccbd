// intercomctl host …: the host itself resolves containers; other hosts.

import ArgumentParser
import ControlAPI
import DNSWire
import LinuxNet
import SystemPackage

struct HostVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host", abstract: "Names of containers for the programs of the host itself; other hosts.",
        subcommands: [Enable.self, Disable.self, ShowStatus.self, List.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List the other hosts, and how the bridge to them is.",
            discussion: "They share the networks that [cluster] networks of the configuration names.")

        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.call(ListHosts.self, Nothing()) { reply in
                guard let cluster = reply.cluster else {
                    return "no network is shared with other hosts; [cluster] networks of the configuration names some\n"
                }
                var table = Table(["HOST", "STATE", "ADDRESS", "CONTAINERS"])
                for host in reply.hosts {
                    table.add([host.name, host.state, host.address ?? "", "\(host.containers)"])
                }
                let message = cluster.message.map { " (\($0))" } ?? ""
                let lag = cluster.lag.map { ", the last change was here in \($0) ms" } ?? ""
                let bridge = "\(cluster.agent ?? "bridge"): \(cluster.state)\(message)\(lag)"
                return table.text + DisplayText.escaped(bridge) + "\n"
            }
        }
    }

    struct Enable: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "enable", abstract: "Have the host resolve NAME.NETWORK.internal.",
            discussion: "Puts 127.0.0.11 first in /etc/resolv.conf. The servers there stay, for all other names.")

        @OptionGroup var common: CommonOptions

        func run() throws {
            // A daemon that is not there would leave the host with a server that does not answer.
            let client = try ControlClient(socket: common.socket)
            let file = try HostResolverFile()
            let old = file.octets
            let new = HostResolverText.enabled(old)
            if new != old {
                try file.requireServers()
                try file.write(new)
            }
            let service: Status.HostService
            do throws(Failure) {
                service = try HostProof.waitForService(by: client)
            } catch {
                // Nothing half done: the line that was not there before goes again.
                if new != old { try file.write(old) }
                throw error
            }
            let done =
                new == old ? "\(HostResolverFile.path) has 127.0.0.11 already" : "\(file.path): 127.0.0.11 put first"
            Files.write("\(done); the host resolves NAME.NETWORK.\(service.domain)\n", to: .standardOutput)
        }
    }

    struct Disable: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable", abstract: "Take back what 'host enable' did; no daemon is needed.")

        @OptionGroup var common: CommonOptions

        func run() throws {
            let file = try HostResolverFile()
            let new = HostResolverText.disabled(file.octets)
            if new != file.octets { try file.write(new) }
            Files.write(
                new == file.octets
                    ? "\(HostResolverFile.path) does not have 127.0.0.11 of intercom; nothing to do\n"
                    : "\(file.path): 127.0.0.11 taken out; the rest is as it was\n", to: .standardOutput)
        }
    }

    struct ShowStatus: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "Show whether the host resolves containers, and prove it.")

        @OptionGroup var common: CommonOptions

        func run() throws {
            let text = String(decoding: try HostResolverFile().octets, as: UTF8.self)
            guard HostResolverText.hasLines(text) else {
                throw Failure(
                    status: 1,
                    message:
                        "the host does not resolve containers: \(HostResolverFile.path) does not have 127.0.0.11 of intercom; run 'intercomctl host enable' as root"
                )
            }
            let client = try ControlClient(socket: common.socket)
            let service = try HostProof.waitForService(by: client)
            let proof = try HostProof.lookUpContainer(by: client, domain: service.domain)
            Files.write("\(HostResolverFile.path): 127.0.0.11 is first, and answers\n\(proof)\n", to: .standardOutput)
        }
    }
}

/// The host's resolv.conf, as it was when it was read.
struct HostResolverFile {
    static let path = "/etc/resolv.conf"
    /// Longest file that is edited, in octets: real ones have some hundred.
    private static let limit = 64 * 1024
    /// Directory of the files that systemd-resolved writes itself (systemd-resolved.service(8)).
    private static let directoryOfResolved = "/run/systemd/resolve/"

    /// The file itself, where `/etc/resolv.conf` is a link.
    let path: String
    let octets: [UInt8]

    /// - Throws: ``Failure`` where it cannot be read, or is systemd-resolved's.
    init() throws(Failure) {
        path = Files.trail(of: Self.path).last ?? Self.path
        let target = path.split(separator: "/").suffix(4).dropLast().joined(separator: "/")
        if path.hasPrefix(Self.directoryOfResolved) || target == "run/systemd/resolve" {
            throw Failure(
                status: 1,
                message:
                    "\(Self.path) is a link to \(path), which systemd-resolved writes: this version serves hosts without systemd-resolved alone; nothing was changed"
            )
        }
        do throws(LinuxError) {
            guard let octets = try Files.readBytes(path, limit: Self.limit) else {
                throw LinuxError(call: "open", errno: .noSuchFileOrDirectory, subject: path)
            }
            self.octets = octets
        } catch {
            throw Failure(status: 1, message: "\(Self.path) cannot be read (\(error)); nothing was changed")
        }
    }

    /// - Throws: ``Failure`` where the file names no other server: there would be nobody to ask for all other names.
    func requireServers() throws(Failure) {
        let lines = String(decoding: octets, as: UTF8.self).split(whereSeparator: \.isNewline)
        let hasServer = lines.contains { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            return line.hasPrefix("nameserver") && words.first == "nameserver" && words.count > 1
                && words[1] != "127.0.0.11"
        }
        guard hasServer else {
            throw Failure(
                status: 1,
                message:
                    "\(Self.path) names no other DNS server: all names but those of containers would be lost; nothing was changed"
            )
        }
    }

    /// Replaces the file, all of it or nothing.
    /// - Throws: ``Failure``; the file is as it was then.
    func write(_ new: [UInt8]) throws(Failure) {
        do throws(LinuxError) {
            try Files.rewrite(path, new)
        } catch {
            let cure =
                switch error.errno {
                case .permissionDenied: "; run this as root"
                case .notPermitted: "; run this as root, or take 'chattr +i' from it ('lsattr \(path)')"
                case .readOnlyFileSystem: "; its file system is read-only"
                case .resourceBusy: "; it is mounted over: edit the file that is mounted there"
                default: ""
                }
            throw Failure(status: 1, message: "\(path) cannot be changed (\(error))\(cure); nothing was changed")
        }
    }
}

/// Proof that the host resolves containers: by the C library, as any program would.
private enum HostProof {
    /// Time for the daemon to notice the file and open its listener.
    private static let patience = Duration.seconds(5)
    /// Time between two questions to it, in milliseconds.
    private static let interval = 50

    /// Waits until the daemon serves the host.
    /// - Throws: ``Failure`` with the daemon's reason where it does not.
    static func waitForService(by client: ControlClient) throws(Failure) -> Status.HostService {
        let deadline = ContinuousClock.now + patience
        var last: Status.HostService?
        while true {
            last = try client.call(Status.self, Nothing()).host
            if let last, last.reason == nil { return last }
            guard ContinuousClock.now < deadline else { break }
            Thread.pause(milliseconds: interval)
        }
        throw Failure(
            status: 1,
            message:
                "intercomd does not answer the host: \(last?.reason ?? "it does not see our line in its \(HostResolverFile.path)")"
        )
    }

    /// Looks up a container that has an address, by the C library.
    /// - Returns: a line that says what was found; where there is no container, that nothing could be tried.
    /// - Throws: ``Failure`` where the library finds something else.
    static func lookUpContainer(by client: ControlClient, domain: String) throws(Failure) -> String {
        let containers = try client.allReplies(to: ListContainers.self, .init()).flatMap(\.containers)
        for container in containers {
            guard let endpoint = container.networks.first(where: { !$0.addresses.isEmpty }) else { continue }
            let name = "\(container.name).\(endpoint.network).\(domain)"
            let found = HostLookup.addresses(of: name)
            guard found.contains(where: endpoint.addresses.contains) else {
                let what = found.isEmpty ? "nothing" : found.joined(separator: ", ")
                throw Failure(
                    status: 1,
                    message:
                        "getent ahosts \(name) finds \(what), not \(endpoint.addresses.joined(separator: ", ")): see 'hosts' in /etc/nsswitch.conf, and the first nameserver in \(HostResolverFile.path)"
                )
            }
            return "getent ahosts \(name): \(found.joined(separator: ", "))"
        }
        return "no container has an address yet: nothing to look up"
    }
}
