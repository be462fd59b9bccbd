// Dispatch: from the name of a method to its handler, for callers who may call it.

import ControlAPI
import Tables
import Varlink

/// The methods of the daemon's interfaces, as it carries them out.
enum MethodTable {
    /// All methods of `ControlInterface.methods` that have a handler, by their full name.
    static let methods = table(of: ControlInterface.methods)
    /// All methods of `ClusterInterface.methods`, likewise.
    static let clusterMethods = table(of: ClusterInterface.methods)

    /// All methods of `ResolveHookInterface.methods`, likewise.
    static let resolveHookMethods = table(of: ResolveHookInterface.methods)

    private static func table(of methods: [any ControlMethod.Type]) -> [String: any CarriedOutMethod.Type] {
        let all = methods.compactMap { $0 as? any CarriedOutMethod.Type }
        return Dictionary(all.map { ($0.name, $0) }) { first, _ in first }
    }

    /// `org.varlink.service`: introspection.
    static func service(for purpose: ControlSocket.Purpose) -> VarlinkService {
        let description =
            switch purpose {
            case .control: ControlInterface.description
            case .cluster: ClusterInterface.description
            case .resolveHook: ResolveHookInterface.description
            }
        return VarlinkService(
            vendor: "intercom", product: "intercomd", version: Release.number, url: "https://intercom.internal/",
            interfaces: [(name: purpose.interface, description: description)])
    }

    /// Carries out a call, or refuses it; its reply is given to the socket that it came to, now or later.
    static func carryOut(
        _ call: VarlinkCall, of caller: ControlSocket.Caller, on socket: ControlSocket, by plane: ControlPlane
    ) {
        if let answer = service(for: socket.purpose).answer(call) { return socket.reply(answer, to: caller.client) }
        let methods =
            switch socket.purpose {
            case .control: methods
            case .cluster: clusterMethods
            case .resolveHook: resolveHookMethods
            }
        guard let method = methods[call.method] else {
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
