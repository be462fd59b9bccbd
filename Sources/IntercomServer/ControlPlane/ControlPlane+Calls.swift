// The calls of the control socket: each is carried out on the registry, and is in force when its reply goes out.

import Attachment
import ControlAPI
import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry
import Tables
import Varlink

extension ControlPlane {
    /// `org.varlink.service`: introspection.
    static var service: VarlinkService {
        VarlinkService(
            vendor: "intercom", product: "intercomd", version: Release.number, url: "https://intercom.internal/",
            interfaces: [(name: ControlInterface.name, description: ControlInterface.description)])
    }

    /// Takes what clients have sent, and carries out what they call.
    func takeCalls() {
        controlSocket.turn()
        registry.isWatched = controlSocket.hasMonitors
    }

    /// Carries out a call, or refuses it; its reply is given to the control socket, now or later.
    func carryOut(_ call: VarlinkCall, of client: Ticket) {
        if let answer = Self.service.answer(call) { return controlSocket.reply(answer, to: client) }
        guard let handler = Self.handlers[call.method] else {
            return controlSocket.reply(VarlinkService.methodNotFound(call.method), to: client)
        }
        handler.carryOut(self, call, client)
    }

    func refuse(_ error: ControlError, to client: Ticket) {
        controlSocket.reply(VarlinkReply.encode(error: error.name, error), to: client)
    }

    // MARK: - Networks

    func createNetwork(_ parameters: CreateNetwork.Parameters) throws(ControlError) {
        let definition = try NetworkDefinition(parameters, beside: configuration.server.domain)
        try changeRegistry { registry throws(RegistryError) in try registry.createNetwork(definition) }
        upstreamsChanged = true
        state.keep(CreateNetwork.self, parameters)
        logger.info("network \(definition.name) created", metadata: .about(network: definition.name))
    }

    func removeNetwork(_ parameters: Named) throws(ControlError) {
        try changeRegistry { registry throws(RegistryError) in try registry.removeNetwork(named: parameters.name) }
        upstreamsChanged = true
        state.keep(RemoveNetwork.self, parameters)
        logger.info("network \(parameters.name) removed", metadata: .about(network: parameters.name))
    }

    func connect(_ parameters: Connect.Parameters) throws(ControlError) {
        let endpoint = try EndpointDefinition(
            network: parameters.network, addresses: parameters.addresses, aliases: parameters.aliases)
        try changeRegistry { registry throws(RegistryError) in
            try registry.connect(container: parameters.container, endpoint)
        }
        state.keep(Connect.self, parameters)
        logger.info(
            "container \(parameters.container) connected to network \(parameters.network)",
            metadata: .about(container: parameters.container, network: parameters.network))
    }

    func disconnect(_ parameters: Disconnect.Parameters) throws(ControlError) {
        try changeRegistry { registry throws(RegistryError) in
            try registry.disconnect(container: parameters.container, network: parameters.network)
        }
        state.keep(Disconnect.self, parameters)
        logger.info(
            "container \(parameters.container) disconnected from network \(parameters.network)",
            metadata: .about(container: parameters.container, network: parameters.network))
    }

    func inspectNetwork(_ parameters: Named, isPieced: Bool, _ client: Ticket) {
        do throws(ControlError) {
            let network = try changeRegistry { registry throws(RegistryError) in
                try registry.network(named: parameters.name)
            }
            let parts = try NetworkParts(network, isPieced: isPieced, of: InspectNetwork.self)
            controlSocket.reply(with: NetworkReply(self, parts), to: client)
        } catch {
            refuse(error, to: client)
        }
    }

    // MARK: - Containers

    /// Adds a container; `done` is called when it is attached, or with the reason why it is not.
    func addContainer(_ parameters: AddContainer.Parameters, done: @escaping (ControlError?) -> Void) {
        do throws(ControlError) {
            let definition = try ContainerDefinition(parameters)
            var parameters = parameters
            if parameters.netns == nil, parameters.pid == nil {
                parameters.netns = try pathOfFound(named: definition.name)
            }
            guard let source = try Self.source(of: parameters) else {
                try changeRegistry { registry throws(RegistryError) in _ = try registry.addContainer(definition) }
                keep(parameters, nil)
                return done(nil)
            }
            guard registry.declaredContainer(named: definition.name) == nil else {
                throw .containerExists(definition.name)
            }
            add(parameters, definition, at: source, done: done)
        } catch {
            done(error)
        }
    }

