// Methods of containers: added and removed, drained and made ready, shown.

import Attachment
import ControlAPI
import Logging
import Registry
import Varlink

extension AddContainer: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        do throws(ControlError) {
            let definition = try ContainerDefinition(call.parameters)
            try plane.publisher.checkPolicy(definition.policy)
            var parameters = call.parameters
            (parameters.replace, parameters.wait) = (nil, nil)
            if call.parameters.replace == true,
                let replaced = try ReplacedContainer(named: definition.name, plane)
            {
                return replaced.replace(by: parameters, definition, call, plane)
            }
            if parameters.netns == nil, parameters.pid == nil {
                switch try wayOfKnown(named: definition.name, plane) {
                case .path(let path)?: parameters.netns = path
                case .pid(let pid)?: parameters.pid = Int(pid)
                case nil: break
                }
            }
            guard let source = try source(of: parameters) else {
                if call.parameters.wait == true { try checkGateway(of: definition, plane) }
                try addWithoutNamespace(plane, parameters)
                return replyWithoutNamespace(to: call, plane)
            }
            guard plane.publisher.registry.declaredContainer(named: definition.name) == nil else {
                throw .containerExists(definition.name)
            }
            add(parameters, definition, at: source, call, plane)
        } catch {
            call.refuse(error)
        }
    }

    /// Refuses to wait for questions that go elsewhere.
    static func checkGateway(of definition: ContainerDefinition, _ plane: ControlPlane) throws(ControlError) {
        let registry = plane.publisher.registry
        for endpoint in definition.endpoints where !endpoint.addresses.isEmpty {
            let network = try plane.publisher.change { _ throws(RegistryError) in
                try registry.network(named: endpoint.network)
            }
            if network.definition?.hasGatewayListener == true { return }
        }
        throw .invalidValue(
            "true", of: "wait",
            reason: "the container has an address on no network with a gateway listener, so its questions go elsewhere")
    }

    /// Replies when a container without a namespace is in force, and if that is asked for, has asked its first question.
    static func replyWithoutNamespace(to call: MethodCall<Self>, _ plane: ControlPlane) {
        let name = call.parameters.name
        plane.publisher.whenInForce { [unowned plane] in
            guard call.parameters.wait == true,
                let container = plane.publisher.registry.declaredContainer(named: name)?.id
            else { return call.reply(Reply()) }
            plane.gateways.whenAsked(by: container) { call.reply(Reply()) }
        }
    }

    /// Adds a container that has no namespace here.
    /// - Parameters:
    ///   - plane: carries it out.
    ///   - parameters: the container.
    ///   - replaces: true where it takes the place of another of the same name, which has been removed.
    static func addWithoutNamespace(
        _ plane: ControlPlane, _ parameters: Parameters, replaces: Bool = false
    ) throws(ControlError) {
        let definition = try ContainerDefinition(parameters)
        if let addresses = parameters.intercept {
            throw .invalidValue(
                addresses.joined(separator: ","), of: "intercept",
                reason: "a container without netns or pid has no namespace in which questions could be led elsewhere")
        }
        try plane.publisher.change { registry throws(RegistryError) in _ = try registry.addContainer(definition) }
        if replaces { plane.state.keep(RemoveContainer.self, Named(name: parameters.name)) }
        plane.state.keep(Self.self, parameters)
        logAdded(parameters, plane)
    }

    /// The way into the namespace of a container, whose resolv.conf may be asked for then.
    static func source(of parameters: Parameters) throws(ControlError) -> NamespaceSource? {
        let source = try NamespaceSource.of(parameters)
        guard let path = parameters.resolvConf else { return source }
        guard NamespaceSource.isPath(path) else {
            throw .invalidValue(path, of: "resolvConf", reason: "expected an absolute path")
        }
        if source == nil { throw .withoutListener(resolverFile: path) }
        return source
    }

    /// The way into the namespace of a container that was found, or that a source tells of, under a name: who declares that
    /// name means it.
    /// - Throws: `AmbiguousName` where there are several.
    private static func wayOfKnown(named name: String, _ plane: ControlPlane) throws(ControlError) -> NamespaceSource? {
        let registry = plane.publisher.registry
        guard registry.hasContainer(named: name), registry.declaredContainer(named: name) == nil else { return nil }
        let found = try plane.publisher.container(named: name)
        let attachment = plane.containers.namespaceOfContainer[found.id].flatMap { plane.containers.room[$0] }
        return attachment.map { $0.path.map(NamespaceSource.path) ?? $0.source }
    }

    /// Declares a container with a namespace, and replies.
    /// - Parameters:
    ///   - parameters: those of the call, which are kept.
    ///   - definition: the container.
    ///   - source: the way into its namespace.
    ///   - call: the call.
    ///   - plane: carries it out.
    ///   - replaced: the container whose place it takes; it is brought back where this one cannot be had.
    static func add(
        _ parameters: Parameters, _ definition: ContainerDefinition, at source: NamespaceSource,
        _ call: MethodCall<Self>, _ plane: ControlPlane, replacing replaced: ReplacedContainer? = nil
    ) {
        plane.containers.declare(
            definition, at: source, resolverFile: parameters.resolvConf, isStanding: false
        ) { [unowned plane] outcome in
            switch outcome {
            case .attached(let container):
                if replaced != nil { plane.state.keep(RemoveContainer.self, Named(name: parameters.name)) }
                keep(parameters, container, plane)
                // One that was found before may have been proved long ago.
                plane.containers.proveAgain(container)
                reply(to: call, about: container, plane)
            case .failed(let error, _):
                replaced?.bringBack(plane)
                call.refuse(error)
            case .ended: plane.state.keep(RemoveContainer.self, Named(name: parameters.name))
            }
        }
    }

    /// Replies when the container is in force, its files and rules are there, and it is proved to be heard, or tried for a
    /// second.
    private static func reply(to call: MethodCall<Self>, about container: ContainerID, _ plane: ControlPlane) {
        plane.publisher.whenInForce { [unowned plane] in
            plane.requests.whenEnded(about: plane.containers.requestSubjects(of: container)) {
                plane.containers.whenProved(container) {
                    let state = plane.publisher.registry[container].map { plane.state(of: $0) }
                    call.reply(Reply(state: state?.word, reason: state?.reason, cure: state?.cure))
                }
            }
        }
    }

    /// Keeps a container with the namespace that it was attached to.
    private static func keep(_ parameters: Parameters, _ container: ContainerID, _ plane: ControlPlane) {
        logAdded(parameters, plane)
        guard let namespace = plane.containers.namespaceOfContainer[container],
            let attached = plane.containers.attached(container)
        else { return plane.state.keep(Self.self, parameters) }
        let attachment = AttachedNamespace(
            container: parameters.name, inode: namespace.inode, cookie: attached.cookie.rawValue,
            processStart: attached.processStart)
        plane.state.keep([Declaration(Self.self, parameters), Declaration(Attach.self, attachment)])
    }

    private static func logAdded(_ parameters: Parameters, _ plane: ControlPlane) {
        let place = parameters.netns ?? parameters.pid.map { "pid \($0)" }
        plane.logger.info(
            "container \(parameters.name) added\(place.map { ", attached to \($0)" } ?? "")",
            metadata: .about(container: parameters.name))
    }
}

