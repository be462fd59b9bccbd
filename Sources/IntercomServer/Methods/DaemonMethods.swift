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
        let flush: CacheSelection
        do throws(ControlError) {
            flush = try CacheSelection(ofName: call.parameters.name, isSuffix: call.parameters.suffix == true)
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

extension ListCache: CarriedOutMethod {
    /// The most answers in a reply.
    static let limit = 1000

    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        let selection: CacheSelection
        do throws(ControlError) {
            selection = try CacheSelection(ofName: call.parameters.name, isSuffix: call.parameters.suffix == true)
        } catch {
            return call.refuse(error)
        }
        let workers = plane.workers
        workers.ask(workers.indices, { .listKept(token: $0, selection, limit: limit) }) { [unowned plane] replies in
            var kept: [KeptAnswer] = []
            var further = 0
            for case .kept(_, let answers) in replies {
                kept += answers.answers
                further += answers.further
            }
            let shown = kept.map { CacheEntry($0, by: plane) }.sorted {
                ($0.name, $0.type ?? "") < ($1.name, $1.type ?? "")
            }
            call.replyWhole(
                Reply(answers: Array(shown.prefix(limit)), further: further + max(0, shown.count - limit)))
        }
    }
}

extension ListCache.CacheEntry {
    init(_ answer: KeptAnswer, by plane: ControlPlane) {
        let group = plane.publisher.registry.upstreamGroups.first { $0.id.rawValue == answer.group }
        self.init(
            name: answer.name.textWithoutDot, type: answer.type.map { "\($0)" }, rcode: "\(answer.responseCode)",
            network: group?.network, domain: group?.domain?.description,
            container: answer.view.flatMap { plane.publisher.name(of: ContainerID(of: ViewID(rawValue: $0))) },
            age: Int(answer.age), left: Int(answer.left), octets: answer.octets)
    }
}

extension CacheSelection {
    /// Reads the parameters of a call.
    /// - Throws: `InvalidName`, `InvalidValue`.
    fileprivate init(ofName name: String?, isSuffix: Bool) throws(ControlError) {
        guard let text = name else {
            if isSuffix {
                throw .invalidValue("", of: "name", reason: "which suffix is meant?")
            }
            self = .everything
            return
        }
        do throws(NameError) {
            let name = try Name(text)
            self = isSuffix ? .suffix(name) : .name(name)
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
