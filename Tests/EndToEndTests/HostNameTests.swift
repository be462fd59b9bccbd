// Names of the host follow the addresses that it has.

import Foundation
import Testing

@Suite("A name of the host", .needsRoot)
struct HostNameTests {
    @Test(
        "follows an address that a bridge gets or loses within 5 ms",
        arguments: ["10.1.0.200/24", "fd00:1::200/64"])
    func following(_ address: String) throws {
        try House.lend { house in
            try house.bridge("br0", "10.1.0.1/24")
            try house.plug("web", into: "br0", "10.1.0.2/24")
            #expect(try eventually { try house.dig("web", "host.internal").data == ["10.1.0.1"] }, "\(house.log)")
            // Time on the clock is the load of others, too: it has to be seen in one round of a few.
            var rounds: [[Int]] = []
            for _ in 0..<10 where !rounds.contains(where: { $0.allSatisfy { $0 <= 5000 } }) {
                let run = try house.run(
                    in: house.host,
                    ["python3", House.kit("follow.py"), house.path("web"), "br0", "host.internal", address, "20"])
                try #require(run.status == 0, "\(run)")
                let round = run.lines.compactMap { Int($0) }
                try #require(round.count == 40, "\(run)")
                rounds.append(round)
            }
            #expect(rounds.contains { $0.allSatisfy { $0 <= 5000 } }, "microseconds: \(rounds)")
        }
    }
}
