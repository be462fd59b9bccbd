// Lines of the state directory about what sources said: no calls, but what followed from them.

import ControlAPI

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
