// nftables rules that lead questions of namespaces to their listeners: set, watched and set anew by the opener.

import Attachment
import ControlAPI
import LinuxNet
import Logging
import Registry
import SystemPackage
import Tables

/// The rules in all namespaces that have any. What somebody removes or changes is set anew, after growing pauses.
final class Redirections {
    private let requests: OpenerRequests
    private let loop: EventLoop
    private let publisher: Publisher
    private let logger: Logger
    private var table = SlotTable<Redirection>()
    private var tickets: [NamespaceKey: Ticket] = [:]

    init(requests: OpenerRequests, loop: EventLoop, publisher: Publisher, logger: Logger) {
        self.requests = requests
        self.loop = loop
        self.publisher = publisher
        self.logger = logger
    }

    // MARK: - Setting and removing

    /// Sets the rules of a namespace, and watches them.
    /// - Parameters:
    ///   - lead: the addresses, and the ports of the listener.
    ///   - namespace: where they are set.
    ///   - source: the way into it.
    ///   - container: the container that has it.
    ///   - lost: is told when the kernel refuses to have them set anew: nobody is led to the listener then.
    ///   - done: is told what came of it, once: the addresses that are led, and a listener at ::1 if one was made.
    func set(
        _ lead: Lead, in namespace: NamespaceKey, at source: NamespaceSource, of container: ContainerID,
        lost: @escaping (RedirectionFailure) -> Void,
        done: @escaping (Result<(Lead, Handover<ListenerSockets>?), RedirectionFailure>) -> Void
    ) {
        let identity = NamespaceIdentity(namespace)
        noteReplacement(true, in: namespace)
        requests.request(about: Self.subject(namespace)) { opener in
            Result { () throws(LinuxError) in Handover(try lead.set(at: source, identity, by: opener)) }
        } late: { [self] in
            noteReplacement(false, in: namespace)
            done(.failure(.late(source)))
        } done: { [self] (result: Result<Handover<SetLead>, LinuxError>) in
            switch result {
            case .success(let made):
                guard var made = made.take() else { return }
                let led = made.lead
                let v6Listener = Self.handover(made.v6Listener.take())
                watch(Redirection(of: namespace, at: source, container, led, made.takeMonitor(), lost: lost))
                done(.success((led, v6Listener)))
            case .failure(let error):
                noteReplacement(false, in: namespace)
                done(.failure(.refused(error, source)))
            }
        }
    }

    /// Rules are being set in the place of those that there are, or could not be. Their monitor takes ours for somebody
    /// else's, as another socket writes them.
    private func noteReplacement(_ isReplaced: Bool, in namespace: NamespaceKey) {
        guard let ticket = tickets[namespace], let position = table.position(of: ticket) else { return }
        table[position].isReplaced = isReplaced
        guard !isReplaced, table[position].isDoubtful, !table[position].isBusy, !table[position].isWaiting else {
            return
        }
        startTimer(of: ticket, position, ContinuousClock.now.duration(to: table[position].mayBeRepairedAt))
    }

    private static func handover(_ listener: consuming sending ListenerSockets?) -> Handover<ListenerSockets>? {
        switch consume listener {
        case .some(let listener): Handover(listener)
        case .none: nil
        }
    }

    /// Removes the rules of a namespace.
    func remove(from namespace: NamespaceKey) {
        guard let ticket = tickets.removeValue(forKey: namespace), let redirection = table.remove(ticket) else {
            return
        }
        let lead = redirection.lead
        try? loop.unwatch(redirection.monitor.descriptor)
        let monitor = Handover(redirection.takeMonitor())
        requests.request(about: Self.subject(namespace)) { opener in
            Result { () throws(LinuxError) in
                if let monitor = monitor.take() { try opener.remove(lead, by: monitor.writer) }
            }
        } late: { [logger] in
            logger.debug("cannot remove the redirection of port 53: the opener does not reply")
        } done: { [logger] (result: Result<Void, LinuxError>) in
            if case .failure(let error) = result { logger.debug("cannot remove the redirection of port 53: \(error)") }
        }
    }

    /// Closes the sockets of rules that others have replaced, elsewhere: the kernel lets a socket of nftables go when what a
    /// transaction removed is gone for all processors, which takes tens of milliseconds.
    private func close(_ monitor: consuming NftablesMonitor) {
        try? loop.unwatch(monitor.descriptor)
        let monitor = Handover(monitor)
        requests.request(about: "replaced rules") { _ in
            _ = monitor.take()
        } late: {
        } done: { (_: Void) in
        }
    }

    /// Requests about the same rules are made one after another.
    static func subject(_ namespace: NamespaceKey) -> String { "rules of \(namespace)" }

    // MARK: - Watching

    private func watch(_ redirection: consuming Redirection) {
        let namespace = redirection.namespace
        if let before = tickets[namespace], let replaced = table.remove(before) { close(replaced.takeMonitor()) }
        let ticket = table.insert(redirection)
        tickets[namespace] = ticket
        guard let position = table.position(of: ticket) else { return }
        watchMonitor(of: ticket, position)
    }

