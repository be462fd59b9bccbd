// A worker's UDP side: a batch of queries in, a batch of answers out.

import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry

extension Worker {
    /// Datagrams received at once where most of the last had to be forwarded: each takes as long as ten that are answered
    /// here, and other namespaces wait meanwhile.
    private static var forwardingBatch: Int { 8 }

    /// Answers one batch; what is left in the socket waits until other namespaces were served.
    mutating func serveDatagrams(_ ticket: Ticket) {
        guard let position = listeners.position(of: ticket) else { return }
        let view = listeners[position].view
        let received: Int
        do throws(LinuxError) {
            received = try receiver.receive(
                from: listeners[position].sockets.udp, atMost: listeners[position].batch)
        } catch {
            logger.debug("receiving for view \(view.rawValue): \(error)")
            return repair(ticket, error.endsReceiving ? error : nil)
        }
        counters.queries &+= UInt64(received)
        // Read once a batch, and only where it matters.
        var now: Moment?
        var forwarded = 0
        for packet in 0..<received {
            var outcome = responder.respond(to: packet, of: receiver, view: view, into: &sender)
            let errand = Errand(outcome, view, now)
            if let errand {
                now = errand.now
                outcome = forwarder.respond(to: packet, of: receiver, &responder, errand, into: &sender)
            }
            if logsQueries { log(receiver.packet(packet), outcome, view) }
            switch outcome {
            case .answered(let length, let source):
                sender.commit(length: length, toSourceOf: receiver, index: packet)
                counters.count(source)
            case .forward:
                guard let errand else { continue }
                forwarded += 1
                forwardDatagram(packet, Asking(.datagram(listener: ticket, receiver.source(packet)), errand))
            case .loop(let token):
                control.post(.looped(token: token))
                counters.dropped &+= 1
            case .drop:
                counters.dropped &+= 1
            }
        }
        if !sender.isEmpty {
            let dropped = sender.flush(to: listeners[position].sockets.udp).dropped
            if dropped > 0 {
                counters.dropped &+= UInt64(dropped)
                listeners.doubtful.append(ticket)
            }
        }
        // The batch doubles again step by step: a container that mixes both kinds does not get the most of one.
        let more = min(listeners[position].batch, receiver.slots) * 2
        listeners[position].batch = forwarded * 2 > received ? Self.forwardingBatch : more
        if let now, forwarder.exchanges.hasActions { act(now) }
    }

    private static func text(_ packet: Span<UInt8>) -> String {
        do throws(WireError) {
            let message = try Message(packet)
            guard let question = try message.firstQuestion() else { return "without a question" }
            return try MessageText.text(of: question, in: packet)
        } catch {
            return "of \(packet.count) octets (\(error))"
        }
    }

    private func log(_ packet: Span<UInt8>, _ outcome: Outcome, _ view: ViewID) {
        let what: String
        switch outcome {
        case .answered(_, let source): what = responder.describe(source)
        case .forward: what = "forwarded"
        case .loop: what = "asked by an upstream of ours"
        case .drop: what = "dropped"
        }
        logger.trace("query \(Self.text(packet)) from view \(view.rawValue): \(what)")
    }
}
