// The calls of the control socket: each is carried out on the registry, and is in force when its reply goes out.

import ControlAPI
import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry
import Varlink

extension ControlPlane {
    /// `org.varlink.service`: introspection.
    static var service: VarlinkService {
        VarlinkService(
            vendor: "intercom", product: "intercomd", version: Version.number, url: "https://intercom.internal/",
            interfaces: [(name: ControlInterface.name, description: ControlInterface.description)])
    }

    func carryOut(_ call: VarlinkCall, of client: Ticket) {
        if let position = connections.position(of: client), !isPermitted(connections[position].peer) {
            let uid = connections[position].peer.uid
            refuse(.notPermitted(user: Users.name(of: uid) ?? "\(uid)"), to: client)
            return
        }
        if let answer = Self.service.answer(call) {
            reply(answer, to: client)
            return
        }
        switch call.method {
        case CreateNetwork.name: change(CreateNetwork.self, call, client, createNetwork)
        case RemoveNetwork.name: change(RemoveNetwork.self, call, client, removeNetwork)
        case Connect.name: change(Connect.self, call, client, connect)
        case Disconnect.name: change(Disconnect.self, call, client, disconnect)
        case AddContainer.name: change(AddContainer.self, call, client, addContainer)
        case RemoveContainer.name: change(RemoveContainer.self, call, client, removeContainer)
        case DrainContainer.name:
            change(DrainContainer.self, call, client) { named throws(ControlError) in try self.drain(named) }
        case ReadyContainer.name:
            change(ReadyContainer.self, call, client) { named throws(ControlError) in try self.makeReady(named) }
        case Reload.name: change(Reload.self, call, client) { _ throws(ControlError) in try self.reload() }
        case ListNetworks.name:
            show(ListNetworks.self, call, client) { _ in .init(networks: self.registry.networks.map(self.describe)) }
        case InspectNetwork.name: show(InspectNetwork.self, call, client, inspectNetwork)
        case ListContainers.name:
            show(ListContainers.self, call, client) { _ in
                .init(containers: self.registry.containers.map(self.describe))
            }
        case InspectContainer.name: show(InspectContainer.self, call, client, inspectContainer)
        case Resolve.name: resolve(call, client)
        case Status.name: status(client)
        case Monitor.name: monitor(call, client)
        case FlushCache.name: flushCache(call, client)
        default: reply(VarlinkService.methodNotFound(call.method), to: client)
        }
    }

    // MARK: - Kinds of calls

    /// A call that changes something: its reply goes out once every worker has taken the change.
    private func change<Method: ControlMethod>(
        _ method: Method.Type, _ call: VarlinkCall, _ client: Ticket,
        _ body: (Method.Parameters) throws(ControlError) -> Void
    ) where Method.Reply == Nothing {
        guard let parameters = parameters(method, call, client) else { return }
        do throws(ControlError) {
            try reserveState(for: call)
            try body(parameters)
        } catch {
            refuse(error, to: client)
            return
        }
        publish { [self] in replyLater(VarlinkReply.encode(Nothing()), to: client) }
    }

    /// A call that looks at the registry alone.
    private func show<Method: ControlMethod>(
        _ method: Method.Type, _ call: VarlinkCall, _ client: Ticket,
        _ body: (Method.Parameters) throws(ControlError) -> Method.Reply
    ) {
        guard let parameters = parameters(method, call, client) else { return }
        do throws(ControlError) {
            reply(VarlinkReply.encode(try body(parameters)), to: client)
        } catch {
            refuse(error, to: client)
        }
    }

    func parameters<Method: ControlMethod>(
        _ method: Method.Type, _ call: VarlinkCall, _ client: Ticket
    ) -> Method.Parameters? {
        do throws(InvalidParameter) {
            return try call.parameters(Method.Parameters.self)
        } catch {
            reply(VarlinkService.invalidParameter(error), to: client)
            return nil
        }
    }

    func refuse(_ error: ControlError, to client: Ticket) {
        reply(VarlinkReply.encode(error: error.name, error), to: client)
    }

    // MARK: - Networks

    func createNetwork(_ parameters: CreateNetwork.Parameters) throws(ControlError) {
        let definition = try NetworkDefinition(parameters, beside: configuration.server.domain)
        try changeRegistry { registry throws(RegistryError) in try registry.createNetwork(definition) }
        upstreamsChanged = true
        state.keep(.createNetwork(parameters))
        logger.info("network \(definition.name) created", metadata: .about(network: definition.name))
    }

