// The table "Who is answered what", asked of workers over their sockets: each row over UDP and TCP, with and without EDNS.

import DNSWire
import Promise
import Registry
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("The table of answers over sockets")
struct WorkerPromiseTests {
    /// A question that is always answered here: its answer comes first where another one is dropped.
    private static let sentinel: UInt16 = 0xFFFE

    @Test("is what workers answer over UDP and TCP, with and without EDNS; forwarded questions reach their own servers")
    func table() throws {
        let compiled = try CompiledTown.shared.get()
        var servers: [String: StandInUpstream] = [:]
        for number in 101...104 as ClosedRange<UInt32> {
            servers["127.0.0.\(number)"] = try StandInUpstream(0x7F00_0000 | number)
        }
        defer { for server in servers.values { server.stop() } }
        let host = ResolverConfiguration(Town.hostResolver).nameservers
        let everyone = compiled.configuration.forward.upstreams.first ?? host.first
        let town = try WorkerTown(compiled, upstreams: Self.standIns([everyone].compactMap(\.self), servers))
        defer { town.stop() }
        for group in compiled.registry.upstreamGroups {
            town.setUpstreams(group.id, Self.standIns(group.upstreams, servers))
        }
        #expect(Town.table.rows.count > 200)
        for row in Town.table.rows {
            var whole: [Manner.Extension: [UInt8]] = [:]
            for manner in Manner.all {
                guard let query = row.question.message(manner) else { continue }
                for server in servers.values { server.forget() }
                let answer = try Self.ask(query, row, manner, town)
                if manner.transport == .stream { whole[manner.edns] = answer }
                let asked = servers.filter { !$0.value.questions.isEmpty }.map(\.key)
                if case .forwarded(let server, _) = row.expectation {
                    #expect(asked == [Town.table.address(ofServer: server)], "\(row.question) \(manner)")
                    #expect(answer != nil, "\(row.question) \(manner)")
                    continue
                }
                #expect(asked == [], "\(row.question) \(manner)")
                var other: [UInt8]?
                if case .same(let question) = row.expectation, let query = question.message(manner) {
                    other = try Self.ask(query, row, manner, town)
                }
                let faults = row.faults(of: answer, to: query, manner, whole: whole[manner.edns], other: other)
                #expect(faults == [], "\(row.asker): \(row.question) \(manner)")
            }
        }
    }

    /// The same servers, at the ports of those that stand in for them.
    private static func standIns(_ list: [ServerAddress], _ servers: [String: StandInUpstream]) -> [ServerAddress] {
        list.compactMap { servers["\($0.address)"]?.server }
    }

    private static func ask(
        _ query: [UInt8], _ row: PromiseTable.Row, _ manner: Manner, _ town: WorkerTown
    ) throws -> [UInt8]? {
        var queries = [query]
        if case .dropped = row.expectation { queries.append(try WorkerTown.query("localhost", id: sentinel)) }
        let answer = try town.ask(queries, from: row.asker, over: manner.transport).first
        let id = answer.map { $0.count > 1 ? UInt16($0[0]) << 8 | UInt16($0[1]) : 0 }
        return id == sentinel ? nil : answer
    }
}
