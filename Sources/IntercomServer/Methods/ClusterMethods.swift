// Methods of intercom.Cluster: a bridge attaches, and tells of other hosts.

import ControlAPI

extension ControlAPI.Attach: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        guard call.takesPieces, !call.isOneWay else { return call.refuseWithoutMore() }
        do throws(ControlError) {
            try plane.cluster.attach(call)
        } catch {
            call.refuse(error)
        }
    }
}

extension Begin: ChangingMethod {
    static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
        try plane.cluster.begin(parameters)
    }
}

extension Apply: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        do throws(ControlError) {
            let refused = try plane.cluster.apply(call.parameters)
            plane.publisher.whenInForce { call.reply(Reply(refused: refused)) }
        } catch {
            call.refuse(error)
        }
    }
}

extension Complete: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        do throws(ControlError) {
            let removed = try plane.cluster.complete(call.parameters)
            plane.publisher.whenInForce { call.reply(Reply(removed: removed)) }
        } catch {
            call.refuse(error)
        }
    }
}

extension Report: ChangingMethod {
    static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
        try plane.cluster.report(parameters)
    }
}
