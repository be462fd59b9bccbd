// The method that gives all metrics: workers are asked, then families are made and sent one by one.

import ControlAPI
import Varlink

extension Metrics: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        if call.isOneWay { return call.end() }
        let workers = plane.workers
        let perContainer = plane.configuration.metrics.perContainer
        workers.ask(workers.indices, { .measure(token: $0, perContainer: perContainer) }) { [unowned plane] replies in
            let measures = replies.compactMap { reply -> WorkerMeasures? in
                if case .measured(_, let measures) = reply { measures } else { nil }
            }
            var families = MetricFamilies(measures, plane).all[...]
            let elements: ListElements = { () throws(ControlError) in
                families.popFirst().map { [ListElement($0.name, $0)] }
            }
            call.reply(with: ListReply(Self.self, "families", elements, isPieced: call.takesPieces))
        }
    }
}
