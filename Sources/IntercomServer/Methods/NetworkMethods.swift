// Methods of networks: created and removed, shown, and containers put on them and taken off.

import ControlAPI
import Logging
import Registry
import Varlink

extension CreateNetwork: ChangingMethod {
    static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
        try plane.publisher.checkPolicy(parameters.policy)
        try create(plane, parameters)
    }

    /// Creates a network, whose policy may be missing: then its containers are denied everything.
    static func create(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
        let definition = try NetworkDefinition(parameters, beside: plane.configuration.server.domain)
        try plane.publisher.change { registry throws(RegistryError) in try registry.createNetwork(definition) }
        plane.upstreams.noteChange()
        plane.state.keep(Self.self, parameters)
        plane.logger.info("network \(definition.name) created", metadata: .about(network: definition.name))
    }
}

extension RemoveNetwork: ChangingMethod {
    static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
        let name = parameters.name
        try plane.publisher.change { registry throws(RegistryError) in try registry.removeNetwork(named: name) }
        plane.upstreams.noteChange()
        plane.state.keep(Self.self, parameters)
        plane.logger.info("network \(name) removed", metadata: .about(network: name))
    }
}

extension Connect: ChangingMethod {
    static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
        let endpoint = try EndpointDefinition(
            network: parameters.network, addresses: parameters.addresses, aliases: parameters.aliases)
        let isNew = try plane.publisher.change { registry throws(RegistryError) in
            try registry.connect(container: parameters.container, endpoint)
        }
        plane.state.keep(Self.self, parameters)
        guard isNew else { return }
        plane.logger.info(
            "container \(parameters.container) connected to network \(parameters.network)",
            metadata: .about(container: parameters.container, network: parameters.network))
    }
}

extension Disconnect: ChangingMethod {
    static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
        try plane.publisher.change { registry throws(RegistryError) in
            try registry.disconnect(container: parameters.container, network: parameters.network)
        }
        plane.state.keep(Self.self, parameters)
        plane.logger.info(
            "container \(parameters.container) disconnected from network \(parameters.network)",
            metadata: .about(container: parameters.container, network: parameters.network))
    }
}

extension ListNetworks: ListingMethod {
    static let field = "networks"

    static func elements(_ plane: ControlPlane, _ parameters: Parameters, isPieced: Bool) -> ListElements {
        var next: UInt32 = 0
        var parts: NetworkParts?
        return { [unowned plane] () throws(ControlError) in
            let registry = plane.publisher.registry
            if let part = parts?.next(plane) { return [ListElement(part.name, part)] }
            parts = nil
            guard next < registry.networkNumbersEnd else { return nil }
            let end = next.addingReportingOverflow(ControlSocketLimits.numbers).partialValue
            while next < end {
                defer { next += 1 }
                guard let network = registry.networks(numbered: next..<next + 1).first else { continue }
                var first = try NetworkParts(network, isPieced: isPieced, of: Self.self)
                defer { parts = first }
                return first.next(plane).map { [ListElement($0.name, $0)] } ?? []
            }
            return []
        }
    }
}

extension InspectNetwork: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        do throws(ControlError) {
            let network = try plane.publisher.change { registry throws(RegistryError) in
                try registry.network(named: call.parameters.name)
            }
            let parts = try NetworkParts(network, isPieced: call.takesPieces, of: Self.self)
            call.reply(with: NetworkReply(plane, parts))
        } catch {
            call.refuse(error)
        }
    }
}

// MARK: - Networks in parts

/// A network in parts, each with some of its containers.
struct NetworkParts {
    private let id: ScopeID
    private var places: Range<Int>

    /// - Parameters:
    ///   - network: the network.
    ///   - isPieced: whether it may come in parts; else it is one.
    ///   - method: what is being replied to.
    /// - Throws: `ReplyTooLarge` where one part has to do and cannot.
    init(
        _ network: Registry.Network, isPieced: Bool, of method: any ControlMethod.Type
    ) throws(ControlError) {
        guard isPieced || network.memberCount <= ControlSocketLimits.membersAtOnce else {
            throw .replyTooLarge(method)
        }
        id = network.id
        places = 0..<(isPieced ? ControlSocketLimits.members : Int.max)
    }

    /// True where there is another part.
    func hasNext(_ plane: ControlPlane) -> Bool {
        plane.publisher.registry[id].map { places.lowerBound == 0 || places.lowerBound < $0.memberCount } ?? false
    }

    /// The next part; nil behind the last, and where the network has gone.
    mutating func next(_ plane: ControlPlane) -> ControlAPI.Network? {
        guard hasNext(plane), let network = plane.publisher.registry[id] else { return nil }
        let part = plane.describe(network, containersAt: places)
        let (end, isLast) = places.upperBound.addingReportingOverflow(ControlSocketLimits.members)
        places = places.upperBound..<(isLast ? Int.max : end)
        return part
    }
}

/// The reply to an inspection of a network: as many messages as it has parts.
private struct NetworkReply: ReplySource {
    private unowned let plane: ControlPlane
    private var parts: NetworkParts

    init(_ plane: ControlPlane, _ parts: NetworkParts) {
        self.plane = plane
        self.parts = parts
    }

    mutating func next() -> ReplyPiece {
        guard let part = parts.next(plane) else {
            let error = ControlError.operationFailed(reason: "the network was removed meanwhile")
            return .last(VarlinkReply.encode(error: error.name, error))
        }
        let continues = parts.hasNext(plane)
        let message = VarlinkReply.encode(InspectNetwork.Reply(network: part), continues: continues)
        return continues ? .reply(message) : .last(message)
    }
}
