// The file that keeps declarations: a line that says what it is, then a line for each declaration.
//
//     intercom-declarations 1 7c6c8a3e-5b1c-4f0e-9d5a-0c5f1f4c1a11
//     1d0f4c5b {"method":"intercom.Control.CreateNetwork","parameters":{"name":"frontend"}}
//
// 1 is the version of the format. Behind it stands the boot of the host that namespaces and processes are told apart in.
// Each line of JSON has its CRC-32 before it. New declarations are added at the end.

/// Reads and writes the lines of the file.
enum DeclarationsText {
    static let version = 1
    private static let title = "intercom-declarations"

    /// Contents of a file.
    struct Content {
        /// The boot in which it was written; empty where that is not known.
        var boot = ""
        var declarations: [Declaration] = []
        /// Fault of the file; nil: all of it was read.
        var problem: String?
    }

    /// The first line.
    static func header(boot: String) -> [UInt8] { Array("\(title) \(version) \(boot)\n".utf8) }

    static func line(_ declaration: Declaration) -> [UInt8] {
        let message = declaration.message
        let sum = String(checksum(message[...]), radix: 16)
        let padding = String(repeating: "0", count: 8 - sum.count)
        return Array("\(padding)\(sum) ".utf8) + message + [UInt8(ascii: "\n")]
    }

    /// Takes what can be understood; lines that cannot are left out, and ``Content/problem`` tells of the first.
    static func parse(_ bytes: [UInt8]) -> Content {
        var content = Content()
        guard !bytes.isEmpty else { return content }
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // Behind the last line's end is nothing, unless it was never written whole.
        let rest = lines.removeLast()
        let words = String(decoding: lines.first ?? rest, as: UTF8.self).split(separator: " ")
        guard words.count >= 2, words[0] == title, let version = Int(words[1]) else {
            content.problem = "it does not begin as such a file does"
            return content
        }
        guard version == Self.version else {
            content.problem = "its version is \(version), and this program knows \(Self.version)"
            return content
        }
        content.boot = words.count > 2 ? String(words[2]) : ""
        for (index, line) in lines.enumerated().dropFirst() {
            do throws(Declaration.Unreadable) {
                content.declarations.append(try Self.declaration(line))
            } catch {
                content.problem = content.problem ?? "line \(index + 1) \(error)"
            }
        }
        if !rest.isEmpty { content.problem = content.problem ?? "its last line is torn" }
        return content
    }

    private static func declaration(_ line: ArraySlice<UInt8>) throws(Declaration.Unreadable) -> Declaration {
        guard let space = line.firstIndex(of: UInt8(ascii: " ")), space - line.startIndex == 8,
            let sum = UInt32(String(decoding: line[..<space], as: UTF8.self), radix: 16)
        else { throw .damaged }
        let message = line[(space + 1)...]
        guard checksum(message) == sum else { throw .damaged }
        return try Declaration(message: Array(message))
    }

    /// The remainder of each octet, so that a line takes one step an octet instead of eight.
    private static let remainders: [UInt32] = (0..<256).map { octet in
        (0..<8).reduce(octet) { remainder, _ in remainder >> 1 ^ (remainder & 1 == 1 ? 0xEDB8_8320 : 0) }
    }

    /// CRC-32 as Ethernet and gzip have it (RFC 1952 §8).
    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var remainder = UInt32.max
        for byte in bytes {
            remainder = remainder >> 8 ^ remainders[Int(truncatingIfNeeded: (remainder ^ UInt32(byte)) & 0xFF)]
        }
        return ~remainder
    }
}
