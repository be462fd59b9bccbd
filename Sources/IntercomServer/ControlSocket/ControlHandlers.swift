// The table of handlers: what the daemon does for each method of the control interface.

import ControlAPI
import Registry
import Tables
import Varlink

/// How one method is carried out.
struct ControlHandler: Sendable {
    let method: any ControlMethod.Type
    /// Carries out a call and gives the control socket its reply, at once or later.
    let carryOut: @Sendable (ControlPlane, VarlinkCall, Ticket) -> Void
}

extension ControlPlane {
    /// All handlers, by the full name of their method. To add a method: its type goes into `ControlInterface.methods`, its
    /// handler into this list.
    static let handlers: [String: ControlHandler] = {
        let all = [
            change(CreateNetwork.self) { plane, call throws(ControlError) in try plane.createNetwork(call) },
            change(RemoveNetwork.self) { plane, call throws(ControlError) in try plane.removeNetwork(call) },
            change(Connect.self) { plane, call throws(ControlError) in try plane.connect(call) },
            change(Disconnect.self) { plane, call throws(ControlError) in try plane.disconnect(call) },
            changeLater(AddContainer.self) { plane, call, done in plane.addContainer(call, done: done) },
            change(RemoveContainer.self) { plane, call throws(ControlError) in try plane.removeContainer(call) },
            change(DrainContainer.self) { plane, call throws(ControlError) in try plane.drain(call) },
            change(ReadyContainer.self) { plane, call throws(ControlError) in try plane.makeReady(call) },
            handler(Reload.self) { plane, _, _, client in
                do throws(ControlError) {
                    try plane.reload { [unowned plane] notInForce in
                        let reply = VarlinkReply.encode(Reload.Reply(notInForce: notInForce))
                        plane.publish { plane.controlSocket.reply(reply, to: client) }
                    }
                } catch {
                    plane.refuse(error, to: client)
                }
            },
            list(ListNetworks.self, "networks") { plane, _, isPieced throws(ControlError) in
                plane.networkElements(isPieced: isPieced)
            },
            handler(InspectNetwork.self) { plane, call, parameters, client in
                plane.inspectNetwork(parameters, isPieced: call.more, client)
            },
            list(ListContainers.self, "containers") { plane, call, _ throws(ControlError) in
                plane.containerElements(isAll: call.all == true)
            },
            show(InspectContainer.self) { plane, call throws(ControlError) in try plane.inspectContainer(call) },
            later(Resolve.self) { plane, call, client in plane.resolve(call, client) },
            later(Status.self) { plane, _, client in plane.status(client) },
            later(FlushCache.self) { plane, call, client in plane.flushCache(call, client) },
            ControlHandler(method: Monitor.self) { plane, call, client in plane.monitor(call, client) },
        ]
        return Dictionary(uniqueKeysWithValues: all.map { ($0.method.name, $0) })
    }()

    // MARK: - Kinds of methods

    /// A method that changes something: its reply goes out once every worker has taken the change.
    private static func change<Method: ControlMethod>(
        _ method: Method.Type,
        _ body: @escaping @Sendable (ControlPlane, Method.Parameters) throws(ControlError) -> Void
    ) -> ControlHandler where Method.Reply == Nothing {
        handler(method) { plane, call, parameters, client in
            do throws(ControlError) {
                if Method.isPersisted { try plane.reserveState(for: call) }
                try body(plane, parameters)
            } catch {
                return plane.refuse(error, to: client)
            }
            plane.publish { plane.controlSocket.reply(VarlinkReply.encode(Nothing()), to: client) }
        }
    }

    /// A method that changes something when others have done their part: its reply goes out once every worker has taken
    /// the change.
    private static func changeLater<Method: ControlMethod>(
        _ method: Method.Type,
        _ body: @escaping @Sendable (ControlPlane, Method.Parameters, @escaping (ControlError?) -> Void) -> Void
    ) -> ControlHandler where Method.Reply == Nothing {
        handler(method) { plane, call, parameters, client in
            do throws(ControlError) {
                if Method.isPersisted { try plane.reserveState(for: call) }
            } catch {
                return plane.refuse(error, to: client)
            }
            body(plane, parameters) { [unowned plane] error in
                if let error { return plane.refuse(error, to: client) }
                plane.publish { plane.controlSocket.reply(VarlinkReply.encode(Nothing()), to: client) }
            }
        }
    }

    /// A method that looks at the registry alone. Where nobody wants the reply, nothing is looked at.
    private static func show<Method: ControlMethod>(
        _ method: Method.Type,
        _ body: @escaping @Sendable (ControlPlane, Method.Parameters) throws(ControlError) -> Method.Reply
    ) -> ControlHandler {
        handler(method) { plane, call, parameters, client in
            if call.oneway { return plane.controlSocket.reply([], to: client) }
            do throws(ControlError) {
                let message = VarlinkReply.encode(try body(plane, parameters))
                guard message.count <= ControlSocketLimits.wholeReply else { throw .replyTooLarge(method) }
                plane.controlSocket.reply(message, to: client)
            } catch {
                plane.refuse(error, to: client)
            }
        }
    }

    /// A method whose reply is a list: piece by piece to a call with `more`, else in one reply that is made piece by piece.
    private static func list<Method: ControlMethod>(
        _ method: Method.Type, _ field: String,
        _ elements: @escaping @Sendable (ControlPlane, Method.Parameters, Bool) throws(ControlError) -> ListElements
    ) -> ControlHandler {
        handler(method) { plane, call, parameters, client in
            if call.oneway { return plane.controlSocket.reply([], to: client) }
            do throws(ControlError) {
                let elements = try elements(plane, parameters, call.more)
                plane.controlSocket.reply(
                    with: ListReply(method, field, elements, isPieced: call.more), to: client)
            } catch {
                plane.refuse(error, to: client)
            }
        }
    }

    /// A method whose reply others have to be asked for first.
    private static func later<Method: ControlMethod>(
        _ method: Method.Type, _ body: @escaping @Sendable (ControlPlane, Method.Parameters, Ticket) -> Void
    ) -> ControlHandler {
        handler(method) { plane, _, parameters, client in body(plane, parameters, client) }
    }

    private static func handler<Method: ControlMethod>(
        _ method: Method.Type,
        _ body: @escaping @Sendable (ControlPlane, VarlinkCall, Method.Parameters, Ticket) -> Void
    ) -> ControlHandler {
        ControlHandler(method: method) { plane, call, client in
            do throws(InvalidParameter) {
                body(plane, call, try call.parameters(Method.Parameters.self), client)
            } catch {
                plane.controlSocket.reply(VarlinkService.invalidParameter(error), to: client)
            }
        }
    }
}