extension RemoveContainer: ChangingMethod {
    static func requestSubjects(_ plane: ControlPlane, _ parameters: Parameters) -> [String] {
        guard let container = try? plane.publisher.container(named: parameters.name) else { return [] }
        return plane.containers.requestSubjects(of: container.id)
    }

    static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
        let containers = plane.containers
        if plane.publisher.registry.declaredContainer(named: parameters.name) == nil,
            let number = containers.waiting(named: parameters.name)
        {
            containers.remove(number)
            plane.state.keep(Self.self, parameters)
            return
        }
        let container = try plane.publisher.container(named: parameters.name)
        guard container.declared != nil else {
            if let source = container.source { throw .containerOfSource(container.name, source: source.name) }
            throw .containerOfTheKernel(container.name, path: container.observed?.path ?? "")
        }
        if let number = containers.declaration(of: container.id) {
            containers.remove(number)
        } else {
            try plane.publisher.change { registry throws(RegistryError) in
                try registry.removeContainer(container.id)
            }
        }
        plane.configured.forget(container.name)
        plane.state.keep(Self.self, Named(name: container.name))
        plane.logger.info("container \(container.name) removed", metadata: .about(container: container.name))
    }
}

extension DrainContainer: ChangingMethod {
    static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
        try setDraining(true, parameters.name, plane)
        plane.state.keep(Self.self, parameters)
    }

    fileprivate static func setDraining(_ isDraining: Bool, _ name: String, _ plane: ControlPlane) throws(ControlError)
    {
        let isNew = try plane.publisher.change { registry throws(RegistryError) in
            try registry.setDraining(isDraining, container: name)
        }
        guard isNew else { return }
        plane.logger.info(
            "container \(name) is \(isDraining ? "draining" : "ready")", metadata: .about(container: name))
    }
}

