// One container that a source tells of, as it is kept: what was said, and what follows for its namespace.

import Attachment
import ControlAPI
import DNSWire
import Registry

/// A container of a source.
struct PublishedItem {
    /// Properties that never change, in one place: an item goes through many hands, and copies count one reference, not forty.
    private final class Content {
        let parameters: PublishedContainer
        let definition: ContainerDefinition
        let way: NamespaceSource?

        init(_ parameters: PublishedContainer, _ definition: ContainerDefinition, _ way: NamespaceSource?) {
            self.parameters = parameters
            self.definition = definition
            self.way = way
        }
    }

    private let content: Content
    /// Parameters as the source sent them: what is equal changes nothing.
    var parameters: PublishedContainer { content.parameters }
    /// Definition for the registry.
    var definition: ContainerDefinition { content.definition }
    /// Way into its namespace; nil: it has none of its own here.
    var way: NamespaceSource? { content.way }
    /// Its declaration, while its namespace is entered or is to be.
    var number: DeclarationNumber?
    /// True when its namespace has ended since its source told of it.
    var hasEnded = false

    /// - Throws: ``ControlError``: the container cannot be, and is left out.
    init(_ parameters: PublishedContainer, of source: String) throws(ControlError) {
        content = Content(
            parameters, try ContainerDefinition(parameters, of: source), try Self.way(into: parameters))
    }

    /// Way into the namespace of a container; nil where it has none of its own here. A process comes before a path: with it
    /// the container ends.
    private static func way(into parameters: PublishedContainer) throws(ControlError) -> NamespaceSource? {
        if parameters.namespaceOf != nil { return nil }
        if let number = parameters.pid {
            guard let pid = Int32(exactly: number), (1...NamespaceSource.highestPID).contains(number) else {
                throw .noSuchProcess(pid: number)
            }
            return .pid(pid)
        }
        guard let path = parameters.netns else { return nil }
        guard NamespaceSource.isPath(path) else {
            throw .invalidValue(path, of: "netns", reason: "expected an absolute path, as /run/netns/web")
        }
        return .path(path)
    }

    /// Its key.
    func key(of source: String) -> PublicationKey { PublicationKey(source: source, id: parameters.id) }

    /// Id of the container that it may join: the one whose namespace it shares, or the same one as another source knows it.
    var joinedID: String? { way == nil ? parameters.namespaceOf ?? parameters.id : nil }

    /// True when its namespace is entered as it was before, and its questions are led to us likewise.
    func staysReached(after before: PublishedItem) -> Bool {
        guard way == before.way, !before.hasEnded else { return false }
        if way == nil { return joinedID == before.joinedID }
        return before.number != nil && definition.intercept == before.definition.intercept
    }
}

/// A network of a source.
struct PublishedSegment: Equatable {
    /// Parameters as the source sent them.
    let parameters: PublishedNetwork
    /// Definition for the registry.
    let definition: NetworkDefinition

    /// - Throws: ``ControlError``: the network cannot be, and is left out.
    init(_ parameters: PublishedNetwork, of source: String) throws(ControlError) {
        self.parameters = parameters
        var definition = NetworkDefinition(name: parameters.name, source: .publisher(source))
        definition.interface = parameters.interface
        definition.isInternal = parameters.internal ?? false
        do throws(RegistryError) {
            for text in parameters.subnets ?? [] { definition.subnets.append(try Subnet(declared: text)) }
            // An internal network forwards nothing.
            if !definition.isInternal {
                for text in parameters.upstreams ?? [] {
                    definition.upstreams.append(try ServerAddress(upstream: text))
                }
            }
            try Registry.check(definition)
        } catch {
            throw .of(error)
        }
        self.definition = definition
    }
}

extension ContainerDefinition {
    /// The most octets of a container's id.
    fileprivate static let longestID = 255
    /// Characters of an id that are a name.
    fileprivate static let shortID = 12

    /// A container as a source tells of it.
    init(_ parameters: PublishedContainer, of source: String) throws(ControlError) {
        let id = parameters.id
        guard (1...Self.longestID).contains(id.utf8.count), !id.utf8.contains(0) else {
            throw .invalidValue(id, of: "id", reason: "expected 1 to \(Self.longestID) octets without a NUL")
        }
        self.init(name: parameters.name ?? String(id.prefix(Self.shortID)), source: .publisher(source))
        self.id = id
        hostname = parameters.hostname
        isDraining = parameters.draining ?? false
        policy = parameters.policy
        namesItsNetworks = parameters.networks != nil
        links = (parameters.links ?? []).map { LinkDefinition(container: $0.container, name: $0.name) }
        do throws(RegistryError) {
            for network in parameters.networks ?? [] {
                var endpoint = EndpointDefinition(network: network.name, aliases: network.aliases ?? [])
                for text in network.addresses ?? [] { endpoint.addresses.append(try IPAddress(ofContainer: text)) }
                endpoints.append(endpoint)
            }
            for port in parameters.ports ?? [] {
                ports.append(try PortDefinition(number: port.port, protocol: port.protocol, service: port.service))
            }
            for host in parameters.hosts ?? [] {
                extraHosts.append(
                    ExtraHostDefinition(
                        name: host.name,
                        address: host.address == ExtraHost.gateway ? nil : try IPAddress(ofExtraHost: host.address)))
            }
            for text in parameters.upstreams ?? [] { upstreams.append(try ServerAddress(upstream: text)) }
            guard upstreams.count <= Registry.Limits.upstreams else {
                throw .tooMany("upstreams", count: upstreams.count, limit: Registry.Limits.upstreams)
            }
            try Registry.checkSize(of: self)
        } catch {
            throw .of(error)
        }
        intercept = try Interception(declared: parameters.intercept ?? [])
    }
}
