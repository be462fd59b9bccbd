// Promise of one row of the table, read from the file.

import DNSWire

/// The answer to a question, whatever it travels over.
package enum Expectation: Sendable {
    /// An answer of our own.
    case answer(Promised)
    /// The answer to another question: the same but for the name.
    case same(as: AskedQuestion)
    /// The question goes to this server of the table; or the question that CNAME records lead to.
    case forwarded(to: String, as: AskedQuestion? = nil)
    /// No answer at all.
    case dropped

    /// Parts of a local answer.
    package struct Promised: Sendable {
        /// As `dig` writes it.
        let code: String
        /// Those that are set, without QR and TC.
        let flags: [String]
        /// `TTL TYPE DATA` of each record of the answer section, sorted.
        private(set) var records: [String] = []
        /// The owner of the SOA record in the authority section.
        private(set) var negativeOwner: String?
        /// INFO-CODE of the extended error.
        private(set) var extendedError: UInt16?
        /// Its EXTRA-TEXT.
        private(set) var explanation = ""
    }

    /// The UDP payload size that our OPT record tells (RFC 9715 §3).
    static let payloadSize = 1232
    /// The most octets that an answer over UDP has, whatever the client takes.
    static let maximumDatagram = 16_384
    /// Codes of answers without a question section: the question could not be read, or the header means something
    /// else.
    static let headerAlone = ["FORMERR", "NOTIMP"]

    /// - Parameter columns: those behind the question.
    init?(_ columns: [String]) {
        let first = columns[0].split(separator: " ")
        switch first.first {
        case "dropped": self = .dropped
        case "forwarded":
            self = .forwarded(
                to: first.count > 2 ? String(first[2]) : "",
                as: AskedQuestion(first.dropFirst(4).joined(separator: " ")))
        case "as":
            guard let question = AskedQuestion(first.dropFirst().joined(separator: " ")) else { return nil }
            self = .same(as: question)
        default:
            guard columns.count >= 2 else { return nil }
            let flags = columns[1] == "-" ? [] : columns[1].split(separator: " ").map(String.init)
            var promised = Promised(code: columns[0], flags: flags)
            for item in columns.dropFirst(2).joined(separator: ", ").split(separator: ", ") {
                guard promised.add(String(item)) else { return nil }
            }
            self = .answer(promised)
        }
    }
}

extension Expectation.Promised {
    fileprivate init(code: String, flags: [String]) {
        self.code = code
        self.flags = flags
    }

    fileprivate mutating func add(_ item: String) -> Bool {
        let words = item.split(separator: " ", maxSplits: 2).map(String.init)
        switch (words.first, words.count) {
        case ("SOA", 2): negativeOwner = words[1]
        case ("EDE", 2): extendedError = UInt16(words[1])
        case ("EDE", 3): (extendedError, explanation) = (UInt16(words[1]), words[2])
        case (_, 3): records = (records + Self.spread(words)).sorted()
        default: return false
        }
        return true
    }

    /// `5 A 10.4.1.1-40` stands for forty records.
    private static func spread(_ words: [String]) -> [String] {
        let ends = words[2].split(separator: "-")
        let start = ends[0].lastIndex(of: ".").map { ends[0].index(after: $0) }
        guard words[1] == "A", ends.count == 2, let start, let first = Int(ends[0][start...]), let last = Int(ends[1]),
            first <= last
        else { return [words.joined(separator: " ")] }
        return (first...last).map { "\(words[0]) A \(ends[0][..<start])\($0)" }
    }
}
