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

extension Begin: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        call.tell(plane) { cluster throws(ControlError) in
            try cluster.begin(call.parameters)
            return Reply()
        }
    }
}

extension Apply: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        call.tell(plane) { cluster throws(ControlError) in Reply(refused: try cluster.apply(call.parameters)) }
    }
}

extension Complete: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        call.tell(plane) { cluster throws(ControlError) in Reply(removed: try cluster.complete(call.parameters)) }
    }
}

extension Report: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        call.tell(plane) { cluster throws(ControlError) in
            try cluster.report(call.parameters)
            return Reply()
        }
    }
}

extension MethodCall where Method: ClusterMethod {
    /// Has the cluster take something in, and replies when it is in force: at once while no listener answers yet, as all of
    /// it is in force before the first one does.
    fileprivate func tell(_ plane: ControlPlane, _ take: (Cluster) throws(ControlError) -> Method.Reply) {
        do throws(ControlError) {
            let answer = try take(plane.cluster)
            if plane.publisher.isHeld { return reply(answer) }
            plane.publisher.whenInForce { reply(answer) }
        } catch {
            refuse(error)
        }
    }
}
