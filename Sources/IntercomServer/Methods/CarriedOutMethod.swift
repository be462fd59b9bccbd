// Methods of the control interface as the daemon carries them out: their kinds, and the call that each is given.

import ControlAPI
import Tables
import Varlink

/// A method of the control interface with its handler, which stands in this folder beside nothing else.
///
/// Most are of one of the kinds below, which know when a reply goes out.
protocol CarriedOutMethod: ControlMethod {
    /// Carries out a call, and replies to it exactly once, now or later.
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane)
}

/// A method that changes something: its reply goes out once every worker has taken the change.
protocol ChangingMethod: CarriedOutMethod where Reply == Nothing {
    /// Changes it at once, or refuses to and leaves everything as it was.
    static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError)
    /// Subjects of requests to the opener that the reply waits for, as files that are removed; none, unless a method says so.
    static func requestSubjects(_ plane: ControlPlane, _ parameters: Parameters) -> [String]
}

/// A method that looks at what the control plane knows.
protocol ShowingMethod: CarriedOutMethod {
    /// The reply.
    static func show(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) -> Reply
}

/// A method whose reply is a list: in pieces to a call with `more`, else in one reply, which is made piece by piece, too.
protocol ListingMethod: CarriedOutMethod {
    /// The reply's one field.
    static var field: String { get }
    /// The list's elements.
    /// - Parameters:
    ///   - plane: what is known.
    ///   - parameters: what the client sent.
    ///   - isPieced: true where one element may come in several parts.
    static func elements(_ plane: ControlPlane, _ parameters: Parameters, isPieced: Bool) -> ListElements
}

// MARK: - A call

/// A call of one method, to be replied to exactly once.
struct MethodCall<Method: ControlMethod> {
    /// Parameters that the client sent.
    let parameters: Method.Parameters
    /// True where the client takes several replies.
    let takesPieces: Bool
    /// True where the client wants no reply.
    let isOneWay: Bool
    /// Octets of the call.
    let size: Int
    /// Its sender.
    let client: Ticket
    fileprivate let socket: ControlSocket

    /// - Throws: `InvalidParameter` where the parameters are not the method's.
    init(_ call: VarlinkCall, of client: Ticket, by socket: ControlSocket) throws(InvalidParameter) {
        parameters = try call.parameters(Method.Parameters.self)
        takesPieces = call.more
        isOneWay = call.oneway
        size = call.size
        self.client = client
        self.socket = socket
    }

    /// Replies.
    func reply(_ reply: Method.Reply) { socket.reply(VarlinkReply.encode(reply), to: client) }

    /// Replies, or refuses the call where one message has no room for the reply.
    func replyWhole(_ reply: Method.Reply) {
        let message = VarlinkReply.encode(reply)
        guard message.count <= ControlSocketLimits.wholeReply else { return refuse(.replyTooLarge(Method.self)) }
        socket.reply(message, to: client)
    }

    /// Refuses the call.
    func refuse(_ error: ControlError) { socket.refuse(error, to: client) }

    /// Replies piece by piece.
    func reply(with source: some ReplySource) { socket.reply(with: source, to: client) }

    /// Ends a call whose reply nobody wants.
    func end() { socket.reply([], to: client) }

    /// Has the client watch from now on, after a first reply.
    func watch(_ subject: MonitorSubject, beginning first: Method.Reply) {
        socket.watch(client, subject, beginning: VarlinkReply.encode(first, continues: true))
    }

    /// Refuses a call without `more` of a method that needs it.
    func refuseWithoutMore() { socket.reply(VarlinkService.expectedMore(), to: client) }
}

extension MethodCall where Method.Reply == Nothing {
    /// Replies when all that has changed until now is in force, and the opener has written and removed what it was asked to
    /// of these subjects: files that programs may read from now on.
    func replyWhenInForce(_ plane: ControlPlane, about subjects: @escaping @autoclosure () -> [String]) {
        plane.publisher.whenInForce { [requests = plane.requests] in
            requests.whenEnded(about: subjects()) { reply(Nothing()) }
        }
    }
}

// MARK: - Kinds

extension ChangingMethod {
    static func requestSubjects(_ plane: ControlPlane, _ parameters: Parameters) -> [String] { [] }

    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        // Before the change: a container that is gone has no files.
        let subjects = requestSubjects(plane, call.parameters)
        do throws(ControlError) {
            try change(plane, call.parameters)
        } catch {
            return call.refuse(error)
        }
        call.replyWhenInForce(plane, about: subjects)
    }
}

extension ShowingMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        if call.isOneWay { return call.end() }
        do throws(ControlError) {
            call.replyWhole(try show(plane, call.parameters))
        } catch {
            call.refuse(error)
        }
    }
}

extension ListingMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        if call.isOneWay { return call.end() }
        let elements = elements(plane, call.parameters, isPieced: call.takesPieces)
        call.reply(with: ListReply(Self.self, field, elements, isPieced: call.takesPieces))
    }
}
