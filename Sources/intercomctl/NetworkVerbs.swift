// intercomctl network …

import ArgumentParser
import ControlAPI
import LinuxNet
import Registry

struct NetworkVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "network", abstract: "Networks: the segments that containers share.",
        subcommands: [Create.self, Remove.self, List.self, Inspect.self, Join.self, Leave.self])
}

extension ForwardFrom: ExpressibleByArgument {}
extension UnknownSources: ExpressibleByArgument {}

extension NetworkVerbs {
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Declare a network.")

        @Argument(help: "A DNS name; it may have several labels.")
        var name: String

        @Option(help: ArgumentHelp("The host's bridge or parent interface that is this network.", valueName: "ifname"))
        var interface: String?

        @Option(name: .customLong("subnet"), help: ArgumentHelp("Its addresses; may be repeated.", valueName: "cidr"))
        var subnets: [String] = []

        @Flag(help: "Never forward questions from this network.")
        var `internal` = false

        @Option(
            name: .customLong("upstream"),
            help: ArgumentHelp("A DNS server of this network alone; may be repeated.", valueName: "addr[:port]"))
        var upstreams: [String] = []

        @Option(
            name: .customLong("route"),
            help: ArgumentHelp(
                "A domain with DNS servers of its own, as corp.example=10.1.0.53; may be repeated.",
                valueName: "domain=addr[,addr]"),
            transform: Route.init(argument:))
        var routes: [Route] = []

        @Option(
            help: ArgumentHelp(
                "From where they are asked: the host's namespace, or that of the container.",
                valueName: "host|namespace"))
        var forwardFrom: ForwardFrom?

        @Option(help: ArgumentHelp("How long answers may be kept.", valueName: "seconds"))
        var ttl: Int?

        @Option(
            help: ArgumentHelp("The policy of its containers that have none of their own.", valueName: "policy"),
            completion: .policies)
        var policy: String?

        @Option(
            name: .customLong("search"),
            help: ArgumentHelp(
                "A search domain of its containers, in place of the host's; may be repeated.", valueName: "domain"))
        var search: [String] = []

        @Flag(
            help: """
                Answer guests with a network stack of their own (virtual machines, gVisor) at port 53 of the host's addresses \
                on this network.
                """)
        var gatewayListener = false

        @Option(
            help: ArgumentHelp(
                "Answers there to sources that no container has: names of outside, or none (default: forward).",
                valueName: "forward|refuse"))
        var gatewayUnknown: UnknownSources?

        @OptionGroup var common: CommonOptions

        func run() throws {
            let parameters = CreateNetwork.Parameters(
                name: name, interface: interface, subnets: subnets, internal: `internal`, upstreams: upstreams,
                routes: routes, forwardFrom: forwardFrom?.rawValue, ttl: ttl, policy: policy,
                search: search.isEmpty ? nil : search, gatewayListener: gatewayListener ? true : nil,
                gatewayUnknown: gatewayUnknown?.rawValue)
            try common.call(CreateNetwork.self, parameters)
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Take back the declaration of a network.",
            discussion: "No container may be declared on it. What the kernel shows of it stays.")

        @Argument(completion: .networks) var names: [String]
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.callEach(names) { client, name throws(Failure) in
                _ = try client.call(RemoveNetwork.self, Named(name: name))
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List all networks.")

        @OptionGroup var common: CommonOptions

        func run() throws {
            var listing = Listing<ControlAPI.Network>(
                "networks", ["NETWORK", "INTERFACE", "SUBNETS", "OPTIONS", "CONTAINERS", "SOURCE"],
                isJSON: common.json, name: \.name
            ) { network in
                [
                    network.name, network.interface ?? "", network.subnets, network.options,
                    network.containers.map(\.container), network.facts.sources,
                ]
            }
            // A network is complete when the next one comes.
            var last: ControlAPI.Network?
            let client = try ControlClient(socket: common.socket)
            try client.replies(to: ListNetworks.self, Nothing()) { reply in
                for network in reply.networks {
                    if network.continued == true {
                        last?.containers += network.containers
                    } else {
                        if let last { listing.add(last) }
                        last = network
                    }
                }
            }
            if let last { listing.add(last) }
            listing.end()
        }
    }

    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a network and who is on it.")

