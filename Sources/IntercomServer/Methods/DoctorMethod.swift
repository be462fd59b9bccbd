// Doctor: whatever is not well, of the machine or of some containers.

import Attachment
import ControlAPI
import Diagnosis
import Registry

extension Doctor: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        let examination = Examination(plane) { checkup, count in
            call.replyWhole(
                Reply(
                    findings: checkup.findings.map { finding in
                        Finding(
                            cause: finding.cause.rawValue, container: finding.container, text: finding.text,
                            cure: finding.cure)
                    }, further: checkup.further, containerCount: count))
        }
        guard let names = call.parameters.containers, !names.isEmpty else { return examination.examineMachine() }
        do throws(ControlError) {
            try examination.examine(names)
        } catch {
            call.refuse(error)
        }
    }
}
