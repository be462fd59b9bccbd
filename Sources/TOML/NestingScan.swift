// One look at a text before toml++ sees it: encoding, and how deep it nests.

/// Finds what toml++ must not be given: it takes a table for each part of a dotted key, and ends them by recursion.
///
/// The scan knows strings, comments, dots and brackets, no more. Where a text is no TOML it may see a string that toml++ does
/// not see; but there toml++ stops.
struct NestingScan {
    private let octets: [UInt8]
    private var offset = 0
    private var position = TextPosition(line: 1, column: 1)

    /// Refuses a text with a NUL, with U+FFFD, or deeper than ``TOMLValue/maximumDepth``.
    static func check(_ text: String) throws(TOMLError) {
        var scan = NestingScan(octets: Array(text.utf8))
        try scan.run()
    }

    private init(octets: [UInt8]) {
        self.octets = octets
        // A byte order mark is no part of the first line.
        if octets.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
    }

    private mutating func run() throws(TOMLError) {
        var depth = 0
        var dots = 0
        while let octet = current {
            let start = position
            switch octet {
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                try skipString(quote: octet)
                continue
            case UInt8(ascii: "#"):
                while let octet = current, octet != UInt8(ascii: "\n") { try advance() }
                continue
            case UInt8(ascii: "."):
                dots += 1
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                (depth, dots) = (depth + 1, 0)
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                (depth, dots) = (max(depth - 1, 0), 0)
            case UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: "\n"):
                dots = 0
            default: break
            }
            if depth > TOMLValue.maximumDepth {
                throw TOMLError(position: start, message: "nested deeper than \(TOMLValue.maximumDepth) levels")
            }
            try advance()
            if dots >= TOMLValue.maximumDepth {
                throw TOMLError(
                    position: position, message: "the key has more than \(TOMLValue.maximumDepth) parts")
            }
        }
    }

    private var current: UInt8? { offset < octets.count ? octets[offset] : nil }

    private mutating func advance() throws(TOMLError) {
        guard let octet = current else { return }
        guard octet != 0 else { throw TOMLError(position: position, message: "the file has a NUL octet") }
        // U+FFFD stands for octets of the file that were not UTF-8; nobody writes it on purpose.
        guard octet != 0xEF || !octets[offset...].starts(with: [0xEF, 0xBF, 0xBD]) else {
            throw TOMLError(position: position, message: "the file is not UTF-8")
        }
        offset += 1
        if octet == UInt8(ascii: "\n") {
            position = TextPosition(line: position.line + 1, column: 1)
        } else if current.map({ $0 & 0xC0 != 0x80 }) ?? true {
            // The next octet begins a character: this one was the last of its own.
            position.column += 1
        }
    }

    /// Skips a string of any of the four kinds; `quote` is the current octet.
    private mutating func skipString(quote: UInt8) throws(TOMLError) {
        let opening = try skipQuotes(quote, atMost: 3)
        // Two quotes are an empty string, three begin a string of several lines.
        guard opening != 2 else { return }
        while let octet = current {
            if octet == quote {
                // A string of several lines may end in up to two quotes of its own, before the closing three.
                if try skipQuotes(quote, atMost: opening == 1 ? 1 : 5) >= opening { return }
            } else if octet == UInt8(ascii: "\n"), opening == 1 {
                return
            } else {
                if octet == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") { try advance() }
                try advance()
            }
        }
    }

    private mutating func skipQuotes(_ quote: UInt8, atMost limit: Int) throws(TOMLError) -> Int {
        var count = 0
        while count < limit, current == quote {
            try advance()
            count += 1
        }
        return count
    }
}
