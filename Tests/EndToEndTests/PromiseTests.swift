// The table "Who is answered what", asked over the wire in the namespaces of the town.

import Foundation
import Promise
import Testing

@Suite("In the town's namespaces, the table of answers", .needsRoot)
struct PromiseTests {
    /// A row in one manner, and what has to be asked for it.
    private struct Asking {
        let row: PromiseTable.Row
        let manner: Manner
        /// The row's question, and the one that its answer is compared with.
        let queries: [[UInt8]]

        /// A line of ask.py's input for each query.
        var lines: [String] {
            var expected = "answer"
            if case .dropped = row.expectation { expected = "nothing" }
            return queries.map {
                "\(manner.transportWord) \(expected) \($0.map { String(format: "%02x", $0) }.joined())"
            }
        }
    }

    @Test("is what is answered over UDP and TCP, with and without EDNS, and forwarded to the server that it names")
    func overTheWire() throws {
        let town = Town.table
        try House.lend(configuration: Town.configuration, resolver: Town.hostResolver) { house in
            for deed in town.deeds { try carryOut(deed, in: house) }
            for asker in town.askers where !house.hasNamespace(asker) { _ = try house.namespace(asker) }
            for asker in town.askers {
                let answers = try eventually { try house.dig(asker, asker).status != "" }
                #expect(answers, "\(asker) has no listener: \(house.log)")
            }
            for asker in town.askers { try ask(asker, in: house) }
        }
    }

    private func carryOut(_ deed: Deed, in house: House) throws {
        switch deed {
        case .server(let name, let address): try house.startUpstream(address, as: name)
        case .bridge(let name, let address): try house.bridge(name, address)
        case .plug(let name, let bridge, let address): try house.plug(name, into: bridge, address)
        case .drain(let name): try house.mustCtl("container", "drain", name)
        }
    }

    /// Asks all questions of one container, and holds what came back and what the servers were asked against the table.
    private func ask(_ asker: String, in house: House) throws {
        var askings: [Asking] = []
        for row in Town.table.rows where row.asker == asker {
            for manner in Manner.all {
                guard let query = row.question.message(manner) else { continue }
                var queries = [query]
                if case .same(let other) = row.expectation { queries += [other.message(manner)].compactMap { $0 } }
                askings.append(Asking(row: row, manner: manner, queries: queries))
            }
        }
        let before = servers.map { house.queries(of: $0).count }
        let output = try house.run(
            in: asker, ["python3", House.kit("ask.py")], input: askings.flatMap(\.lines).joined(separator: "\n") + "\n")
        var lines = output.lines[...]
        #expect(lines.count == askings.reduce(0) { $0 + $1.queries.count }, "\(output.err)")
        var wholes: [Manner.Extension: [UInt8]] = [:]
        for asking in askings {
            let answer = octets(lines.popFirst())
            let other = asking.queries.count > 1 ? octets(lines.popFirst()) : nil
            if asking.manner.transportWord == "tcp" { wholes[asking.manner.edns] = answer }
            if case .forwarded = asking.row.expectation {
                #expect(answer != nil, "\(asking.row) \(asking.manner): no answer")
                continue
            }
            let faults = asking.row.faults(
                of: answer, to: asking.queries[0], asking.manner, whole: wholes[asking.manner.edns], other: other)
            #expect(faults == [], "\(asking.row) \(asking.manner)")
        }
        checkServers(asker, house, since: before)
    }

    /// Each forwarded question has come to its server, and nothing else to any.
    private func checkServers(_ asker: String, _ house: House, since before: [Int]) {
        var expected: [String: Set<String>] = [:]
        for row in Town.table.rows where row.asker == asker {
            guard case .forwarded(let server, let other) = row.expectation else { continue }
            expected[server, default: []].insert((other ?? row.question).upstreamLine)
        }
        for (server, count) in zip(servers, before) {
            let lines = house.queries(of: server).dropFirst(count)
            let questions = lines.map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
            #expect(Set(questions) == expected[server, default: []], "what \(asker) has asked of \(server)")
        }
    }

    private var servers: [String] {
        Town.table.deeds.compactMap { deed in
            guard case .server(let name, _) = deed else { return nil }
            return name
        }
    }

    /// The octets of a line of ask.py's output.
    private func octets(_ digits: String?) -> [UInt8]? {
        guard let digits, digits != "-" else { return nil }
        let values = digits.compactMap(\.hexDigitValue)
        return stride(from: 0, to: values.count - 1, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }
}
