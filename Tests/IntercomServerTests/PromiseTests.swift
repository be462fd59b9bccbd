// The table "Who is answered what", asked of the responder.

import DNSWire
import Promise
import Registry
import Testing

@testable import IntercomServer

@Suite("The table of answers")
struct PromiseTests {
    @Test("can be read, every line of it, and has rows of each rule that is built")
    func table() {
        #expect(Town.table.mistakes == [])
        #expect(Set(Town.table.rows.map(\.rule)) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    }

    @Test("is what the responder answers, over UDP and TCP, with and without EDNS", arguments: Town.table.rows)
    func row(_ row: PromiseTable.Row) throws {
        var town = try AskedTown()
        var whole: [Manner.Extension: [UInt8]] = [:]
        for manner in Manner.all {
            guard let query = row.question.message(manner) else { continue }
            let outcome = try town.ask(query, from: row.asker, over: manner.transport)
            if manner.transport == .stream { whole[manner.edns] = outcome.answer }
            if case .forwarded(let server, _) = row.expectation {
                let address = Town.table.address(ofServer: server)
                #expect(outcome.server == address, "\(manner): \(outcome)")
                continue
            }
            #expect(outcome.server == nil, "\(manner)")
            var other: [UInt8]?
            if case .same(let question) = row.expectation, let query = question.message(manner) {
                other = try town.ask(query, from: row.asker, over: manner.transport).answer
            }
            let faults = row.faults(
                of: outcome.answer, to: query, manner, whole: whole[manner.edns], other: other)
            #expect(faults == [], "\(manner): \(outcome)")
        }
    }
}

/// The town in a registry, compiled for a responder, as a worker has it.
private struct AskedTown: ~Copyable {
    /// Outcome of a query.
    struct Outcome: CustomStringConvertible {
        var answer: [UInt8]?
        /// The address of the first server that it is forwarded to.
        var server: String?

        var description: String {
            answer.map { MessageText.describe($0.span) } ?? server.map { "forwarded to \($0)" } ?? "dropped"
        }
    }

    private let registry: Registry
    private var responder: Responder
    /// The first upstream of each group.
    private var servers: [UInt32: String] = [:]
    private var buffer = [UInt8](repeating: 0, count: 65_535)

    init() throws {
        let compiled = try CompiledTown.shared.get()
        registry = compiled.registry
        responder = Responder(settings: ServerSettings(compiled.configuration, workers: 1), seed: 7)
        for change in compiled.changes { responder.directory.apply(change) }
        let host = ResolverConfiguration(Town.hostResolver)
        let everyone = compiled.configuration.forward.upstreams.first ?? host.nameservers.first
        servers[UpstreamGroupID.default.rawValue] = everyone?.address.description
        for group in registry.upstreamGroups {
            servers[group.id.rawValue] = group.upstreams.first?.address.description
        }
    }

    mutating func ask(_ query: [UInt8], from asker: String, over transport: Transport) throws -> Outcome {
        let view = try registry.container(named: asker).id.view
        let outcome = responder.respond(to: query.span, view: view, over: transport, intoArray: &buffer)
        return switch outcome {
        case .answered(let length, _): Outcome(answer: Array(buffer[..<length]))
        case .forward(let group), .follow(let group): Outcome(server: servers[group] ?? "nobody")
        case .drop, .loop, .heard, .held: Outcome()
        }
    }
}

extension Responder {
    /// The buffer as a whole is lent, so that its span ends with the call.
    fileprivate mutating func respond(
        to message: Span<UInt8>, view: ViewID, over transport: Transport, intoArray buffer: inout [UInt8]
    ) -> Outcome {
        respond(to: message, view: view, over: transport, into: buffer.mutableSpan)
    }
}