extension ReadyContainer: ChangingMethod {
    static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
        try DrainContainer.setDraining(false, parameters.name, plane)
        plane.state.keep(Self.self, parameters)
    }
}

extension ListContainers: ListingMethod {
    static let field = "containers"

    /// All that the registry knows; with `all` those, too, that are waited for or have ended.
    static func elements(_ plane: ControlPlane, _ parameters: Parameters, isPieced: Bool) -> ListElements {
        if parameters.remote == true { return remoteElements(plane) }
        var next: UInt32 = 0
        var absent: ArraySlice<ControlAPI.Container>?
        return { [unowned plane] () throws(ControlError) in
            let registry = plane.publisher.registry
            guard next < registry.containerNumbersEnd else {
                let others = absent ?? (parameters.all == true ? plane.absentContainers[...] : [])
                absent = others.dropFirst(ControlSocketLimits.elements)
                let some = others.prefix(ControlSocketLimits.elements)
                return some.isEmpty ? nil : some.map { ListElement($0.name, $0) }
            }
            var elements: [ListElement] = []
            let end = next.addingReportingOverflow(ControlSocketLimits.numbers).partialValue
            while next < end, elements.count < ControlSocketLimits.elements {
                elements += registry.containers(numbered: next..<next + 1).map {
                    ListElement($0.name, plane.describe($0, isBrief: parameters.brief == true))
                }
                next += 1
            }
            return elements
        }
    }
}

extension ListContainers {
    /// Containers of other hosts.
    private static func remoteElements(_ plane: ControlPlane) -> ListElements {
        var next: UInt32 = 0
        return { [unowned plane] () throws(ControlError) in
            let registry = plane.publisher.registry
            guard next < registry.remoteNumbersEnd else { return nil }
            let end = next + UInt32(ControlSocketLimits.elements)
            defer { next = end }
            return registry.remotes(numbered: next..<end).map { ListElement($0.name, plane.cluster.describe($0)) }
        }
    }
}

extension InspectContainer: CarriedOutMethod {
    /// Replies once it is proved anew that a container that is ready is heard, or tried for a second.
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        if call.isOneWay { return call.end() }
        guard let container = try? plane.publisher.container(named: call.parameters.name) else {
            return reply(to: call, plane)
        }
        plane.containers.proveAgain(container.id)
        plane.containers.whenProved(container.id) { [unowned plane] in reply(to: call, plane) }
    }

    private static func reply(to call: MethodCall<Self>, _ plane: ControlPlane) {
        do throws(ControlError) {
            var reply = try show(plane, call.parameters)
            let known = try? plane.publisher.container(named: call.parameters.name)
            Gate.describe(known.map { [$0.id] } ?? [], by: plane) {
                reply.container.gate = $0
                call.replyWhole(reply)
            }
        } catch {
            call.refuse(error)
        }
    }

    private static func show(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) -> Reply {
        do throws(ControlError) {
            return Reply(container: plane.describe(try plane.publisher.container(named: parameters.name)))
        } catch {
            if let absent = plane.absentContainers.first(where: { $0.isCalled(parameters.name) }) {
                return Reply(container: absent)
            }
            guard let remote = plane.publisher.registry.remote(called: parameters.name) else { throw error }
            return Reply(container: plane.cluster.describe(remote))
        }
    }
}

extension ControlError {
    static func withoutListener(resolverFile: String) -> ControlError {
        .invalidValue(
            resolverFile, of: "resolvConf", reason: "a container without netns or pid has no listener to ask")
    }
}
