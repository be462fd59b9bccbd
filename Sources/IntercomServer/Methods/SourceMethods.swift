// Methods of sources: adapters of runtimes publish, update and forget; people list.

import ControlAPI
import Registry

extension Publish: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        do throws(ControlError) {
            let whole = try plane.sources.take(call.parameters, from: call.client, octets: call.size)
            guard let publication = whole else { return call.reply(Nothing()) }
            try plane.state.reserve(publication.octets)
            plane.sources.publish(publication) { [unowned plane] in call.replyWhenInForce(plane, about: []) }
        } catch {
            call.refuse(error)
        }
    }
}

extension Update: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        do throws(ControlError) {
            try plane.sources.update(call.parameters) { [unowned plane] in call.replyWhenInForce(plane, about: []) }
        } catch {
            call.refuse(error)
        }
    }
}

extension Forget: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        do throws(ControlError) {
            try plane.sources.forget(call.parameters.source) { [unowned plane] in
                call.replyWhenInForce(plane, about: [])
            }
        } catch {
            call.refuse(error)
        }
    }
}

extension ListSources: ShowingMethod {
    static func show(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) -> Reply {
        Reply(sources: plane.sources.list)
    }
}
