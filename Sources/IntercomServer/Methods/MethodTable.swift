// Dispatch: from the name of a method to its handler, for callers who may call it.

import ControlAPI
import Tables
import Varlink

/// The methods of the daemon's interfaces, as it carries them out.
enum MethodTable {
    /// One interface: the methods that have a handler, by their full names, and introspection (`org.varlink.service`).
    struct Interface {
        let methods: [String: any CarriedOutMethod.Type]
        let service: VarlinkService

        fileprivate init(of purpose: ControlSocket.Purpose, description: String) {
            let all = purpose.methods.compactMap { $0 as? any CarriedOutMethod.Type }
            methods = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }
            service = VarlinkService(
                vendor: "intercom", product: "intercomd", version: Release.number, url: "https://intercom.internal/",
                interfaces: [(name: purpose.interface, description: description)])
        }
    }

    static let control = Interface(of: .control, description: ControlInterface.description)
    static let cluster = Interface(of: .cluster, description: ClusterInterface.description)
    static let resolveHook = Interface(of: .resolveHook, description: ResolveHookInterface.description)

    /// The interface that a socket has.
    static func interface(of purpose: ControlSocket.Purpose) -> Interface {
        switch purpose {
        case .control: control
        case .cluster: cluster
        case .resolveHook: resolveHook
        }
    }

    /// Carries out a call, or refuses it; its reply is given to the socket that it came to, now or later.
    static func carryOut(
        _ call: VarlinkCall, of caller: ControlSocket.Caller, on socket: ControlSocket, by plane: ControlPlane
    ) {
        let interface = interface(of: socket.purpose)
        if let answer = interface.service.answer(call) { return socket.reply(answer, to: caller.client) }
        guard let method = interface.methods[call.method] else {
            return socket.reply(VarlinkService.methodNotFound(call.method), to: caller.client)
        }
        carryOut(method, call, of: caller, on: socket, by: plane)
    }

    private static func carryOut<Method: CarriedOutMethod>(
        _ method: Method.Type, _ call: VarlinkCall, of caller: ControlSocket.Caller, on socket: ControlSocket,
        by plane: ControlPlane
    ) {
        do throws(ControlError) {
            try check(caller, for: method)
            if Method.isPersisted { try plane.state.reserve(call.size) }
        } catch {
            return socket.refuse(error, to: caller.client)
        }
        do throws(InvalidParameter) {
            Method.carryOut(try MethodCall(call, of: caller.client, by: socket), by: plane)
        } catch {
            socket.reply(VarlinkService.invalidParameter(error), to: caller.client)
        }
    }

    /// Checks that a caller may call a method.
    /// - Throws: `NotPermitted`.
    static func check(_ caller: ControlSocket.Caller, for method: any ControlMethod.Type) throws(ControlError) {
        switch (method.permission, caller.permission) {
        case (.group, _), (.root, .root): return
        case (.root, .group): throw .notPermitted(user: caller.user, method: method)
        }
    }
}
