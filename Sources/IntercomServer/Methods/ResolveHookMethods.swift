// Methods of io.systemd.Resolve.Hook: systemd-resolved asks for the host's programs.

import ControlAPI

extension QueryFilter: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        if call.isOneWay { return call.end() }
        let filter = plane.resolveHook.filter
        if call.takesPieces { call.watch(.filter, beginning: filter) } else { call.reply(filter) }
    }
}

extension ResolveRecord: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        if call.isOneWay { return call.end() }
        plane.resolveHook.resolve(call.parameters.question) { call.reply($0) }
    }
}
