// Kit of the suites of explain and doctor: a town of two bridges, the commands, and the way from a cause to its cure.

import Foundation
import Testing

/// Reply of `explain --json`, and of `doctor --json`.
struct Explained: Decodable {
    struct Step: Decodable {
        var step: String
        var state: String
        var text: String
    }
    struct Finding: Decodable {
        var cause: String
        var container: String?
        var text: String
        var cure: String?
    }
    var steps: [Step]?
    var findings: [Finding]?
    var cause: String?
    var text: String?
    var cure: String?
    var fault: Bool?
}

/// A suite whose causes are made for real.
protocol ExplainSuite {}

extension ExplainSuite {
    /// Two bridges; `web` and `app` on the first, `db` on the second; the host's end of each link is called NAME-BRIDGE.
    func lend(_ configuration: String = "", _ body: (House) throws -> Void) throws {
        try House.lend(
            configuration: "[server]\nworkers = 1\n" + configuration, resolver: "nameserver 127.0.0.53\n"
        ) { house in
            try house.bridge("front", "10.1.0.1/24")
            try house.bridge("back", "10.2.0.1/24")
            try house.plug("web", into: "front", "10.1.0.2/24")
            try house.plug("app", into: "front", "10.1.0.3/24")
            try house.plug("db", into: "back", "10.2.0.4/24")
            try body(house)
        }
    }

    func lendFound(_ configuration: String = "", _ body: (House) throws -> Void) throws {
        try lend(configuration) { house in
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] }, "\(house.log)")
            #expect(try eventually { try house.dig("db", "db").data == ["10.2.0.4"] }, "\(house.log)")
            try body(house)
        }
    }

    /// Asserts a cause and its cure, types the cure, and has the name resolved then.
    /// - Parameters:
    ///   - typed: what is typed in the place of a cure that a person has to complete.
    ///   - answer: the addresses that the name has then, for programs in the container.
    func expect(
        _ house: House, _ question: [String], from asker: String = "app", cause: String, cure: String,
        typed: String? = nil, then answer: [String], of name: String? = nil
    ) throws {
        let isSo = try eventually { try house.explain(question, from: asker).cause == cause }
        let explained = try house.explain(question, from: asker)
        #expect(isSo && explained.fault == true, "\(cause): \(explained)")
        #expect(explained.cure == cure, "\(cause)")
        #expect(try house.ctl(["explain"] + question + ["--from", asker]).status == 1)
        let done = try house.type(typed ?? cure)
        #expect(done.status == 0, "\(typed ?? cure): \(done)")
        let name = name ?? question[0]
        let isCured = try eventually { try house.dig(asker, name).data == answer }
        let reply = try house.dig(asker, name)
        #expect(isCured, "\(cause): \(reply)")
        #expect(try eventually { try house.explain([name], from: asker).fault == false }, "\(cause)")
    }
}

extension House {
    func explain(_ question: [String], from asker: String) throws -> Explained {
        try decode(try ctl(["explain"] + question + ["--from", asker, "--json"]))
    }

    func doctor(_ containers: String...) throws -> Explained {
        try decode(try ctl(["doctor"] + containers + ["--json"]))
    }

    private func decode(_ output: Output) throws -> Explained {
        do {
            return try JSONDecoder().decode(Explained.self, from: Data(output.out.utf8))
        } catch {
            throw CommandFailure(command: "intercomctl", output: output)
        }
    }

    /// Types a command on the host, as an operator does.
    func type(_ command: String) throws -> Output {
        let shell = "intercomctl() { \(House.binaries)/intercomctl --socket \(socket) \"$@\"; }\n"
        return try run(in: "house", ["bash", "-c", shell + command])
    }
}
