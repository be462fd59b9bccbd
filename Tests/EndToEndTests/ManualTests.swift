// The manual pages say all that the programs and the configuration have.

import Foundation
import Testing

@Suite("The manual")
struct ManualTests {
    /// A command as the program itself describes it.
    private struct Description: Decodable {
        struct Argument: Decodable {
            struct Name: Decodable {
                var name: String
            }
            var kind: String
            var names: [Name]?
            var shouldDisplay: Bool
        }
        var commandName: String
        var arguments: [Argument]?
        var subcommands: [Description]?
    }

    private struct Dump: Decodable {
        var command: Description
    }

    private static func page(_ name: String) throws -> String {
        try String(contentsOfFile: "\(House.repository)/config/man/\(name)", encoding: .utf8)
    }

    private static func check(_ command: Description, under path: [String], in page: String) {
        let words = Set(page.split(whereSeparator: \.isWhitespace).map(String.init))
        for argument in command.arguments ?? [] where argument.shouldDisplay && argument.kind != "positional" {
            for option in argument.names ?? [] where option.name.count > 1 {
                let isNamed = words.contains("-\(option.name)")
                #expect(isNamed, "\(path) --\(option.name)")
            }
        }
        for verb in command.subcommands ?? [] where verb.commandName != "help" {
            let path = path + [verb.commandName]
            if verb.subcommands?.isEmpty ?? true {
                let isNamed = page.contains(".It Ic \(path.joined(separator: " "))")
                #expect(isNamed, "\(path)")
            }
            check(verb, under: path, in: page)
        }
    }

    @Test("names every verb and every option", arguments: [("intercomctl", "1"), ("intercomd", "8")])
    func options(program: String, section: String) throws {
        let output = try Command.must(["\(House.binaries)/\(program)", "--experimental-dump-help"])
        let dump = try JSONDecoder().decode(Dump.self, from: Data(output.out.utf8))
        Self.check(dump.command, under: [], in: try Self.page("\(program).\(section)"))
    }

    @Test("names every adapter of intercom-runtimes and every option")
    func adapters() throws {
        let output = try AdapterHouse().program(["--experimental-dump-help"])
        let dump = try JSONDecoder().decode(Dump.self, from: Data(output.out.utf8))
        Self.check(dump.command, under: [], in: try Self.page("intercom-runtimes.1"))
    }

    @Test("names every option of the configuration, and is well-formed")
    func pages() throws {
        let configuration = "\(House.repository)/config/intercom.toml"
        let filled = try Command.must([
            "\(House.repository)/config/man/fill", "\(House.repository)/config/man/intercom.toml.5", configuration,
        ]).out
        for line in try String(contentsOfFile: configuration, encoding: .utf8).split(separator: "\n") {
            guard let equals = line.range(of: " = "), !line.hasPrefix("# ") else { continue }
            let key = line[..<equals.lowerBound].drop { $0 == "#" }
            #expect(filled.contains(".It Ic \(key) = "), "\(key)")
        }
        for page in [
            filled, try Self.page("intercomctl.1"), try Self.page("intercomd.8"), try Self.page("intercom-runtimes.1"),
            try Self.page("intercom-hooks.8"), try Self.bridge(),
        ] {
            let lint = try Command.run(["mandoc", "-T", "lint", "-W", "warning"], input: page)
            #expect(lint.status == 0 && lint.out.isEmpty, "\(lint)")
        }
    }

    /// The page of intercom-etcd with the options of its configuration.
    private static func bridge() throws -> String {
        let config = "\(House.repository)/config"
        return try Command.must(["\(config)/man/fill", "\(config)/man/intercom-etcd.8", "\(config)/etcd.toml"]).out
    }

    @Test("names every verb and option of intercom-etcd, and of etcd.toml, which is as the program reads it")
    func etcd() throws {
        let program = "\(House.binaries)/intercom-etcd"
        let output = try Command.must([program, "--experimental-dump-help"])
        let dump = try JSONDecoder().decode(Dump.self, from: Data(output.out.utf8))
        Self.check(dump.command, under: [], in: try Self.bridge())
        // All options that are comments, with the values of their examples.
        let text = try String(contentsOfFile: "\(House.repository)/config/etcd.toml", encoding: .utf8)
        let lines = text.split(separator: "\n").map {
            $0.hasPrefix("#") && !$0.hasPrefix("# ") ? $0.dropFirst() : $0[...]
        }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("ic-\(UUID().uuidString).toml")
        defer { try? FileManager.default.removeItem(at: file) }
        try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
        let checked = try Command.run([program, "--config", file.path, "--check-config"])
        #expect(checked.err.contains("tls.ca: there is no /etc/intercom/etcd/ca.crt"), "\(checked)")
        #expect(checked.status == 2 && checked.err.split(separator: "\n").count == 3, "\(checked)")
    }

    @Test("names every message of the journal's catalog")
    func messages() throws {
        let page = try Self.page("intercomd.8")
        let catalog = try String(contentsOfFile: "\(House.repository)/config/intercom.catalog", encoding: .utf8)
        let numbers = catalog.split(separator: "\n").filter { $0.hasPrefix("-- ") }.map { String($0.dropFirst(3)) }
        #expect(numbers.count == 9)
        for number in numbers { #expect(page.contains(".It \(number)\n"), "\(number)") }
    }
}
