// A list as a reply, made a few elements at a time.

import ControlAPI
import Registry
import Varlink

/// An element of a list, as JSON.
struct ListElement {
    /// Name by which elements of a whole reply are sorted.
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
