// nftables rules that lead port 53 of a namespace to a listener on another port: set, watched and set anew by the opener.

import Attachment
import ControlAPI
import LinuxNet
import Logging
import Registry
import SystemPackage
import Tables

extension PortRedirection {
    /// The way from where containers ask to a listener of ours.
    static func ofListener(at port: UInt16) -> PortRedirection {
        PortRedirection(of: Containers.listenerAddress, to: port)
    }
}

extension Containers {
    // MARK: - Setting and removing

    /// Sets the rules for the listener that was handed over last.
    func setRules(_ errand: ErrandNumber, _ namespace: NamespaceKey) {
        guard let attached = attached[namespace], let source = room[namespace]?.source else {
            return handle(.rulesSet(errand, Failure(.notThere, "the container has ended")))
        }
        let rules = PortRedirection.ofListener(at: attached.port)
        let identity = NamespaceIdentity(namespace)
        requests.request(about: "rules of \(namespace)") { opener in
            Result { () throws(LinuxError) in Handover(try rules.set(at: source, identity, by: opener)) }
        } late: { [self] in
            handle(.rulesSet(errand, Failure(.refused, "port 53 of \(source) is not redirected: that took too long")))
            plane.publish()
        } done: { [self] (result: Result<Handover<NftablesMonitor>, LinuxError>) in
            switch result {
            case .success(let monitor):
                if let monitor = monitor.take() { watch(rules, monitor, of: namespace) }
                handle(.rulesSet(errand, nil))
            case .failure(let error):
                let refusal = ControlError.noRules(at: source, error)
                if let number = room[namespace]?.declaration { definitions[number]?.refusal = refusal }
                handle(.rulesSet(errand, Failure(error.kind == .openerAway ? .openerAway : .refused, refusal.message)))
            }
            plane.publish()
        }
    }

    /// Removes the rules of a namespace.
    func removeRules(of namespace: NamespaceKey) {
        guard let ticket = tickets[namespace] else { return }
        tickets[namespace] = nil
        guard let redirection = redirections.remove(ticket) else { return }
        let rules = redirection.rules
        let monitor = Handover(redirection.takeMonitor())
        requests.request(about: "rules of \(namespace)") { opener in
            Result { () throws(LinuxError) in
                if let monitor = monitor.take() { try opener.remove(rules, by: monitor.writer) }
            }
        } late: { [logger] in
            logger.debug("a redirection is not removed: the opener does not answer")
        } done: { [logger] (result: Result<Void, LinuxError>) in
            if case .failure(let error) = result { logger.debug("a redirection cannot be removed: \(error)") }
        }
    }

    // MARK: - Watching

    private func watch(_ rules: PortRedirection, _ monitor: consuming NftablesMonitor, of namespace: NamespaceKey) {
        if let before = tickets[namespace] { redirections.remove(before) }
        let ticket = redirections.insert(Redirection(of: namespace, rules, monitor))
        tickets[namespace] = ticket
        guard let position = redirections.position(of: ticket) else { return }
        watchMonitor(of: ticket, position)
    }

    private func watchMonitor(of ticket: Ticket, _ position: Int) {
        do throws(LinuxError) {
            try plane.epoll.add(
                redirections[position].monitor.descriptor, token: ControlToken.redirection(ticket).word,
                interest: [.readable])
        } catch {
            let name = name(of: redirections[position].namespace)
            logger.warning(
                "container \(name): it is not noticed if its redirection is removed: \(error)",
                metadata: .about(container: name))
        }
    }

    /// Takes a change of nftables in a container, or writes the rules anew when the pause before that is over.
    func serveRedirection(_ ticket: Ticket) {
        guard let position = redirections.position(of: ticket) else { return }
        if redirections[position].monitor.takeChanges(of: PortRedirection.table) {
            redirections[position].isDoubtful = true
        }
        redirections[position].timer?.drain()
        guard redirections[position].isDoubtful, !redirections[position].isBusy else { return }
        let now = ContinuousClock.now
        let wait = now.duration(to: redirections[position].mayBeRepairedAt)
        if wait <= .zero {
            repair(ticket, position, now)
        } else if !redirections[position].isWaiting {
            startTimer(of: ticket, position, wait)
        }
    }

