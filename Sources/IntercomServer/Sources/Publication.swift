// A publication on its way: parts that wait for the last one, and the steps by which it comes into force.

import ControlAPI
import DNSWire
import LinuxNet
import Registry
import Tables

/// Networks and containers of one call, or of all parts of one publication: read, and not in force yet.
struct Publication {
    /// Name of the source.
    let source: String
    /// By their names.
    var networks: [String: PublishedSegment] = [:]
    /// By their ids.
    var containers: [String: PublishedItem] = [:]
    /// Networks and containers that cannot be, with the reason.
    var leftOut: [String: String] = [:]
    /// Octets of the calls.
    var octets = 0

    init(source: String) {
        self.source = source
    }

    /// Takes networks and containers in; those that cannot be are left out, with the reason.
    /// - Throws: `InvalidValue` where an id comes twice; `TooMany`.
    mutating func add(_ networks: [PublishedNetwork], _ containers: [PublishedContainer]) throws(ControlError) {
        for parameters in networks {
            do throws(ControlError) {
                self.networks[Self.folded(parameters.name)] = try PublishedSegment(parameters, of: source)
            } catch {
                leftOut["network \(parameters.name)"] = error.message
            }
        }
        try Self.check(self.networks.count, PublishedSources.networkLimit, "networks")
        for parameters in containers {
            guard self.containers[parameters.id] == nil else {
                throw .invalidValue(parameters.id, of: "id", reason: "two containers have it")
            }
            do throws(ControlError) {
                self.containers[parameters.id] = try PublishedItem(parameters, of: source)
            } catch {
                leftOut["container \(parameters.name ?? parameters.id)"] = error.message
            }
        }
        try Self.check(self.containers.count, PublishedSources.containerLimit, "containers")
    }

    /// Refuses more of something than one source may tell of.
    static func check(_ count: Int, _ limit: Int, _ what: String) throws(ControlError) {
        if count > limit { throw .tooMany("\(what) of one source", count: count, limit: limit) }
    }

    /// A network's name without regard to case.
    static func folded(_ name: String) -> String { name.lowercased() }
}

/// A step that changes one network or container.
enum PublicationStep {
    case putNetwork(PublishedSegment)
    case dropNetwork(String)
    case put(PublishedItem)
    case drop(id: String)

    /// True where other servers may be asked, or other interfaces be networks, afterwards.
    var mayChangeUpstreams: Bool {
        switch self {
        case .putNetwork, .dropNetwork: true
        case .put(let item): !item.definition.upstreams.isEmpty
        case .drop: false
        }
    }
}

/// One call, carried out in steps, some at a time.
struct PublicationJob {
    /// Name of the source.
    let source: String
    /// Compares what was said with what was said before.
    let compare: () -> [PublicationStep]
    /// Steps; nil: they are not known before the call's turn has come.
    var steps: [PublicationStep]?
    /// Number of steps that are done.
    var done = 0
    /// Lines for the state directory.
    var lines: [Declaration] = []
    /// Networks and containers that cannot be; nil: as they were.
    var leftOut: [String: String]?
    /// True where nothing is to be left of the source.
    var forgets = false
    /// Ids of containers whose attachment the reply waits for.
    var awaited: [String] = []
    /// Replies.
    let finish: () -> Void

    init(source: String, compare: @escaping () -> [PublicationStep], finish: @escaping () -> Void) {
        self.source = source
        self.compare = compare
        self.finish = finish
    }
}

/// Publications whose last part is still to come, by the client who sends them.
struct PartialPublications {
    /// Octets of the parts of all clients together.
    static let limit = 64 << 20

    private var publications: [Ticket: Publication] = [:]
    private var octets = 0

    /// Takes a message in.
    /// - Returns: the publication, if it is whole.
    /// - Throws: `InvalidValue`, `TooMany`, `OperationFailed`; parts that came before are dropped.
    mutating func take(
        _ parameters: Publish.Parameters, from client: Ticket, octets size: Int
    ) throws(ControlError) -> Publication? {
        var publication = Publication(source: parameters.source)
        if let before = drop(client), parameters.part == .middle || parameters.part == .last {
            guard before.source == parameters.source else {
                throw .invalidValue(
                    parameters.source, of: "source", reason: "the first part was of source \(before.source)")
            }
            publication = before
        } else if parameters.part == .middle || parameters.part == .last {
            throw .invalidValue(parameters.part?.rawValue ?? "", of: "part", reason: "the first part is missing")
        }
        try publication.add(parameters.networks ?? [], parameters.containers ?? [])
        publication.octets += size
        guard parameters.part == .first || parameters.part == .middle else { return publication }
        guard octets + publication.octets <= Self.limit else {
            throw .operationFailed(
                reason: "publications whose last part is still to come take more than \(Self.limit >> 20) MiB")
        }
        octets += publication.octets
        publications[client] = publication
        return nil
    }

    /// Drops what a client sent in parts.
    @discardableResult
    mutating func drop(_ client: Ticket) -> Publication? {
        guard let dropped = publications.removeValue(forKey: client) else { return nil }
        octets -= dropped.octets
        return dropped
    }
}