        @Argument(completion: .networks) var names: [String]
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.callEach(names) { client, name throws(Failure) in
                try Self.network(named: name, client)
            } show: {
                print($0)
            }
        }

        /// A network with all its containers, which may come in parts.
        private static func network(named name: String, _ client: ControlClient) throws(Failure) -> ControlAPI.Network {
            let parts = try client.allReplies(to: InspectNetwork.self, Named(name: name)).map(\.network)
            guard var network = parts.first else { throw Failure(status: 1, message: "no network \(name)") }
            for part in parts.dropFirst() { network.containers += part.containers }
            network.containers.sort { $0.container < $1.container }
            return network
        }

        /// One as the daemon's reply, several as those of a list.
        private func print(_ networks: [ControlAPI.Network]) {
            if common.json {
                if names.count > 1 {
                    Files.write(CommonOptions.document(ListNetworks.Reply(networks: networks)), to: .standardOutput)
                } else if let network = networks.first {
                    Files.write(CommonOptions.document(InspectNetwork.Reply(network: network)), to: .standardOutput)
                }
            } else {
                Files.write(networks.map(Self.text).joined(separator: "\n"), to: .standardOutput)
            }
        }

        private static func text(_ network: ControlAPI.Network) -> String {
            var facts = Table(["NETWORK", network.name], .wrap)
            facts.add(["interface", network.interface ?? ""])
            facts.add(["subnets", network.subnets])
            facts.add(["internal", network.internal ? "yes" : "no"])
            facts.add(["upstreams", network.upstreams.isEmpty ? ["as configured"] : network.upstreams])
            for route in network.routes {
                facts.add(["route \(route.domain)", route.upstreams])
            }
            facts.add(["forwards from", network.forwardFrom])
            if let policy = network.policy { facts.add(["policy", policy]) }
            if let search = network.search { facts.add(["search", search]) }
            for listener in network.gatewayListeners ?? [] {
                let place = [listener.address, listener.state].filter { !$0.isEmpty }.joined(separator: " ")
                facts.add(["guests at", listener.reason.map { "\(place): \($0)" } ?? place])
            }
            if let unknown = network.gatewayUnknown { facts.add(["unknown sources", unknown]) }
            facts.add(["ttl", "\(network.ttl) s"])
            facts.add(["source", network.facts.sources])
            var members = Table(["CONTAINER", "ADDRESSES", "ALIASES"], .wrap)
            for member in network.containers {
                members.add([member.container, member.addresses, member.aliases])
            }
            return facts.text + "\n" + members.text + "\n" + network.facts.table.text
        }
    }

    struct Join: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "connect", abstract: "Put a container on a network, while it runs.",
            discussion: "One that is on the network already gains addresses and aliases there, without an outage.")

        @Argument(completion: .networks) var network: String
        @Argument(completion: .containers) var container: String

        @Option(
            name: .customLong("ip"),
            help: ArgumentHelp("The container's address on the network; may be repeated.", valueName: "addr"))
        var addresses: [String] = []

        @Option(
            name: .customLong("alias"),
            help: ArgumentHelp(
                "A further name on the network, as site or *.app.test; may be repeated.", valueName: "name"))
        var aliases: [String] = []

        @OptionGroup var common: CommonOptions

        func run() throws {
            let parameters = Connect.Parameters(
                network: network, container: container, addresses: addresses, aliases: aliases)
            try common.call(Connect.self, parameters)
        }
    }

    struct Leave: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disconnect", abstract: "Take a container off a network, while it runs.",
            discussion: "A link of it that is plugged into the network counts no more, until it is connected again.")

        @Argument(completion: .networks) var network: String
        @Argument(completion: .containers) var container: String
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.call(Disconnect.self, Disconnect.Parameters(network: network, container: container))
        }
    }
}

extension ControlAPI.Network {
    /// Settings that differ from those of all networks; 'network inspect' shows their values.
    fileprivate var options: [String] {
        (self.internal ? ["internal"] : []) + (upstreams.isEmpty ? [] : ["upstreams"])
            + (routes.isEmpty ? [] : ["routes"])
    }
}

extension Route {
    /// Reads `DOMAIN=ADDR[:PORT][,ADDR[:PORT]]…`.
    fileprivate init(argument: String) throws {
        guard let equals = argument.lastIndex(of: "="), equals != argument.startIndex else {
            throw ValidationError(
                "'\(argument)' is not a route; expected DOMAIN=ADDR[,ADDR], as corp.example=10.1.0.53")
        }
        self.init(
            domain: String(argument[..<equals]),
            upstreams: argument[argument.index(after: equals)...].split(separator: ",").map(String.init))
    }
}
