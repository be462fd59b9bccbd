// Gates that are to be set: several at once, as a start has thousands.

import DequeModule
import LinuxNet
import SystemPackage

/// Asks the opener for gates, for as many together as wait, with few requests under way: the kernel carries out one transaction at a
/// time, and the time of a request begins when it is made. Other requests find a thread meanwhile.
final class GateQueue {
    /// The most requests under way: while the kernel carries out one, the other one is read.
    private static let maximumRequests = 2
    /// The most gates of one request: what one waits for, all wait for.
    private static let maximumGates = 32
    /// The most texts of one request, of some forty octets: a message has 64 KiB. One gate may have more.
    private static let maximumWeight = 1024

    private struct Waiting {
        let order: GateOrder
        let ended: (LinuxError?) -> Void
    }

    private let requests: OpenerRequests
    private var waiting: Deque<Waiting> = []
    private var underWay = 0

    init(requests: OpenerRequests) {
        self.requests = requests
    }

    /// Has a gate set when all requests about its subject before have ended.
    /// - Parameters:
    ///   - order: the gate.
    ///   - subject: the subject of requests about it.
    ///   - done: is called with the failure; nil: it is in force.
    func set(_ order: GateOrder, about subject: String, done: @escaping (LinuxError?) -> Void) {
        requests.inOrder(about: subject) { [unowned self] ended in
            waiting.append(
                Waiting(order: order) {
                    done($0)
                    ended()
                })
            begin()
        }
    }

    private func begin() {
        while underWay < Self.maximumRequests, let first = waiting.popFirst() {
            var some = [first]
            var weight = first.order.weight
            while some.count < Self.maximumGates, let next = waiting.first,
                weight + next.order.weight <= Self.maximumWeight
            {
                weight += next.order.weight
                some.append(next)
                waiting.removeFirst()
            }
            request(some)
        }
    }

    private func request(_ some: [Waiting]) {
        underWay += 1
        let orders = some.map(\.order)
        let end = { [unowned self] (failures: [LinuxError?]) in
            underWay -= 1
            for (one, failure) in zip(some, failures) { one.ended(failure) }
            begin()
        }
        requests.request {
            $0.set(orders)
        } late: {
            end(orders.map { _ in LinuxError(call: "nftables", errno: .timedOut, kind: .openerAway) })
        } done: {
            end($0)
        }
    }
}