    private func removeNetwork(_ parameters: Named) throws(ControlError) {
        try changeRegistry { registry throws(RegistryError) in try registry.removeNetwork(named: parameters.name) }
        upstreamsChanged = true
        state.keep(.removeNetwork(parameters.name))
        logger.info("network \(parameters.name) removed", metadata: .about(network: parameters.name))
    }

    func connect(_ parameters: Connect.Parameters) throws(ControlError) {
        let endpoint = try EndpointDefinition(
            network: parameters.network, addresses: parameters.addresses, aliases: parameters.aliases)
        try changeRegistry { registry throws(RegistryError) in
            try registry.connect(container: parameters.container, endpoint)
        }
        state.keep(.connect(parameters))
        logger.info(
            "container \(parameters.container) connected to network \(parameters.network)",
            metadata: .about(container: parameters.container, network: parameters.network))
    }

    func disconnect(_ parameters: Disconnect.Parameters) throws(ControlError) {
        try changeRegistry { registry throws(RegistryError) in
            try registry.disconnect(container: parameters.container, network: parameters.network)
        }
        state.keep(.disconnect(parameters))
        logger.info(
            "container \(parameters.container) disconnected from network \(parameters.network)",
            metadata: .about(container: parameters.container, network: parameters.network))
    }

    private func inspectNetwork(_ parameters: Named) throws(ControlError) -> InspectNetwork.Reply {
        .init(
            network: describe(
                try changeRegistry { registry throws(RegistryError) in try registry.network(named: parameters.name) }))
    }

    // MARK: - Containers

    private func addContainer(_ parameters: AddContainer.Parameters) throws(ControlError) {
        for link in parameters.links ?? [] where !registry.hasContainer(named: link.container) {
            throw .noSuchContainer(link.container)
        }
        try declare(parameters)
    }

    /// Adds a container; where a link leads need not be there.
    func declare(_ parameters: AddContainer.Parameters) throws(ControlError) {
        let definition = try ContainerDefinition(parameters)
        if let path = parameters.resolvConf {
            guard path.hasPrefix("/"), !path.utf8.contains(0) else {
                throw .invalidValue(path, of: "resolvConf", reason: "expected an absolute path")
            }
        }
        let source = try NamespaceSource.of(parameters)
        try add(definition, namespace: source, resolverFile: parameters.resolvConf)
        keep(parameters)
        logger.info(
            "container \(definition.name) added\(source.map { ", attached to \($0)" } ?? "")",
            metadata: .about(container: definition.name))
    }

    private func removeContainer(_ parameters: Named) throws(ControlError) {
        let container = try container(named: parameters.name)
        guard container.declared != nil else {
            throw .containerOfTheKernel(container.name, path: container.observed?.path ?? "")
        }
        remove(container.id)
        state.keep(.removeContainer(container.name))
        logger.info("container \(container.name) removed", metadata: .about(container: container.name))
    }

    func drain(_ parameters: Named) throws(ControlError) {
        try setDraining(true, parameters)
        state.keep(.drainContainer(parameters.name))
    }

    func makeReady(_ parameters: Named) throws(ControlError) {
        try setDraining(false, parameters)
        state.keep(.readyContainer(parameters.name))
    }

    private func setDraining(_ isDraining: Bool, _ parameters: Named) throws(ControlError) {
        try changeRegistry { registry throws(RegistryError) in
            try registry.setDraining(isDraining, container: parameters.name)
        }
        logger.info(
            "container \(parameters.name) is \(isDraining ? "draining" : "ready")",
            metadata: .about(container: parameters.name))
    }

    private func inspectContainer(_ parameters: Named) throws(ControlError) -> InspectContainer.Reply {
        .init(container: describe(try container(named: parameters.name)))
    }

    func container(named name: String) throws(ControlError) -> Registry.Container {
        try changeRegistry { registry throws(RegistryError) in try registry.container(named: name) }
    }

    func changeRegistry<Result>(
        _ body: (inout Registry) throws(RegistryError) -> Result
    ) throws(ControlError) -> Result {
        do throws(RegistryError) {
            return try body(&registry)
        } catch {
            throw .of(error)
        }
    }
}
