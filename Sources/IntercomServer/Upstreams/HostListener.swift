// The listener of the host itself, at 127.0.0.11:53 in the host's namespace: there while the host's resolv.conf has our line, or
// systemd-resolved is told to ask us.

import ControlAPI
import DNSWire
import LinuxNet
import Logging
import Registry
import SystemPackage

/// Opens and closes the host's listener as the host's files say (`HostResolverText`, `HostDelegate`).
///
/// Nothing is kept: the files alone decide, so the two never disagree, also after a restart of either. While the host is
/// served, no server at 127.0.0.11 is an upstream (``servesHost``).
final class HostListener {
    private enum State {
        case off
        case opening
        case listening
        case failed(String)
    }

    private let requests: OpenerRequests
    private let publisher: Publisher
    private let logger: Logger
    private var state = State.off
    /// True from before the listener is there until its port is free again: a server at 127.0.0.11 is ours.
    private(set) var servesHost = false { didSet { if servesHost != oldValue { servesHostChanged() } } }
    /// Called when ``servesHost`` has changed: the upstreams are others.
    var servesHostChanged: () -> Void = {}
    /// Number of the last change: what an older request made is closed.
    private var turn = 0

    init(requests: OpenerRequests, publisher: Publisher, logger: Logger) {
        self.requests = requests
        self.publisher = publisher
        self.logger = logger
    }

    /// Does what the host's files say now; what failed is tried again.
    func follow(servesHost: Bool) {
        switch (servesHost, state) {
        case (true, .off), (true, .failed): open()
        case (false, .opening), (false, .listening), (false, .failed): close()
        case (true, .opening), (true, .listening), (false, .off): break
        }
    }

    /// A worker cannot serve with the sockets any more: it has closed them.
    func failed(_ error: LinuxError) {
        guard case .listening = state else { return }
        logger.warning("the host's listener at 127.0.0.11 failed, and is made anew: \(error)")
        open()
    }

    /// The state for `status`; nil where the host's files do not lead to us.
    func describe(domain: Name) -> Status.HostService? {
        let reason: String?
        switch state {
        case .off: return nil
        case .opening: reason = "the listener is being made"
        case .listening: reason = nil
        case .failed(let text): reason = text
        }
        return Status.HostService(domain: "\(domain)", reason: reason, way: .listener)
    }

    private func open() {
        turn += 1
        let turn = turn
        state = .opening
        // Before anybody can ask: there is never a way from us to ourselves.
        servesHost = true
        requests.request { opener in
            Result { () throws(LinuxError) in Handover(try opener.openHostListener()) }
        } late: { [weak self] in
            self?.refused(turn, "the opener does not answer; see 'systemctl status intercom-opener'")
        } done: { [weak self] (result: Result<Handover<ListenerSockets>, LinuxError>) in
            guard let self, turn == self.turn else { return }
            switch result {
            case .failure(let error):
                let cure =
                    error.errno == .addressInUse
                    ? "; end the program that listens there ('ss -lnup sport = 53'), then 'intercomctl reload'" : ""
                refused(turn, "\(error)\(cure)")
            case .success(let handover):
                guard let sockets = handover.take() else { return }
                publisher.open(sockets, of: .host)
                state = .listening
                logger.info("the host itself is served at 127.0.0.11")
            }
        }
    }

    private func refused(_ turn: Int, _ text: String) {
        guard turn == self.turn else { return }
        state = .failed(text)
        logger.warning("the host itself cannot be served at 127.0.0.11: \(text)")
    }

    private func close() {
        turn += 1
        state = .off
        // Not before the port is free: until then a server at that address is ours.
        let turn = turn
        publisher.closeListener(of: .host) { [weak self] in
            guard let self, turn == self.turn else { return }
            servesHost = false
        }
        logger.info("the host itself is not served any more")
    }
}
