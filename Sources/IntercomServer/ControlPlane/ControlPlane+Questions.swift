// The calls of the control socket that workers answer: what a container would be told, how they are doing, what they keep.

import Attachment
import ControlAPI
import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry
import Tables
import Varlink

extension ControlPlane {
    func resolve(_ parameters: Resolve.Parameters, _ client: Ticket) {
        let type: RecordType
        let view: ViewID
        let query: [UInt8]
        do throws(ControlError) {
            (view, type, query) = try question(parameters)
        } catch {
            refuse(error, to: client)
            return
        }
        workers.ask([worker(of: view)], { .resolve(token: $0, view: view, query: query) }) { [self] replies in
            guard case .resolved(_, let resolution)? = replies.first else { return }
            do throws(WireError) {
                let answer = try Resolve.Answer(resolution, asked: parameters.name, type)
                controlSocket.reply(VarlinkReply.encode(Resolve.Reply(answer: answer)), to: client)
            } catch {
                let refusal = ControlError.operationFailed(
                    reason: "the answer of \(resolution.source) cannot be read: \(error)")
                controlSocket.reply(VarlinkReply.encode(error: refusal.name, refusal), to: client)
            }
        }
    }

    private func question(
        _ parameters: Resolve.Parameters
    ) throws(ControlError) -> (ViewID, RecordType, [UInt8]) {
        let view = try container(named: parameters.container).id.view
        let text = parameters.type ?? "A"
        guard let type = RecordType(text: text) else {
            throw .invalidValue(text, of: "type", reason: "expected a record type, as A, AAAA, PTR or TYPE65")
        }
        let name: Name
        do throws(NameError) {
            name = try Name(parameters.name)
        } catch {
            throw .invalidName(parameters.name, reason: error.description)
        }
        return (view, type, Self.query(name, type))
    }

    static func query(_ name: Name, _ type: RecordType, id: UInt16 = 0) -> [UInt8] {
        var flags = HeaderFlags()
        flags.rd = true
        return QueryMessage(
            id: id, flags: flags, name, type, edns: EDNS(udpPayloadSize: UInt16(Transport.maximumDatagram))
        ).octets
    }

    func status(_ client: Ticket) {
        workers.ask(workers.indices, { .counters(token: $0) }) { [self] replies in
            let counters = replies.compactMap { reply -> WorkerCounters? in
                if case .counters(_, let counters) = reply { counters } else { nil }
            }
            let groups = describeUpstreams()
            let status = Status.Reply(
                version: Release.number, pid: Int(ProcessDescriptor.own),
                uptime: Int(startedAt.duration(to: .now).components.seconds),
                configuration: configurationFile.isPresent ? configurationFile.path : nil,
                networks: registry.networkCount, containers: registry.containerCount,
                leftOut: registry.observedLeftOut,
                upstreams: groups.first?.servers ?? [], groups: groups,
                servers: describeServers(counters.flatMap(\.upstreams)),
                cache: Status.Cache(counters, limit: configuration.cache.size),
                workers: counters.sorted { $0.worker < $1.worker }.map { Status.Worker($0) },
                awaited: containers.room.waiting.map(\.declaration.name).sorted(), warnings: warnings)
            controlSocket.reply(VarlinkReply.encode(status), to: client)
        }
    }

    // MARK: - The cache

    func flushCache(_ parameters: FlushCache.Parameters, _ client: Ticket) {
        let flush: Flush
        do throws(ControlError) {
            flush = try Flush(parameters)
        } catch {
            refuse(error, to: client)
            return
        }
        workers.ask(workers.indices, { .flush(token: $0, flush) }) { [self] replies in
            let counts = replies.map { reply in
                if case .flushed(_, let count) = reply { count } else { 0 }
            }
            logger.info("\(counts.reduce(0, +)) kept answers forgotten on demand")
            controlSocket.reply(VarlinkReply.encode(FlushCache.Reply(flushed: counts.reduce(0, +))), to: client)
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