    private func watchMonitor(of ticket: Ticket, _ position: Int) {
        do throws(LinuxError) {
            try loop.watch(table[position].monitor.descriptor, as: .redirection(ticket))
        } catch {
            let name = publisher.name(of: table[position].container)
            logger.warning(
                "container \(name): cannot subscribe to its nftables changes; a removed redirection stays removed: \(error)",
                metadata: .about(container: name))
        }
    }

    /// Takes a change of nftables in a container, or writes the rules anew when the pause before that is over.
    func serve(_ ticket: Ticket) {
        guard let position = table.position(of: ticket) else { return }
        if table[position].monitor.takeChanges(of: PortRedirection.table) { table[position].isDoubtful = true }
        table[position].timer?.drain()
        guard table[position].isDoubtful, !table[position].isBusy, !table[position].isReplaced else { return }
        let now = ContinuousClock.now
        let wait = now.duration(to: table[position].mayBeRepairedAt)
        if wait <= .zero {
            repair(ticket, position, now)
        } else if !table[position].isWaiting {
            startTimer(of: ticket, position, wait)
        }
    }

    private func repair(_ ticket: Ticket, _ position: Int, _ now: ContinuousClock.Instant) {
        if table[position].isWaiting {
            table[position].timer = nil
            watchMonitor(of: ticket, position)
        }
        table[position].noteRepair(now)
        guard let duplicate = try? table[position].monitor.writer.descriptor.duplicate() else { return }
        // What was changed before this is undone by it.
        _ = table[position].monitor.takeChanges(
            of: PortRedirection.table, atMost: NftablesMonitor.datagramsOfBuffer)
        table[position].isBusy = true
        table[position].isDoubtful = false
        let lead = table[position].lead
        let writer = Handover(NftablesWriter(adopting: duplicate))
        requests.request(about: Self.subject(table[position].namespace)) { opener in
            Result { () throws(LinuxError) in
                if let writer = writer.take() { try opener.repair(lead, by: writer) }
            }
        } late: { [self] in
            repaired(ticket, .failure(LinuxError(call: "nftables", errno: .timedOut)))
        } done: { [self] in
            repaired(ticket, $0)
        }
    }

    private func repaired(_ ticket: Ticket, _ result: Result<Void, LinuxError>) {
        guard let position = table.position(of: ticket) else { return }
        table[position].isBusy = false
        let container = publisher.name(of: table[position].container)
        switch result {
        case .failure(let error) where error.kind == .noNftables:
            // The kernel refuses, as it does while a program there owns the table. All is made anew by and by.
            return table[position].lost(.refused(error, table[position].source))
        case .success:
            logger.warning(
                "container \(container): the redirection of port 53 was changed or removed in its namespace; setting it again",
                metadata: .about(container: container, limitedAs: "redirection of \(ticket.word)"))
        case .failure(let error):
            table[position].isDoubtful = true
            logger.error(
                "container \(container): cannot restore the redirection of port 53, retrying: \(error)",
                metadata: .about(container: container, limitedAs: "redirection of \(ticket.word)"))
        }
        guard table[position].isDoubtful, !table[position].isWaiting else { return }
        let wait = ContinuousClock.now.duration(to: table[position].mayBeRepairedAt)
        startTimer(of: ticket, position, wait)
    }

    /// Waits until the rules may be written anew, and looks at no notification before.
    private func startTimer(of ticket: Ticket, _ position: Int, _ wait: Duration) {
        do throws(LinuxError) {
            let timer = try Timer(every: max(wait, .milliseconds(1)))
            try loop.watch(timer.descriptor, as: .redirection(ticket))
            table[position].timer = consume timer
            try loop.unwatch(table[position].monitor.descriptor)
        } catch {
            // The next change is another chance.
            logger.warning("cannot restore a redirection before the next change: \(error)")
        }
    }
}

/// Reason why questions of a namespace are not led to its listener.
enum RedirectionFailure: Error {
    /// The opener has not answered in time.
    case late(NamespaceSource)
    /// It cannot be done, or the opener cannot be reached.
    case refused(LinuxError, NamespaceSource)

    /// The failure as the life of the container knows it.
    var failure: Failure {
        switch self {
        case .late(let source): Failure(.refused, "port 53 of \(source) is not redirected: that took too long")
        case .refused(let error, _): Failure(error.kind == .openerAway ? .openerAway : .refused, refusal?.message ?? "")
        }
    }

    /// The failure in the words of the control interface; nil where the opener has said nothing.
    var refusal: ControlError? {
        switch self {
        case .late: nil
        case .refused(let error, let source):
            error.kind == .noNftables
                ? .noNftables(namespace: source.description, reason: error.description)
                : .operationFailed(reason: "port 53 of \(source) cannot be redirected: \(error)")
        }
    }
}

extension Redirection {
    fileprivate consuming func takeMonitor() -> NftablesMonitor { monitor }

    fileprivate var isWaiting: Bool {
        switch timer {
        case .some: true
        case .none: false
        }
    }
}

extension Lead {
    /// Sets the rules in the namespace behind a source, on a thread of a request.
    fileprivate func set(
        at source: NamespaceSource, _ identity: NamespaceIdentity, by opener: any Opener
    ) throws(LinuxError) -> SetLead {
        let namespace = try source.openNamespace(identity, by: opener)
        return try opener.set(self, in: namespace)
    }
}
