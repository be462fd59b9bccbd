// Where queries lie and answers go: batches of datagrams, connections, arrays.
// Each is lent to the responder as a whole, so that its spans live no longer than one answer takes.

import DNSWire
import Forwarding
import LinuxNet
import Registry

extension Responder {
    /// Answers one datagram of a batch into the next place of another.
    mutating func respond(
        to packet: Int, of receiver: borrowing UDPReceiver, view: ViewID, into sender: inout UDPSender
    ) -> Outcome {
        respond(to: receiver.packet(packet), view: view, over: .datagram, into: sender.nextBuffer)
    }

    /// Answers one message of a connection.
    mutating func respond(
        to bounds: Range<Int>, of stream: borrowing StreamConnection, view: ViewID, into answer: inout [UInt8]
    ) -> Outcome {
        respond(to: stream.inputSpan.extracting(bounds), view: view, over: .stream, into: answer.mutableSpan)
    }

    /// Answers a query of our own making.
    mutating func respond(to query: Span<UInt8>, view: ViewID, into answer: inout [UInt8]) -> Outcome {
        respond(to: query, view: view, over: .stream, into: answer.mutableSpan)
    }
}

/// Who asks an upstream: the client, the namespace that pays for it, the view, and the group of servers.
struct Asking {
    let client: Client
    /// The view's number; of the control plane's own questions ``controlPlane``.
    let namespace: UInt32
    /// Whose namespace it is asked from, where the group says so.
    let view: UInt32
    let group: UInt32

    /// Outlives every container: who called is answered even if the container goes in the meantime.
    static let controlPlane = UInt32.max
}

extension Asking {
    /// A question of a container's own.
    init(client: Client, view: ViewID, group: UInt32) {
        self.init(client: client, namespace: view.rawValue, view: view.rawValue, group: group)
    }
}

extension Forwarder<Client> {
    mutating func ask(_ packet: Int, of receiver: borrowing UDPReceiver, _ query: Query, _ asking: Asking) -> Verdict {
        ask(receiver.packet(packet), query, asking)
    }

    mutating func ask(
        _ bounds: Range<Int>, of stream: borrowing StreamConnection, _ query: Query, _ asking: Asking
    ) -> Verdict {
        ask(stream.inputSpan.extracting(bounds), query, asking)
    }

    mutating func ask(_ message: Span<UInt8>, _ query: Query, _ asking: Asking) -> Verdict {
        ask(
            message, query, client: asking.client, namespace: asking.namespace, view: asking.view,
            group: asking.group, now: ContinuousClock.now)
    }

    mutating func receivedDatagram(
        _ buffer: [UInt8], _ count: Int, on socket: SocketToken, now: ContinuousClock.Instant
    ) {
        receivedDatagram(buffer.span.extracting(0..<count), on: socket, now: now)
    }

    mutating func receivedStream(
        _ buffer: [UInt8], _ count: Int, on socket: SocketToken, now: ContinuousClock.Instant
    ) {
        receivedStream(buffer.span.extracting(0..<count), on: socket, now: now)
    }
}
