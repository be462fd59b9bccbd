// Methods of the daemon: how it is doing, what it keeps, what changes, and its configuration.

import ControlAPI
import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry
import Varlink

extension Status: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        let workers = plane.workers
        workers.ask(workers.indices, { .counters(token: $0) }) { [unowned plane] replies in
            let counters = replies.compactMap { reply -> WorkerCounters? in
                if case .counters(_, let counters) = reply { counters } else { nil }
            }
            call.reply(plane.describeStatus(counters))
        }
    }
}

extension Reload: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        do throws(ControlError) {
            try plane.reload { [unowned plane] notInForce in
                plane.publisher.whenInForce { call.reply(Reply(notInForce: notInForce)) }
            }
        } catch {
            call.refuse(error)
        }
    }
}

extension FlushCache: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        let flush: Flush
        do throws(ControlError) {
            flush = try Flush(call.parameters)
        } catch {
            return call.refuse(error)
        }
        let (workers, logger) = (plane.workers, plane.logger)
        workers.ask(workers.indices, { .flush(token: $0, flush) }) { replies in
            let count = replies.reduce(0) { sum, reply in
                if case .flushed(_, let count) = reply { sum + count } else { sum }
            }
            logger.info("cache flush: \(DisplayText.counted(count, "entry", "entries")) removed")
            call.reply(Reply(flushed: count))
        }
    }
}

extension Flush {
    fileprivate init(_ parameters: FlushCache.Parameters) throws(ControlError) {
        guard let text = parameters.name else {
            if parameters.suffix == true {
                throw .invalidValue("", of: "name", reason: "which suffix is meant?")
            }
            self = .everything
            return
        }
        do throws(NameError) {
            let name = try Name(text)
            self = parameters.suffix == true ? .suffix(name) : .name(name)
        } catch {
            throw .invalidName(text, reason: error.description)
        }
    }
}

// MARK: - Monitor

extension Monitor: CarriedOutMethod {
    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        guard call.takesPieces, !call.isOneWay else { return call.refuseWithoutMore() }
        guard call.parameters.queries == true else {
            call.watch(.registry, beginning: Reply(ready: true))
            plane.publisher.registry.isWatched = true
            return
        }
        do throws(ControlError) {
            if let name = call.parameters.container { _ = try plane.publisher.container(named: name) }
        } catch {
            return call.refuse(error)
        }
        call.watch(.questions, beginning: Reply(ready: true))
        plane.questions.add(
            call.client, of: call.parameters.container, isDenied: call.parameters.denied == true)
    }

    /// Tells all clients that watch of what has happened. None of them holds up the daemon.
    static func tell(_ changes: [Change], to monitors: any Monitors) {
        guard monitors.hasMonitors else { return }
        monitors.tell(changes.map { VarlinkReply.encode(Reply(change: $0), continues: true) })
    }
}

extension Monitor.Change {
    init(_ event: Registry.Event) {
        switch event.subject {
        case .network(let name, let interface, let subnets, let isInternal):
            self.init(kind: "network", action: event.action.rawValue, network: name)
            self.interface = interface
            self.subnets = subnets.map(\.description)
            self.internal = isInternal
        case .container(let name, let path, let isDraining):
            self.init(kind: "container", action: event.action.rawValue, container: name)
            netns = path
            draining = isDraining
        case .endpoint(let container, let network, let addresses, let aliases):
            self.init(kind: "endpoint", action: event.action.rawValue, network: network, container: container)
            self.addresses = addresses.map(\.description)
            self.aliases = aliases
        case .host(let name, let isLost, let address):
            self.init(kind: "host", action: event.action.rawValue)
            host = name
            state = isLost ? "lost" : "alive"
            self.addresses = [address].compactMap { $0?.description }
        case .remote(let name, let host, let isDraining):
            self.init(kind: "container", action: event.action.rawValue, container: name)
            self.host = host
            draining = isDraining
        }
        formerName = event.formerName
    }
}
