// Lines of the state directory about what sources said: no calls, but what followed from them.

import ControlAPI
import Varlink

extension Declarations.Subject {
    static let publishedContainer = "published container"
    static let publishedNetwork = "published network"

    static func container(_ id: String, of source: String) -> Self {
        Self(publishedContainer, Array(source.utf8), Array(id.utf8))
    }

    static func network(_ name: String, of source: String) -> Self {
        Self(publishedNetwork, Array(source.utf8), Array(Publication.folded(name).utf8))
    }
}

/// A network that a source tells of.
enum KeptNetwork: PersistedMethod {
    struct Parameters: Codable, Sendable {
        var source: String
        var network: PublishedNetwork
    }

    static let name = "intercom.State.PublishNetwork"
    static var turn: RestoreTurn { .networks }

    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {
        declarations.put(
            call, about: .network(parameters.network.name, of: parameters.source))
    }

    static func restore(_ parameters: Parameters, by plane: ControlPlane) throws(ControlError) {
        plane.sources.restore(parameters)
    }

    static func words(for parameters: Parameters) -> String {
        "network \(parameters.network.name) of source \(parameters.source)"
    }
}

/// A container that a source tells of, and where it was attached.
enum KeptContainer: PersistedMethod {
    struct Parameters: Codable, Sendable {
        var source: String
        var container: PublishedContainer
        /// Absent: it has no namespace here, or has not been attached yet.
        var place: AttachedNamespace?
    }

    static let name = "intercom.State.PublishContainer"
    static var turn: RestoreTurn { .containers }

    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {
        let subject = Declarations.Subject.container(parameters.container.id, of: parameters.source)
        // A rename leaves it where it was attached.
        if parameters.place == nil, let before = declarations[subject]?.parameters(of: Self.self), before.place != nil,
            before.container.pid == parameters.container.pid, before.container.netns == parameters.container.netns
        {
            var placed = parameters
            placed.place = before.place
            declarations.put(Declaration(Self.self, placed), about: subject)
        } else {
            declarations.put(call, about: subject)
        }
    }

    static func words(for parameters: Parameters) -> String {
        "container \(parameters.container.id) of source \(parameters.source)"
    }

    /// By hand: a source tells of ten thousand at once, and the encoder would take a seventh of the time of that.
    static func encode(_ parameters: Parameters) -> [UInt8] {
        var text = VarlinkText(method: name)
        text.add("container") { Self.add(parameters.container, to: &$0) }
        if let place = parameters.place {
            text.add("place") {
                $0.add("container", place.container)
                $0.add("cookie", place.cookie)
                $0.add("inode", place.inode)
                $0.add("processStart", place.processStart)
            }
        }
        text.add("source", parameters.source)
        return text.message()
    }

    private static func add(_ container: PublishedContainer, to text: inout VarlinkText) {
        text.add("draining", container.draining)
        text.add("hostname", container.hostname)
        text.add("hosts", container.hosts) { text, host in
            text.add("address", host.address)
            text.add("name", host.name)
        }
        text.add("id", container.id)
        text.add("intercept", container.intercept)
        text.add("links", container.links) { text, link in
            text.add("container", link.container)
            text.add("name", link.name)
        }
        text.add("name", container.name)
        text.add("namespaceOf", container.namespaceOf)
        text.add("netns", container.netns)
        text.add("networks", container.networks) { text, network in
            text.add("addresses", network.addresses)
            text.add("aliases", network.aliases)
            text.add("name", network.name)
        }
        text.add("pid", container.pid)
        text.add("policy", container.policy)
        text.add("ports", container.ports) { text, port in
            text.add("port", port.port)
            text.add("protocol", port.protocol)
            text.add("service", port.service)
        }
        text.add("upstreams", container.upstreams)
    }
}

/// Networks and containers that a source tells of no more.
enum DroppedPublications: PersistedMethod {
    struct Parameters: Codable, Sendable {
        var source: String
        var networks: [String]
        var containers: [String]
    }

    static let name = "intercom.State.Unpublish"

    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {
        for name in parameters.networks { declarations.remove(.network(name, of: parameters.source)) }
        for id in parameters.containers { declarations.remove(.container(id, of: parameters.source)) }
    }
}
