// Questions that servers were asked, and how long their replies took: what outlives the lists that name a server.

package import DNSWire
package import Tables

/// Questions to one server, from wherever it is reached, and its replies.
package struct ServerTraffic: Sendable {
    /// Its address and port.
    package var server: ServerAddress
    /// Questions that it was asked, without repetitions of a datagram.
    package var asked: UInt64 = 0
    /// Times from a question to its reply, by response code.
    package var replies: [ResponseCode: DurationHistogram] = [:]

    package init(server: ServerAddress) {
        self.server = server
    }

    /// Adds what another worker has counted of the same server.
    package mutating func add(_ other: ServerTraffic) {
        asked &+= other.asked
        for (code, times) in other.replies { replies[code, default: DurationHistogram()].add(times) }
    }
}

/// The traffic of all servers, each by a number: its upstream knows that, so that nobody looks for it by an address.
struct TrafficTable: Sendable {
    /// Servers that are counted: containers may name any, and each takes memory.
    private static let limit = 256

    private(set) var servers: [ServerTraffic] = []
    private var numbers: [ServerAddress: Int] = [:]

    /// The number of a server; nil where too many others are counted.
    mutating func number(of server: ServerAddress) -> Int? {
        if let known = numbers[server] { return known }
        guard servers.count < Self.limit else { return nil }
        servers.append(ServerTraffic(server: server))
        numbers[server] = servers.count - 1
        return servers.count - 1
    }

    /// Counts a question.
    mutating func noteQuestion(to number: Int?) {
        guard let number, servers.indices.contains(number) else { return }
        servers[number].asked &+= 1
    }

    /// Counts a reply.
    /// - Parameters:
    ///   - code: of the header: 0...15.
    ///   - number: who replied.
    ///   - time: since it was asked.
    mutating func noteReply(_ code: ResponseCode, of number: Int?, after time: Lapse) {
        guard let number, servers.indices.contains(number) else { return }
        servers[number].replies[code, default: DurationHistogram()].add(time.nanoseconds)
    }
}
