// Resolving as a container would: the answer, and who gave it.

/// The answer that a container would get, found the way that its own question goes.
package enum Resolve: ControlMethod {
    package static let definition = """
        # The answer that a container would get, and who gave it; type: "A" if absent.
        method Resolve(name: string, type: ?string, container: string) -> (answer: Answer)
        """
    package static let types: [any ControlType.Type] = [Record.self, ExtendedError.self, Answer.self]

    package struct Parameters: Codable, Equatable, Sendable {
        /// A domain name in presentation form (RFC 1035 §5.1).
        package var name: String
        /// A record type, as `AAAA` or `TYPE65`; absent: `A`.
        package var type: String?
        /// The container that asks.
        package var container: String

        package init(name: String, type: String? = nil, container: String) {
            self.name = name
            self.type = type
            self.container = container
        }
    }

    package struct Reply: Codable, Equatable, Sendable {
        /// Answer that the container would get.
        package var answer: Answer

        package init(answer: Answer) {
            self.answer = answer
        }
    }

    /// A DNS answer for people.
    package struct Answer: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # The answer that a container would get; source: who decided it.
            type Answer (
              name: string,
              type: string,
              rcode: string,
              flags: []string,
              answers: []Record,
              authority: []Record,
              extendedErrors: []ExtendedError,
              source: string
            )
            """

        /// The name that was asked for.
        package var name: String
        /// The type that was asked for.
        package var type: String
        /// `NOERROR`, `NXDOMAIN`, `SERVFAIL` …
        package var rcode: String
        /// Flags of the header, as `qr`, `aa`, `rd`, `ra`.
        package var flags: [String]
        /// Records of the answer section.
        package var answers: [Record]
        /// Records of the authority section.
        package var authority: [Record]
        /// Why the answer is what it is, where somebody says so.
        package var extendedErrors: [ExtendedError]
        /// Source of the answer: a network, a link, a rule, an upstream.
        package var source: String

        package init(
            name: String, type: String, rcode: String, flags: [String], answers: [Record], authority: [Record],
            extendedErrors: [ExtendedError], source: String
        ) {
            self.name = name
            self.type = type
            self.rcode = rcode
            self.flags = flags
            self.answers = answers
            self.authority = authority
            self.extendedErrors = extendedErrors
            self.source = source
        }
    }

    /// A resource record in presentation form.
    package struct Record: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # A resource record in presentation form; ttl: seconds.
            type Record (name: string, ttl: int, type: string, data: string)
            """

        /// The owner.
        package var name: String
        /// Seconds.
        package var ttl: Int
        /// Record type, as `A` or `TYPE65`.
        package var type: String
        /// Data in presentation form.
        package var data: String

        package init(name: String, ttl: Int, type: String, data: String) {
            self.name = name
            self.ttl = ttl
            self.type = type
            self.data = data
        }
    }

    /// An Extended DNS Error (RFC 8914).
    package struct ExtendedError: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # An Extended DNS Error (RFC 8914).
            type ExtendedError (code: int, meaning: string, text: ?string)
            """

        /// INFO-CODE, 0...65535.
        package var code: Int
        /// Meaning of the code.
        package var meaning: String
        /// EXTRA-TEXT; absent where there is none.
        package var text: String?

        package init(code: Int, meaning: String, text: String?) {
            self.code = code
            self.meaning = meaning
            self.text = text
        }
    }
}
