// Dispatch: from the name of a method to its handler, for callers who may call it.

import ControlAPI
import Tables
import Varlink

/// The methods of the control interface, as the daemon carries them out.
enum MethodTable {
    /// All methods of `ControlInterface.methods` that have a handler, by their full name.
    static let methods: [String: any CarriedOutMethod.Type] = {
        let all = ControlInterface.methods.compactMap { $0 as? any CarriedOutMethod.Type }
        return Dictionary(all.map { ($0.name, $0) }) { first, _ in first }
    }()

    /// `org.varlink.service`: introspection.
    static var service: VarlinkService {
        VarlinkService(
            vendor: "intercom", product: "intercomd", version: Release.number, url: "https://intercom.internal/",
            interfaces: [(name: ControlInterface.name, description: ControlInterface.description)])
    }

    /// Carries out a call, or refuses it; its reply is given to the control socket, now or later.
    static func carryOut(_ call: VarlinkCall, of caller: ControlSocket.Caller, by plane: ControlPlane) {
        if let answer = service.answer(call) { return plane.controlSocket.reply(answer, to: caller.client) }
        guard let method = methods[call.method] else {
            return plane.controlSocket.reply(VarlinkService.methodNotFound(call.method), to: caller.client)
        }
        carryOut(method, call, of: caller, by: plane)
    }

    private static func carryOut<Method: CarriedOutMethod>(
        _ method: Method.Type, _ call: VarlinkCall, of caller: ControlSocket.Caller, by plane: ControlPlane
    ) {
        do throws(ControlError) {
            try check(caller, for: method)
            if Method.isPersisted { try plane.state.reserve(call.size) }
        } catch {
            return plane.controlSocket.refuse(error, to: caller.client)
        }
        do throws(InvalidParameter) {
            Method.carryOut(try MethodCall(call, of: caller.client, by: plane.controlSocket), by: plane)
        } catch {
            plane.controlSocket.reply(VarlinkService.invalidParameter(error), to: caller.client)
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
