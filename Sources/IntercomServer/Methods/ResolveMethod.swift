// Resolve: the answer that a container would be given, from the worker that serves it.

import ControlAPI
import DNSWire
import LinuxNet
import Registry

extension Resolve: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        let parameters = call.parameters
        let (view, type, query): (ViewID, RecordType, [UInt8])
        do throws(ControlError) {
            (view, type, query) = try question(parameters, plane)
        } catch {
            return call.refuse(error)
        }
        let worker = plane.publisher.worker(of: view)
        plane.workers.ask([worker], { .resolve(token: $0, view: view, query: query) }) { replies in
            guard case .resolved(_, let resolution)? = replies.first else {
                return call.refuse(.operationFailed(reason: "the worker of \(parameters.container) does not answer"))
            }
            do throws(WireError) {
                var answer = try Answer(resolution, asked: parameters.name, type)
                answer.source += plane.cluster.hosts(of: parameters.name, seenBy: parameters.container)
                call.reply(Reply(answer: answer))
            } catch {
                call.refuse(
                    .operationFailed(reason: "the answer of \(resolution.source) cannot be read: \(error)"))
            }
        }
    }

    private static func question(
        _ parameters: Parameters, _ plane: ControlPlane
    ) throws(ControlError) -> (ViewID, RecordType, [UInt8]) {
        let view = try plane.publisher.container(named: parameters.container).id.view
        let type = try RecordType(ofParameter: parameters.type)
        let name = try Name(ofParameter: parameters.name)
        return (view, type, OwnQuery.octets(of: name, type))
    }
}
