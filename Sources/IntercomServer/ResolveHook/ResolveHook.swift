// The hook of systemd-resolved: its socket, and the answers to what the host's programs look up.

import ControlAPI
import DNSWire
import LinuxNet
import Logging
import Registry
import Tables
import Varlink

/// Answers systemd-resolved by the rules of the host's own view, and never forwards: what is not ours it asks of its servers.
///
/// The socket is the service manager's (`intercom-resolve-hook.socket`), and is gone with the daemon: systemd-resolved passes over
/// a hook that is not there. It may ask about any name all the same, as it forgets the filter with the connection that brought it.
final class ResolveHook {
    /// Zones of addresses (RFC 1035 §3.5, RFC 3596 §2.5): of these each name is asked about, and those of no container go on.
    private static let reverseZones = ["in-addr.arpa", "ip6.arpa"]

    private let workers: WorkerPool
    /// The socket; nil where the service manager has passed none.
    let socket: ControlSocket?
    /// The domain that names of containers end in.
    private var domain: Name

    /// Takes the service manager's socket, where there is one.
    init(domain: Name, workers: WorkerPool, _ inheritance: inout Inheritance, logger: Logger) {
        self.domain = domain
        self.workers = workers
        guard inheritance.has(.resolveHook) else {
            socket = nil
            return
        }
        do throws(LinuxError) {
            socket = try ControlSocket(.resolveHook, "", group: "", &inheritance, logger: logger)
        } catch {
            socket = nil
            logger.error("systemd-resolved cannot ask: \(error)")
        }
    }

    /// Domains that systemd-resolved is to ask about.
    var filter: QueryFilter.Reply {
        QueryFilter.Reply(filterDomains: (domain.labels.isEmpty ? [] : [domain.textWithoutDot]) + Self.reverseZones)
    }

    /// Takes the domain that holds now, and tells who watches.
    func configure(domain: Name) {
        guard domain != self.domain else { return }
        self.domain = domain
        socket?.tell([VarlinkReply.encode(filter, continues: true)], about: .filter)
    }

    /// Answers a lookup.
    /// - Parameter done: is given the reply, exactly once.
    func resolve(_ questions: [ResolveRecord.Question], then done: @escaping (ResolveRecord.Reply) -> Void) {
        let keys = questions.prefix(ResolveRecord.keyLimit).map { Self.query(for: $0.key) }
        guard let first = workers.indices.first, questions.count <= ResolveRecord.keyLimit else { return done(.init()) }
        let lookup = Lookup(count: keys.count, done: done)
        for query in keys {
            guard let query else {
                lookup.take(nil)
                continue
            }
            workers.ask([first], { .resolve(token: $0, view: .host, query: query) }) { replies in
                guard case .resolved(_, let resolution)? = replies.first else { return lookup.take(nil) }
                lookup.take(resolution)
            }
        }
    }

    /// The query for a key, without recursion: it is not forwarded. Nil for what is no name of ours.
    private static func query(for key: ResolveRecord.Key) -> [UInt8]? {
        guard key.class == Int(RecordClass.in.rawValue) || key.class == Int(RecordClass.any.rawValue),
            let type = UInt16(exactly: key.type), let name = try? Name(key.name)
        else { return nil }
        return OwnQuery.octets(of: name, RecordType(rawValue: type), isRecursive: false)
    }

    /// A lookup whose keys are being asked about.
    private final class Lookup {
        private var remaining: Int
        private var answer = HookAnswer()
        private let done: (ResolveRecord.Reply) -> Void

        init(count: Int, done: @escaping (ResolveRecord.Reply) -> Void) {
            remaining = count
            self.done = done
            if count == 0 { done(.init()) }
        }

        func take(_ resolution: Resolution?) {
            answer.take(resolution)
            remaining -= 1
            if remaining == 0 { done(answer.reply) }
        }
    }
}
