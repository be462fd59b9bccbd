// intercomctl host …: the host itself resolves containers; other hosts.

import ArgumentParser
import ControlAPI
import DNSWire
import LinuxNet
import SystemPackage

struct HostVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host", abstract: "Names of containers for the programs of the host itself; other hosts.",
        subcommands: [Enable.self, Disable.self, ShowStatus.self, List.self, Mend.self, Link.self])

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
            discussion: """
                Where programs ask systemd-resolved, it asks intercom for the domain of containers: by its hook (systemd 259), a \
                delegation (258), or a link (before). Elsewhere 127.0.0.11 is put first in /etc/resolv.conf; the servers there \
                stay, for all other names.
                """)

        @OptionGroup var common: CommonOptions

        func run() throws {
            // A daemon that is not there would leave the host with a server that does not answer.
            let domain = try ControlClient(socket: common.socket).call(Status.self, Nothing()).domain ?? "internal"
            let survey = try HostSurvey()
            try HostSurvey.requireRoot()
            let setting = survey.setting
            let wasEnabled = try setting.isEnabled()
            var done = try setting.begin(domain: domain)
            do throws(Failure) {
                let service = try HostProof.waitForService(at: common.socket, expected: setting.way)
                done += try setting.finish(domain: service.domain)
                if setting.isProved { _ = try HostProof.lookUpContainer(at: common.socket, domain: service.domain) }
            } catch {
                // Nothing half done: what was not there before goes again.
                if !wasEnabled { _ = try setting.undo() }
                throw error
            }
            done.append("the host resolves NAME.NETWORK.\(domain)")
            Files.write(done.joined(separator: "; ") + "\n", to: .standardOutput)
        }
    }

    struct Disable: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable", abstract: "Take back what 'host enable' did; no daemon is needed.")

        @OptionGroup var common: CommonOptions

        func run() throws {
            var done: [String] = []
            for setting in HostSurvey.allSettings where try setting.isEnabled() {
                try HostSurvey.requireRoot()
                done += try setting.undo()
            }
            if done.isEmpty { done = ["nothing on this host leads to intercom; nothing to do"] }
            Files.write(done.joined(separator: "\n") + "\n", to: .standardOutput)
        }
    }

    struct ShowStatus: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "Show whether the host resolves containers, and prove it.")

        @OptionGroup var common: CommonOptions

        func run() throws {
            var enabled: [any HostSetting] = []
            for setting in HostSurvey.allSettings where try setting.isEnabled() { enabled.append(setting) }
            guard let first = enabled.first else {
                throw Failure(
                    status: 1,
                    message: "the host does not resolve containers; run 'intercomctl host enable' as root")
            }
            for setting in enabled { try setting.check() }
            let service = try HostProof.waitForService(at: common.socket, expected: first.way)
            let proof = try HostProof.lookUpContainer(at: common.socket, domain: service.domain)
            let lines = enabled.map { $0.description(domain: service.domain) } + [proof]
            Files.write(lines.joined(separator: "\n") + "\n", to: .standardOutput)
        }
    }

    /// Verb that `intercom-resolv-conf.service` runs when somebody has written the host's resolv.conf.
    struct Mend: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "mend", abstract: "Put 127.0.0.11 first in /etc/resolv.conf again.", shouldDisplay: false)

        func run() throws {
            let done = try ResolverFileSetting().mend()
            Files.write(done + "\n", to: .standardOutput)
        }
    }

    /// Verb that `intercom-resolved-link.service` runs when the host starts.
    struct Link: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "link", abstract: "Make the link by which systemd-resolved asks intercom.",
            shouldDisplay: false)

        @OptionGroup var common: CommonOptions

        func run() throws {
            let domain = try ControlClient(socket: common.socket).call(Status.self, Nothing()).domain ?? "internal"
            try ResolvedLinkSetting.makeLink(domain: domain)
        }
    }
}
