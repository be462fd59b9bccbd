// The interface by which systemd-resolved asks local services before it asks DNS servers (systemd 259, systemd-resolved.service(8)):
// its methods, as systemd defines them.

/// `io.systemd.Resolve.Hook`, which has a socket of its own in systemd-resolved's directory.
package enum ResolveHookInterface {
    /// The interface's name on the wire.
    package static let name = "io.systemd.Resolve.Hook"

    /// All methods, in the order of the description.
    package static let methods: [any ControlMethod.Type] = [QueryFilter.self, ResolveRecord.self]

    /// The description in Varlink's interface definition language.
    package static let description = ControlInterface.describe(
        """
        # Names of containers for systemd-resolved, which asks a hook before any DNS server.
        interface io.systemd.Resolve.Hook
        """, methods,
        """
        error NotPermitted (message: string, user: string)
        error MessageTooLong (message: string, limit: int)
        """)
}

/// A method of `io.systemd.Resolve.Hook`.
package protocol ResolveHookMethod: ControlMethod {}

extension ResolveHookMethod {
    package static var interface: String { ResolveHookInterface.name }
}

/// Domains that the hook knows something of: systemd-resolved asks it about no others.
package enum QueryFilter: ResolveHookMethod {
    package static let definition = """
        # Domains whose names are to be asked here: themselves and whatever is under them. To a call with "more" further replies
        # come when they are others; the newest holds.
        method QueryFilter() -> (filterDomains: ?[]string, filterLabelsMin: ?int, filterLabelsMax: ?int)
        """

    package typealias Parameters = Nothing

    package struct Reply: Codable, Equatable, Sendable {
        /// Domains, without a dot at their ends.
        package var filterDomains: [String]?
        /// Fewest labels of a name that is asked about; we leave it out.
        package var filterLabelsMin: Int?
        /// Most labels of such a name; we leave it out.
        package var filterLabelsMax: Int?

        package init(filterDomains: [String]?, filterLabelsMin: Int? = nil, filterLabelsMax: Int? = nil) {
            self.filterDomains = filterDomains
            self.filterLabelsMin = filterLabelsMin
            self.filterLabelsMax = filterLabelsMax
        }
    }
}

/// Records for what a program of the host looks up.
package enum ResolveRecord: ResolveHookMethod {
    package static let definition = """
        # Records for a lookup: one or several closely related keys, as A and AAAA of one name. A reply without rcode: not ours,
        # systemd-resolved goes on with DNS. answer: with rcode 0 alone, all records together.
        method ResolveRecord(question: []Question) -> (rcode: ?int, answer: ?[]Answer)
        """
    package static let types: [any ControlType.Type] = [Key.self, Question.self, Answer.self]

    /// The most keys of one lookup: systemd-resolved sends up to four.
    package static let keyLimit = 16

    /// Class, type and name of a record that is looked up.
    package struct Key: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # Class and type by their numbers, and name of a record.
            type ResourceKey (class: int, type: int, name: string)
            """

        /// CLASS, nearly always 1 (IN).
        package var `class`: Int
        /// TYPE.
        package var type: Int
        /// Name in presentation form.
        package var name: String

        package init(class: Int, type: Int, name: String) {
            self.class = `class`
            self.type = type
            self.name = name
        }
    }

    /// One key of a lookup.
    package struct Question: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # One key of a lookup.
            type Question (key: ResourceKey)
            """

        /// The key.
        package var key: Key

        package init(key: Key) {
            self.key = key
        }
    }

    /// One record of an answer.
    package struct Answer: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # One record: on the wire without compression, in Base64.
            type Answer (raw: string)
            """

        /// The record.
        package var raw: String

        package init(raw: String) {
            self.raw = raw
        }
    }

    package struct Parameters: Codable, Equatable, Sendable {
        /// Keys that are looked up together.
        package var question: [Question]

        package init(question: [Question]) {
            self.question = question
        }
    }

    package struct Reply: Codable, Equatable, Sendable {
        /// RCODE; absent: not ours.
        package var rcode: Int?
        /// All records; absent where there are none.
        package var answer: [Answer]?

        package init(rcode: Int? = nil, answer: [Answer]? = nil) {
            self.rcode = rcode
            self.answer = answer
        }
    }
}
