// intercomctl network …

import ArgumentParser
import ControlAPI

struct NetworkVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "network", abstract: "Networks: the segments that containers share.",
        subcommands: [Create.self, Remove.self, List.self, Inspect.self, Join.self, Leave.self])
}

/// The namespace that upstreams are asked from.
enum ForwardFrom: String, ExpressibleByArgument, CaseIterable {
    case host, namespace
}

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

        @OptionGroup var common: CommonOptions

        func run() throws {
            let parameters = CreateNetwork.Parameters(
                name: name, interface: interface, subnets: subnets, internal: `internal`, upstreams: upstreams,
                routes: routes, forwardFrom: forwardFrom?.rawValue, ttl: ttl)
            try common.call(CreateNetwork.self, parameters)
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Take back the declaration of a network.",
            discussion: "No container may be declared on it. What the kernel shows of it stays.")

        @Argument var name: String
        @OptionGroup var common: CommonOptions

        func run() throws { try common.call(RemoveNetwork.self, Named(name: name)) }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List all networks.")

        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.call(ListNetworks.self, Nothing()) { reply in
                var table = Table(["NETWORK", "INTERFACE", "SUBNETS", "OPTIONS", "CONTAINERS", "SOURCE"])
                for network in reply.networks {
                    table.add([
                        network.name, network.interface ?? "", list(network.subnets), list(network.options),
                        list(network.containers.map(\.container)), network.facts.sources,
                    ])
                }
                return table.text
            }
        }
    }

    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a network and who is on it.")

        @Argument var name: String
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.call(InspectNetwork.self, Named(name: name)) { reply in
                let network = reply.network
                var facts = Table(["NETWORK", network.name])
                facts.add(["interface", network.interface ?? ""])
                facts.add(["subnets", list(network.subnets)])
                facts.add(["internal", network.internal ? "yes" : "no"])
                facts.add(["upstreams", network.upstreams.isEmpty ? "as configured" : list(network.upstreams)])
                for route in network.routes {
                    facts.add(["route \(route.domain)", list(route.upstreams)])
                }
                facts.add(["forwards from", network.forwardFrom])
                facts.add(["ttl", "\(network.ttl) s"])
                facts.add(["source", network.facts.sources])
                var members = Table(["CONTAINER", "ADDRESSES", "ALIASES"])
                for member in network.containers {
                    members.add([member.container, list(member.addresses), list(member.aliases)])
                }
                return facts.text + "\n" + members.text + "\n" + network.facts.table.text
            }
        }
    }

    struct Join: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "connect", abstract: "Put a container on a network, while it runs.",
            discussion: "One whose link is plugged into the network gains addresses and aliases there.")

        @Argument var network: String
        @Argument var container: String

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

        @Argument var network: String
        @Argument var container: String
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.call(Disconnect.self, Disconnect.Parameters(network: network, container: container))
        }
    }
}

extension ControlAPI.Network {
    fileprivate var options: [String] {
        (self.internal ? ["internal"] : [])
            + (upstreams.isEmpty ? [] : ["upstreams \(upstreams.joined(separator: " "))"])
            + routes.map { "route \($0.domain)" }
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