    /// The path of a container that was found under a name: who declares that name means it.
    /// - Throws: `AmbiguousName` where several were found.
    private func pathOfFound(named name: String) throws(ControlError) -> String? {
        guard registry.hasContainer(named: name), registry.declaredContainer(named: name) == nil else { return nil }
        let found = try container(named: name)
        return containers.namespaceOfContainer[found.id].flatMap { containers.room[$0]?.path }
    }

    private func add(
        _ parameters: AddContainer.Parameters, _ definition: ContainerDefinition, at source: NamespaceSource,
        done: @escaping (ControlError?) -> Void
    ) {
        containers.declare(definition, at: source, resolverFile: parameters.resolvConf, isStanding: false) {
            [unowned self] outcome in
            switch outcome {
            case .attached(let container):
                keep(parameters, container)
                done(nil)
            case .failed(let error, _): done(error)
            case .ended: state.keep(RemoveContainer.self, Named(name: parameters.name))
            }
        }
    }

    /// The way into the namespace of a container, whose resolv.conf may be asked for then.
    static func source(of parameters: AddContainer.Parameters) throws(ControlError) -> NamespaceSource? {
        let source = try NamespaceSource.of(parameters)
        guard let path = parameters.resolvConf else { return source }
        guard NamespaceSource.isPath(path) else {
            throw .invalidValue(path, of: "resolvConf", reason: "expected an absolute path")
        }
        if source == nil { throw .withoutListener(resolverFile: path) }
        return source
    }

    func removeContainer(_ parameters: Named) throws(ControlError) {
        if registry.declaredContainer(named: parameters.name) == nil,
            let number = containers.waiting(named: parameters.name)
        {
            containers.withdraw(number)
            state.keep(RemoveContainer.self, parameters)
            return
        }
        let container = try container(named: parameters.name)
        guard container.declared != nil else {
            throw .containerOfTheKernel(container.name, path: container.observed?.path ?? "")
        }
        if let namespace = containers.namespaceOfContainer[container.id],
            let number = containers.room[namespace]?.declaration
        {
            containers.withdraw(number)
        } else {
            try changeRegistry { registry throws(RegistryError) in try registry.removeContainer(container.id) }
        }
        configured[container.name] = nil
        state.keep(RemoveContainer.self, Named(name: container.name))
        logger.info("container \(container.name) removed", metadata: .about(container: container.name))
    }

    func drain(_ parameters: Named) throws(ControlError) {
        try setDraining(true, parameters)
        state.keep(DrainContainer.self, parameters)
    }

    func makeReady(_ parameters: Named) throws(ControlError) {
        try setDraining(false, parameters)
        state.keep(ReadyContainer.self, parameters)
    }

    private func setDraining(_ isDraining: Bool, _ parameters: Named) throws(ControlError) {
        try changeRegistry { registry throws(RegistryError) in
            try registry.setDraining(isDraining, container: parameters.name)
        }
        logger.info(
            "container \(parameters.name) is \(isDraining ? "draining" : "ready")",
            metadata: .about(container: parameters.name))
    }

    func inspectContainer(_ parameters: Named) throws(ControlError) -> InspectContainer.Reply {
        do throws(ControlError) {
            return .init(container: describe(try container(named: parameters.name)))
        } catch {
            guard let absent = absentContainers.first(where: { $0.isCalled(parameters.name) }) else { throw error }
            return .init(container: absent)
        }
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

extension ControlError {
    static func withoutListener(resolverFile: String) -> ControlError {
        .invalidValue(
            resolverFile, of: "resolvConf", reason: "a container without netns or pid has no listener to ask")
    }
}
