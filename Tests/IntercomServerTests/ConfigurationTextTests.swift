// Text that is not TOML, and files that cannot be read.

import Foundation
import Testing

@testable import IntercomServer

@Suite("What is no TOML at all is refused with its place")
struct ConfigurationTextTests {
    @Test(
        "Text",
        arguments: [
            BadFile("no value", "a = 1\nb = \n", "2:5: TOML syntax: key-value pair: expected value, saw '\\n'"),
            BadFile(
                "a key twice", "[server]\nttl = 1\nttl = 2",
                "3:7: TOML syntax: key-value pair: cannot redefine existing integer 'ttl'"),
            BadFile("no key in a header", "a = 1\n[ = ]", "2:3: TOML syntax: expected a key"),
            BadFile("header over two lines", "[\nserver]", "1:2: TOML syntax: expected a key"),
            BadFile("no key in a header of an array", "[[#]]", "1:3: TOML syntax: expected a key"),
            BadFile("array closed as a table", "a = [ 1,\n }", "2:2: TOML syntax: expected a value"),
            BadFile("array of what is no value", "a = [\u{2028}]", "1:6: TOML syntax: expected a value"),
            BadFile("date", "[server]\nttl = 2020-02-02", "2:7: ttl: expected an integer, found a date or time"),
            BadFile("half an hour", "a = [2020-02-02 1]", "1:18: TOML syntax: expected a value"),
            BadFile("broken time", "a = 07:3x", "1:9: TOML syntax: time: expected 2-digit minute, saw 'x'"),
            BadFile(
                "a hundred digits", "a = 1\(String(repeating: "_0", count: 50))",
                "1:106: TOML syntax: decimal integer: '1\(String(repeating: "0", count: 50))' is not representable in 64 bits"
            ),
            BadFile(
                "endless nesting", "a = \(String(repeating: "[", count: 100_000))", "1:37: nested deeper than 32 levels"
            ),
            BadFile(
                "an endless key", "a\(String(repeating: ".a", count: 100_000)) = 1",
                "1:65: the key has more than 32 parts"),
            BadFile(
                "an earlier mistake", "a = 'b\n[=]",
                "1:7: TOML syntax: literal string: control characters other than TAB (U+0009) are explicitly prohibited"
            ),
            BadFile("NUL", "# é\n[server]\nversion = 'é\0'", "3:13: the file has a NUL octet"),
            BadFile(
                "escaped NUL in a value", "[server]\nversion = \"1\\u0000\"",
                "2:11: the character U+0000 is not allowed"),
            BadFile(
                "escaped NUL in a key", "[server]\n\"a\\U00000000\" = 1", "2:1: the character U+0000 is not allowed"),
        ])
    func text(_ file: BadFile) {
        #expect(errors(of: file.text) == file.errors)
    }

    @Test(
        "Octets that are not UTF-8",
        arguments: [
            (Array("# ok\nversion = '".utf8) + [0xFF], "2:12: the file is not UTF-8"),
            (Array("é".utf8) + [0xC3], "1:2: the file is not UTF-8"),
            ([0xC0, 0x80], "1:1: the file is not UTF-8"),
        ])
    func octets(_ bytes: [UInt8], _ line: String) throws {
        try withFile(bytes) { path in #expect(failure(of: path) == "\(path):\(line)") }
    }

    /// Error of reading a file.
    private func failure(of path: String) -> String? {
        do throws(ConfigurationError) {
            _ = try Configuration.read(path: path)
            return nil
        } catch {
            return error.description
        }
    }

    /// Gives a file for a while.
    private func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "intercom-\(UUID()).toml")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        try body(file.path())
    }

    @Test("A file that cannot be read, and one that can")
    func files() throws {
        try withFile(Array("[server]\nttl = 9\n".utf8)) { path in
            let configuration = try Configuration.read(path: path)
            #expect(configuration.server.ttl == 9)
        }
        try withFile(Array("ttl = 9\n".utf8)) { path in
            #expect(failure(of: path) == "\(path):1:1: unknown key 'ttl'")
            #expect(failure(of: path + "/x") == "\(path)/x: cannot be read: No such file or directory")
        }
        #expect(failure(of: "/") == "/: cannot be read: it is not a regular file")
        let link = FileManager.default.temporaryDirectory.appending(path: "intercom-\(UUID()).toml")
        try FileManager.default.createSymbolicLink(atPath: link.path(), withDestinationPath: link.lastPathComponent)
        defer { try? FileManager.default.removeItem(at: link) }
        #expect(failure(of: link.path()) == "\(link.path()): cannot be read: Too many levels of symbolic links")
    }

    @Test("An optional file may come and go between reads; a file that was named has to be there")
    func optionalFile() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "intercom-\(UUID()).toml").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        var file = ConfigurationFile(path: path, isOptional: true)
        try file.read()
        #expect(file.configuration == Configuration() && !file.isPresent)
        try "[server]\nttl = 9\nworkers = 2".write(toFile: path, atomically: true, encoding: .utf8)
        try file.read()
        #expect(file.configuration.server.ttl == 9 && file.isPresent)
        #expect(file.notInForce == ["[server] workers: takes effect at a restart"])
        try FileManager.default.removeItem(atPath: path)
        try file.read()
        #expect(file.configuration == Configuration() && !file.isPresent)
        #expect(file.notInForce == [])

        var named = ConfigurationFile(path: path, isOptional: false)
        #expect(throws: ConfigurationError.self) { try named.read() }
    }

    @Test("Every beginning of a file, and every file with one octet changed, is read or refused")
    func damaged() throws {
        let text = Array(
            """
            [server] # "
            "ttl" = 5
            [[container]]
            name = 'web'
            networks = [{ name = "a", ip = [ "10.0.0.1",
            "::1" ] }] # ]
            id = '''x'''
            hostname = \"\"\"\\u0061\\\n b\"\"\"
            """.utf8)
        var outcomes = [0, 0]
        func read(_ bytes: [UInt8]) {
            do throws(ConfigurationError) {
                _ = try Configuration.parse(text: String(decoding: bytes, as: UTF8.self), file: "f")
                outcomes[0] += 1
            } catch {
                #expect(!error.problems.isEmpty)
                outcomes[1] += 1
            }
        }
        for end in text.indices {
            read(Array(text[..<end]))
            for octet in Array("\0\n\"'[]{}=.,#\\x ".utf8) + [0x80, 0xFF] {
                var changed = text
                changed[end] = octet
                read(changed)
            }
        }
        #expect(outcomes.allSatisfy { $0 > 0 })
    }
}
