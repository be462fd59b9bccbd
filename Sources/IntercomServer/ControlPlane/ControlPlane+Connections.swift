// The clients of the control socket: accepted, read, answered; each at its own pace.

import ControlAPI
import LinuxNet
import Logging
import Varlink

extension ControlPlane {
    /// Clients at the same time; more are closed at once.
    private static var maximumConnections: Int { 512 }

    func acceptConnections() {
        do throws(LinuxError) {
            while let accepted = try UnixSocket.accept(from: listener) {
                guard connections.count < Self.maximumConnections else {
                    logger.warning(
                        "a control connection is refused: there are \(connections.count) already",
                        metadata: .about(limitedAs: "control"))
                    continue
                }
                let peer = try UnixSocket.peerCredentials(of: accepted)
                let ticket = connections.insert(ControlConnection(descriptor: accepted, peer: peer))
                guard let position = connections.position(of: ticket) else { continue }
                try epoll.add(
                    connections[position].descriptor, token: ControlToken.connection(ticket).word,
                    interest: [.readable])
            }
        } catch {
            logger.warning(
                "a control connection cannot be accepted: \(error)", metadata: .about(limitedAs: "control"))
            spare.turnAwayNext(of: listener)
        }
    }

    func serve(_ client: Ticket, _ events: Epoll.Events) {
        guard let position = connections.position(of: client) else { return }
        do throws(LinuxError) {
            if events.contains(.error) || events.contains(.hangUp) {
                close(client)
                return
            }
            if events.contains(.writable) {
                try connections[position].flush()
                try tellMissed(position)
            }
            if events.contains(.readable), try !read(position) {
                close(client)
                return
            }
            takeCalls(of: client)
        } catch {
            logger.debug("a control connection ended: \(error)")
            close(client)
        }
    }

    func close(_ client: Ticket) {
        connections.remove(client)
        endMonitor(client)
    }

    /// Takes what a client has sent.
    /// - Returns: false where it is of no use: the client is no Varlink client.
    private func read(_ position: Int) throws(LinuxError) -> Bool {
        guard let count = try connections[position].descriptor.read(into: &readBuffer) else { return true }
        if count == 0 {
            connections[position].hasEnded = true
            return true
        }
        do throws(VarlinkFramerError) {
            try connections[position].framer.feed(readBuffer, count)
            return true
        } catch {
            logger.debug("a control connection is closed: \(error)")
            return false
        }
    }

    /// Carries out the calls that have come, one after another: the next begins when the client has its answer.
    private func takeCalls(of client: Ticket) {
        while let position = connections.position(of: client), connections[position].mayBegin {
            guard let message = connections[position].framer.next() else { break }
            do throws(VarlinkCallError) {
                let call = try VarlinkCall(message: message)
                connections[position].begin(call)
                carryOut(call, of: client)
            } catch {
                logger.debug("a control connection is closed: it sent what is no call")
                close(client)
                return
            }
        }
        settle(client)
    }

    /// Answers the call that a client made last.
    func reply(_ message: [UInt8], to client: Ticket) {
        guard let position = connections.position(of: client) else { return }
        connections[position].finish(message)
        do throws(LinuxError) {
            try connections[position].flush()
        } catch {
            close(client)
        }
    }

    /// Waits for what there is to wait for; closes what is over.
    func settle(_ client: Ticket) {
        guard let position = connections.position(of: client) else { return }
        if connections[position].isFinished {
            close(client)
            return
        }
        let interest = connections[position].interest
        do throws(LinuxError) {
            try epoll.modify(
                connections[position].descriptor, token: ControlToken.connection(client).word, interest: interest)
        } catch {
            close(client)
        }
    }

    /// Answers a call that had to wait, and goes on with the client's next one.
    func replyLater(_ message: [UInt8], to client: Ticket) {
        reply(message, to: client)
        takeCalls(of: client)
    }

    /// Whether the other end may use the socket: root, who runs the daemon, and members of the group.
    func isPermitted(_ peer: PeerCredentials) -> Bool {
        if peer.uid == 0 || peer.uid == Users.own { return true }
        guard let group = Groups.id(of: group) else { return false }
        return peer.gid == group || peer.groups.contains(group)
    }
}
