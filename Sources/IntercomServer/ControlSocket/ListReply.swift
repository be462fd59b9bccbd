// A list as a reply, made a few elements at a time.

import ControlAPI
import Registry
import Varlink

/// An element of a list, as JSON.
struct ListElement {
    /// What elements of a whole reply are sorted by.
    var name: String
    var json: [UInt8]

    init(_ name: String, _ value: some Encodable) {
        self.name = name
        json = VarlinkReply.element(value)
    }
}

/// The elements of a list, a few with each call; nil behind the last.
typealias ListElements = () throws(ControlError) -> [ListElement]?

/// Sends a list: each reply has as many elements as have come together, or all of them are in one.
struct ListReply: ReplySource {
    private let method: any ControlMethod.Type
    private let field: String
    private let elements: ListElements
    private let isPieced: Bool
    private var gathered: [ListElement] = []
    private var octets = 0

    /// - Parameters:
    ///   - field: the reply's one field: a list, or one element alone where the method gives one.
    ///   - isPieced: whether there may be several replies; else one that is too long is an error.
    init(_ method: any ControlMethod.Type, _ field: String, _ elements: @escaping ListElements, isPieced: Bool) {
        self.method = method
        self.field = field
        self.elements = elements
        self.isPieced = isPieced
    }

    mutating func next() -> ReplyPiece {
        do throws(ControlError) {
            guard let new = try elements() else { return .last(message(continues: false)) }
            gathered += new
            octets += new.reduce(0) { $0 + $1.json.count + 1 }
        } catch {
            return .last(VarlinkReply.encode(error: error.name, error))
        }
        if !isPieced, octets > ControlSocketLimits.wholeReply {
            let error = ControlError.replyTooLarge(method)
            return .last(VarlinkReply.encode(error: error.name, error))
        }
        guard isPieced, octets >= ControlSocketLimits.piece else { return .nothingYet }
        return .reply(message(continues: true))
    }

    private mutating func message(continues: Bool) -> [UInt8] {
        defer {
            gathered = []
            octets = 0
        }
        if !isPieced { gathered.sort { $0.name < $1.name } }
        return VarlinkReply.encode(list: field, gathered.map(\.json), continues: continues)
    }
}

extension ControlPlane {
    /// All containers.
    /// - Parameter isAll: true: then those that are waited for, and those that ended.
    func containerElements(isAll: Bool) -> ListElements {
        var next: UInt32 = 0
        var absent: ArraySlice<ControlAPI.Container>?
        return { [unowned self] () throws(ControlError) in
            guard next < registry.containerNumbersEnd else {
                let others = absent ?? (isAll ? absentContainers[...] : [])
                absent = others.dropFirst(ControlSocketLimits.elements)
                let some = others.prefix(ControlSocketLimits.elements)
                return some.isEmpty ? nil : some.map { ListElement($0.name, $0) }
            }
            var elements: [ListElement] = []
            let end = next.addingReportingOverflow(ControlSocketLimits.numbers).partialValue
            while next < end, elements.count < ControlSocketLimits.elements {
                elements += registry.containers(numbered: next..<next + 1).map { ListElement($0.name, describe($0)) }
                next += 1
            }
            return elements
        }
    }

    /// All networks.
    /// - Parameter isPieced: whether a network of many containers may come in parts.
    func networkElements(isPieced: Bool) -> ListElements {
        var next: UInt32 = 0
        var parts: NetworkParts?
        return { [unowned self] () throws(ControlError) in
            if let part = parts?.next(self) { return [ListElement(part.name, part)] }
            parts = nil
            guard next < registry.networkNumbersEnd else { return nil }
            let end = next.addingReportingOverflow(ControlSocketLimits.numbers).partialValue
            while next < end {
                defer { next += 1 }
                guard let network = registry.networks(numbered: next..<next + 1).first else { continue }
                var first = try NetworkParts(network, isPieced: isPieced, of: ListNetworks.self)
                defer { parts = first }
                return first.next(self).map { [ListElement($0.name, $0)] } ?? []
            }
            return []
        }
    }
}

/// A network in parts, each with some of its containers.
struct NetworkParts {
    private let id: ScopeID
    private var places: Range<Int>

    /// - Parameters:
    ///   - isPieced: whether it may come in parts; else it is one.
    ///   - method: what is being replied to.
    /// - Throws: ``ControlError/replyTooLarge(_:)`` where one part has to do and cannot.
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
        plane.registry[id].map { places.lowerBound == 0 || places.lowerBound < $0.memberCount } ?? false
    }

    /// The next part; nil behind the last, and where the network has gone.
    mutating func next(_ plane: ControlPlane) -> ControlAPI.Network? {
        guard hasNext(plane), let network = plane.registry[id] else { return nil }
        let part = plane.describe(network, containersAt: places)
        let (end, isLast) = places.upperBound.addingReportingOverflow(ControlSocketLimits.members)
        places = places.upperBound..<(isLast ? Int.max : end)
        return part
    }
}

/// The reply to an inspection of a network: as many messages as it has parts.
struct NetworkReply: ReplySource {
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
