// intercomctl container …

import ArgumentParser
import ControlAPI
import DNSWire
import LinuxNet
import Registry

struct ContainerVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "container", abstract: "Containers: namespaces and their names.",
        subcommands: [Add.self, Remove.self, List.self, Inspect.self, Drain.self, Ready.self])
}

extension ContainerVerbs {
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a container its intercom.",
            discussion: """
                It is in force when this returns. Where questions of its programs do not reach its listener, a line on \
                standard error says why. With --netns or --pid the container can ask at 127.0.0.11; without, it is a machine elsewhere that \
                others can name by its addresses. It is on the networks that are named by --network, else on those that \
                its links are plugged into.
                """)

        @Argument(help: "Its name, as web; it may have dots, as db.1.")
        var name: String

        @Option(help: ArgumentHelp("Its network namespace, as /run/netns/web.", valueName: "path"), completion: .file())
        var netns: String?

        @Option(help: ArgumentHelp("A process in its network namespace.", valueName: "pid"))
        var pid: Int?

        @Option(
            name: .customLong("network"),
            help: ArgumentHelp(
                "A network that it is on; may be repeated, the first answers first.",
                valueName: "name[,ip=addr]...[,alias=name]..."), completion: .networks,
            transform: AddContainer.Attachment.init(argument:))
        var networks: [AddContainer.Attachment] = []

        @Option(help: ArgumentHelp("A further name of its own.", valueName: "name"))
        var hostname: String?

        @Option(help: ArgumentHelp("What its runtime calls it.", valueName: "id"))
        var id: String?

        @Option(
            name: .customLong("link"),
            help: ArgumentHelp("A name of another container that it alone sees.", valueName: "container:name"),
            completion: .containers, transform: Link.init(argument:))
        var links: [Link] = []

        @Option(
            name: .customLong("port"),
            help: ArgumentHelp("A port that SRV answers tell of.", valueName: "port[/tcp|/udp][=service]"),
            transform: Port.init(argument:))
        var ports: [Port] = []

        @Option(help: ArgumentHelp("Write a resolv.conf for it here.", valueName: "path"), completion: .file())
        var resolvConf: String?

        @Option(
            help: ArgumentHelp(
                "How port 53 is taken in its namespace; redirect lets it serve DNS itself (default: as configured).",
                valueName: "mode"))
        var listen: ListenMode?

        @Option(
            defaultAsFlag: [],
            help: ArgumentHelp(
                "Answer what it asks of these servers; without a value, of those in its own resolv.conf.",
                valueName: "addr,..."),
            transform: { $0.split(separator: ",", omittingEmptySubsequences: false).map { String($0) } })
        var intercept: [String]?

        @Flag(
            help: """
                Take the place of a container of this name that was added before; without --netns and --pid in the same \
                namespace. Its other options are forgotten.
                """)
        var replace = false

        @Flag(
            help: """
                For a guest on a network with a gateway listener: return when its first question was answered. No limit of \
                time; end it with ^C.
                """)
        var wait = false

        @Option(
            help: ArgumentHelp("The policy that says which names it may ask for.", valueName: "policy"),
            completion: .policies)
        var policy: String?

        @OptionGroup var common: CommonOptions

        func validate() throws {
            if netns != nil && pid != nil { throw ValidationError("Give --netns or --pid, not both.") }
            // Not while it is read: a value that is refused there is taken for none.
            do throws(RegistryError) {
                for address in intercept ?? [] { _ = try IPAddress(ofResolver: address) }
            } catch {
                throw ValidationError("--intercept: \(error).")
            }
            if let pid, pid < 1 { throw ValidationError("'\(pid)' is not a process number; expected 1 or more.") }
        }

        func run() throws {
            let parameters = AddContainer.Parameters(
                name: name, netns: netns, pid: pid, networks: networks.isEmpty ? nil : networks, hostname: hostname,
                id: id, links: links, ports: ports, resolvConf: resolvConf, listen: listen?.rawValue,
                intercept: intercept, replace: replace ? true : nil, policy: policy, wait: wait ? true : nil)
            let reply = try common.reply(AddContainer.self, parameters) { _ in "" }
            guard let state = reply.state, state != "ready", state != "draining" else { return }
            let details = [reply.reason, reply.cure].compactMap(\.self).joined(separator: "; ")
            Failure(status: 0, message: "container \(name) is added, but \(state): \(details)").report()
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Take a container's intercom and its names away.",
            discussion: "What the kernel shows of it stays: a namespace that was found is answered as such.")

        @Argument(completion: .containers) var names: [String]
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.callEach(names) { client, name throws(Failure) in
                _ = try client.call(RemoveContainer.self, Named(name: name))
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List containers.",
            discussion: "'container inspect' says why one is not ready, and what to do.")

        @Flag(help: "Also those that are waited for, and those that ended within ten minutes.")
        var all = false

        @Flag(help: "Those of other hosts, on networks that are shared with them.")
        var remote = false

        @OptionGroup var common: CommonOptions

        func run() throws {
            if remote { return try listRemote() }
            var listing = Listing<ControlAPI.Container>(
                "containers", ["CONTAINER", "NAMESPACE", "NETWORKS", "ADDRESSES", "STATE", "SOURCE"],
                isJSON: common.json, name: \.name
            ) { container in
                [
                    container.name, container.namespace, container.networks.map(\.network),
                    container.networks.flatMap(\.addresses), container.state, container.sources,
                ]
            }
            let client = try ControlClient(socket: common.socket)
            try client.replies(to: ListContainers.self, .init(all: all ? true : nil, brief: common.json ? nil : true)) {
                reply in
                for container in reply.containers { listing.add(container) }
            }
            listing.end()
        }

        private func listRemote() throws {
            var listing = Listing<ControlAPI.Container>(
                "containers", ["CONTAINER", "HOST", "REACHED AT", "NETWORKS", "ADDRESSES", "STATE"],
                isJSON: common.json, name: \.name
            ) { container in
                [
                    container.name, container.host ?? "", container.hostAddress ?? "",
                    container.networks.map(\.network), container.networks.flatMap(\.addresses), container.state,
                ]
            }
            let client = try ControlClient(socket: common.socket)
            try client.replies(to: ListContainers.self, .init(remote: true)) { reply in
                for container in reply.containers { listing.add(container) }
            }
            listing.end()
        }
    }

    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a container, its networks and all its names.")

        @Argument(completion: .containers) var names: [String]
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.callEach(names) { client, name throws(Failure) in
                try client.call(InspectContainer.self, Named(name: name)).container
            } show: {
                print($0)
            }
        }

        /// One as the daemon's reply, several as those of a list.
        private func print(_ containers: [ControlAPI.Container]) {
            if common.json {
                if names.count > 1 {
                    Files.write(
                        CommonOptions.document(ListContainers.Reply(containers: containers)), to: .standardOutput)
                } else if let container = containers.first {
                    Files.write(
                        CommonOptions.document(InspectContainer.Reply(container: container)), to: .standardOutput)
                }
            } else {
                Files.write(containers.map(Self.text).joined(separator: "\n"), to: .standardOutput)
            }
        }

        private static func text(_ container: ControlAPI.Container) -> String {
            var facts = Table(["CONTAINER", container.name], .wrap)
            facts.add(["id", container.id ?? ""])
            facts.add(["hostname", container.hostname ?? ""])
            facts.add(["namespace", container.namespace])
            facts.add(["listener", container.listener ?? ""])
            facts.add(["listen", container.hasNamespace ? container.listen : ""])
            if let servers = container.resolvers { facts.add(["resolvers", servers]) }
            if let addresses = container.intercepted { facts.add(["intercepted", addresses]) }
            if let policy = container.policy { facts.add(["policy", policy]) }
            if let gate = container.gate { facts.add(["gate", gate.lines]) }
            facts.add(["state", container.stateText])
            if let cure = container.cure { facts.add(["to do", cure]) }
            if let ended = container.ended { facts.add(["ended", "\(Units.duration(seconds: ended)) ago"]) }
            if container.facts.isEmpty {
                facts.add(["source", container.source])
                return facts.text
            }
            facts.add(["links", container.links.map { "\($0.container):\($0.name)" }])
            facts.add(["ports", container.ports.map(\.text)])
            facts.add(["resolv.conf", container.resolverFile])
            facts.add(["source", container.sources])
            var networks = Table(["NETWORK", "ADDRESSES", "NAMES"], .wrap)
            for endpoint in container.networks {
                networks.add([endpoint.network, endpoint.addresses, endpoint.names])
            }
            return facts.text + "\n" + networks.text + "\n" + container.facts.table.text
        }
    }

    struct Drain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Leave a container out of aliases that others serve, too.",
            discussion: "Its own names stay. Where all who serve an alias are draining, all of them answer.")

        @Argument(completion: .containers) var name: String
        @OptionGroup var common: CommonOptions

        func run() throws { try common.call(DrainContainer.self, Named(name: name)) }
    }

    struct Ready: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take 'container drain' back.")

        @Argument(completion: .containers) var name: String
        @OptionGroup var common: CommonOptions

        func run() throws { try common.call(ReadyContainer.self, Named(name: name)) }
    }
}

