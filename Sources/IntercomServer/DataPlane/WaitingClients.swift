// The clients that wait for an upstream's answer, under the numbers that the forwarder gives back with it.

import DNSWire
import Forwarding
import LinuxNet
import Registry
import Tables

/// A client that waits for an upstream's answer.
enum WaitingClient: Sendable {
    case datagram(listener: Ticket, SocketAddress)
    case stream(Ticket)
    /// `intercomctl resolve` or `explain`; by the control plane's token, with the upstream group and the domain of the route
    /// that the question takes.
    case control(token: UInt64, ViewID, group: UInt32, route: Name?)

    /// The transport that the client uses.
    var transport: Transport { if case .datagram = self { .datagram } else { .stream } }
}

/// A client, and the CNAME records that go before its answer.
struct Waiting: Sendable {
    let client: WaitingClient
    let splice: Splice?
    /// View and upstream group of the question.
    let errand: Errand
    /// The time from which it waits.
    var since: Moment { errand.now }
}

/// Clients that wait, by number. A number is not used again while an answer for it may come.
struct WaitingClients: ~Copyable {
    private var table = SlotTable<Waiting>()
    /// Answers that wait until their addresses may be reached.
    var admissions = Admissions()
    /// The moment from which the control plane may be told again that clients wait in vain.
    var nextComplaint = Moment.now

    /// The number of clients that wait.
    var count: Int { table.count }

    /// Adds a client, and gives its number.
    mutating func insert(
        _ client: WaitingClient, _ errand: Errand, behind splice: Splice? = nil
    ) -> Forwarding.Client {
        Int(truncatingIfNeeded: table.insert(Waiting(client: client, splice: splice, errand: errand)).word)
    }

    /// Takes a client out; nil where it is gone.
    @discardableResult
    mutating func take(_ number: Forwarding.Client) -> Waiting? {
        table.remove(Ticket(word: UInt64(truncatingIfNeeded: number)))
    }
}
