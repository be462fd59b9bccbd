// Containers that serve DNS on port 53 themselves: for 127.0.0.11 that port is led to ours by nftables, inside their
// namespace alone, and led anew where somebody has removed the rules.

import ControlAPI
import LinuxNet
import Logging
import Registry

/// Rules that were just set. They are removed again unless somebody takes over the watch: nothing is left of a container
/// that could not be added.
final class NewRedirection: Sendable {
    let rules: PortRedirection
    private let monitor: Handover<NftablesMonitor>
    private let opener: any Opener

    init(_ rules: PortRedirection, _ monitor: consuming NftablesMonitor, by opener: any Opener) {
        self.rules = rules
        self.monitor = Handover(monitor)
        self.opener = opener
    }

    /// What hears of changes; once.
    func take() -> NftablesMonitor? { monitor.take() }

    deinit {
        if let monitor = monitor.take() { try? opener.remove(rules, of: monitor) }
    }
}

/// The rules of one namespace, and whether they are to be looked at.
struct Redirection: ~Copyable {
    /// At most this often they are set anew for who removes them again and again.
    static let longestPatience = Duration.seconds(60)
    private static let shortestPatience = Duration.milliseconds(100)

    let container: ContainerID
    let rules: PortRedirection
    let monitor: NftablesMonitor
    /// Whether some of the rules may be missing.
    var isDoubtful = false
    /// Runs while that has to wait; nothing else wakes us.
    var timer: Timer?
    private var lastRepair = ContinuousClock.Instant.now
    private var patience = Duration.zero

    init(of container: ContainerID, _ rules: PortRedirection, _ monitor: consuming NftablesMonitor) {
        self.container = container
        self.rules = rules
        self.monitor = monitor
    }

    /// When the rules may be set anew: at once, unless that was done a short while ago, and each time later then.
    var mayBeRepairedAt: ContinuousClock.Instant { lastRepair + patience }

    mutating func noteRepair(_ now: ContinuousClock.Instant) {
        let isCalm = lastRepair.duration(to: now) > Self.longestPatience
        patience = isCalm ? Self.shortestPatience : min(max(patience * 2, Self.shortestPatience), Self.longestPatience)
        lastRepair = now
    }
}

extension PortRedirection {
    /// From where containers ask to a listener of ours.
    static func ofListener(at port: UInt16) -> PortRedirection {
        PortRedirection(of: ControlPlane.listenerAddress, to: port)
    }
}

extension ControlPlane {
    /// Watches over the rules of a container that has been attached.
    func watch(_ rules: PortRedirection, _ monitor: consuming NftablesMonitor, of container: ContainerID) {
        let ticket = redirections.insert(Redirection(of: container, rules, monitor))
        attachments[container]?.redirection = ticket
        guard let position = redirections.position(of: ticket) else { return }
        do throws(LinuxError) {
            try epoll.add(
                redirections[position].monitor.descriptor, token: ControlToken.redirection(ticket).word,
                interest: [.readable])
        } catch {
            logger.warning(
                "container \(name(of: container)): it is not noticed if its redirection is removed: \(error)",
                metadata: .about(container: name(of: container)))
        }
    }

    /// Something has changed in nftables of a container, or what had to wait is due.
    func serveRedirection(_ ticket: Ticket) {
        guard let position = redirections.position(of: ticket) else { return }
        if redirections[position].monitor.takeRemovals(from: PortRedirection.table) {
            redirections[position].isDoubtful = true
        }
        redirections[position].timer?.drain()
        guard redirections[position].isDoubtful else { return }
        let now = ContinuousClock.now
        let wait = now.duration(to: redirections[position].mayBeRepairedAt)
        if wait <= .zero {
            repair(ticket, position, now)
        } else if redirections[position].timer == nil {
            startTimer(of: ticket, position, wait)
        }
    }

    private func repair(_ ticket: Ticket, _ position: Int, _ now: ContinuousClock.Instant) {
        redirections[position].timer = nil
        let container = name(of: redirections[position].container)
        do throws(LinuxError) {
            let wasMissing = try opener.repair(redirections[position].rules, of: redirections[position].monitor)
            redirections[position].isDoubtful = false
            guard wasMissing else { return }
            redirections[position].noteRepair(now)
            logger.warning(
                "container \(container): somebody removed the redirection of port 53; it is set again",
                metadata: .about(container: container, limitedAs: "redirection of \(ticket.word)"))
        } catch {
            redirections[position].noteRepair(now)
            logger.error(
                "container \(container): port 53 is not redirected any more, and that is tried again: \(error)",
                metadata: .about(container: container, limitedAs: "redirection of \(ticket.word)"))
            startTimer(of: ticket, position, now.duration(to: redirections[position].mayBeRepairedAt))
        }
    }

    private func startTimer(of ticket: Ticket, _ position: Int, _ wait: Duration) {
        do throws(LinuxError) {
            let timer = try Timer(every: max(wait, .milliseconds(1)))
            try epoll.add(timer.descriptor, token: ControlToken.redirection(ticket).word, interest: [.readable])
            redirections[position].timer = consume timer
        } catch {
            // The next change is another chance.
            logger.warning("a removed redirection has to wait for the next change: \(error)")
        }
    }

    /// Removes the rules of a container that is being detached.
    func removeRedirection(_ ticket: Ticket?) {
        guard let ticket, let redirection = redirections.remove(ticket) else { return }
        do throws(LinuxError) {
            try opener.remove(redirection.rules, of: redirection.monitor)
        } catch {
            logger.debug("the redirection of \(name(of: redirection.container)) cannot be removed: \(error)")
        }
    }
}