extension ListenMode: ExpressibleByArgument {}

extension ControlAPI.Container {
    fileprivate var namespace: String { netns ?? pid.map { "pid \($0)" } ?? "" }
    fileprivate var hasNamespace: Bool { netns != nil || pid != nil }
    fileprivate var stateText: String { reason.map { "\(state): \($0)" } ?? state }
    /// Its resolv.conf, and who wrote it.
    fileprivate var resolverFile: String {
        guard let resolvConf else { return "" }
        return resolvConfWriter == "other"
            ? "\(resolvConf) (not written by intercom; it stays as it is)" : "\(resolvConf) (written by intercom)"
    }
    /// Sources that know of it.
    fileprivate var sources: [String] { facts.isEmpty ? [source] : facts.sources }
}

extension Port {
    fileprivate var text: String { "\(port)/\(self.protocol ?? "tcp")\(service.map { "=\($0)" } ?? "")" }
}

// MARK: - Compound arguments

extension AddContainer.Attachment {
    /// `NAME[,ip=ADDR]…[,alias=NAME]…`
    init(argument: String) throws {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
        var addresses: [String] = []
        var aliases: [String] = []
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1).map { String($0) }
            guard pair.count == 2 else { throw ValidationError("'\(part)' is neither ip=ADDR nor alias=NAME.") }
            switch pair[0] {
            case "ip": addresses.append(pair[1])
            case "alias": aliases.append(pair[1])
            default: throw ValidationError("'\(part)' is neither ip=ADDR nor alias=NAME.")
            }
        }
        guard let name = parts.first, !name.isEmpty else { throw ValidationError("A network's name is missing.") }
        self.init(name: name, addresses: addresses, aliases: aliases)
    }
}

extension Link {
    /// `CONTAINER:NAME`
    init(argument: String) throws {
        do throws(RegistryError) {
            let link = try LinkDefinition(argument)
            self.init(container: link.container, name: link.name)
        } catch {
            throw ValidationError(error.description + ".")
        }
    }
}

extension Port {
    /// `PORT[/tcp|/udp][=SERVICE]`
    init(argument: String) throws {
        do throws(RegistryError) {
            let port = try PortDefinition(argument)
            self.init(port: Int(port.number), protocol: port.transport.rawValue, service: port.service)
        } catch {
            throw ValidationError(error.description + ".")
        }
    }
}