    private func repair(_ ticket: Ticket, _ position: Int, _ now: ContinuousClock.Instant) {
        if redirections[position].isWaiting {
            redirections[position].timer = nil
            watchMonitor(of: ticket, position)
        }
        redirections[position].noteRepair(now)
        guard let duplicate = try? redirections[position].monitor.writer.descriptor.duplicate() else { return }
        // What was changed before this is undone by it.
        _ = redirections[position].monitor.takeChanges(
            of: PortRedirection.table, atMost: NftablesMonitor.datagramsOfBuffer)
        redirections[position].isBusy = true
        redirections[position].isDoubtful = false
        let rules = redirections[position].rules
        let writer = Handover(NftablesWriter(adopting: duplicate))
        requests.request(about: "rules of \(redirections[position].namespace)") { opener in
            Result { () throws(LinuxError) in
                if let writer = writer.take() { try opener.repair(rules, by: writer) }
            }
        } late: { [self] in
            repaired(ticket, .failure(LinuxError(call: "nftables", errno: .timedOut)))
        } done: { [self] in
            repaired(ticket, $0)
        }
    }

    private func repaired(_ ticket: Ticket, _ result: Result<Void, LinuxError>) {
        guard let position = redirections.position(of: ticket) else { return }
        redirections[position].isBusy = false
        let namespace = redirections[position].namespace
        let container = name(of: namespace)
        switch result {
        case .failure(let error) where error.kind == .noNftables:
            // The kernel refuses, as it does while a program there owns the table: the container has no listener that is asked,
            // and is told so. All is made anew by and by.
            let source = room[namespace]?.source ?? .path("")
            handle(.listenerLost(namespace, Failure(.refused, ControlError.noRules(at: source, error).message)))
            plane.publish()
            return
        case .success:
            logger.warning(
                "container \(container): somebody removed the redirection of port 53, or changed it; it is set again",
                metadata: .about(container: container, limitedAs: "redirection of \(ticket.word)"))
        case .failure(let error):
            redirections[position].isDoubtful = true
            logger.error(
                "container \(container): port 53 is not redirected any more, and that is tried again: \(error)",
                metadata: .about(container: container, limitedAs: "redirection of \(ticket.word)"))
        }
        guard redirections[position].isDoubtful, !redirections[position].isWaiting else { return }
        let wait = ContinuousClock.now.duration(to: redirections[position].mayBeRepairedAt)
        startTimer(of: ticket, position, wait)
    }

    /// Waits until the rules may be written anew, and looks at no notification before.
    private func startTimer(of ticket: Ticket, _ position: Int, _ wait: Duration) {
        do throws(LinuxError) {
            let timer = try Timer(every: max(wait, .milliseconds(1)))
            try plane.epoll.add(timer.descriptor, token: ControlToken.redirection(ticket).word, interest: [.readable])
            redirections[position].timer = consume timer
            try plane.epoll.remove(redirections[position].monitor.descriptor)
        } catch {
            // The next change is another chance.
            logger.warning("a removed redirection has to wait for the next change: \(error)")
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

extension PortRedirection {
    /// Sets the rules in the namespace behind a source, on a thread of a request.
    fileprivate func set(
        at source: NamespaceSource, _ identity: NamespaceIdentity, by opener: any Opener
    ) throws(LinuxError) -> NftablesMonitor {
        let namespace = try source.openNamespace(identity, by: opener)
        return try opener.set(self, in: namespace)
    }
}

extension ControlError {
    fileprivate static func noRules(at source: NamespaceSource, _ error: LinuxError) -> ControlError {
        error.kind == .noNftables
            ? .noNftables(namespace: source.description, reason: error.description)
            : .operationFailed(reason: "port 53 of \(source) cannot be redirected: \(error)")
    }
}
