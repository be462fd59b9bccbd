// The resolv.conf that a container's programs read, and the names that the resolver library makes of one by its search list.

/// The resolv.conf that a container's programs read.
package struct ResolverFile: Sendable, Equatable {
    /// A question that the resolver library makes of a name and a search domain, with its answer.
    package struct Attempt: Sendable, Equatable {
        /// The name with the search domain behind it.
        package var name: String
        /// The search domain.
        package var domain: String
        /// `NOERROR`, `NXDOMAIN` …
        package var code: String
        /// Data of the answer's records.
        package var data: [String]
        /// Rule or server that answered, in words.
        package var source: String

        /// A question about this name.
        package init(_ name: String, in domain: String, code: String, data: [String] = [], source: String = "") {
            self.name = name
            self.domain = domain
            self.code = code
            self.data = data
            self.source = source
        }

        /// True for an answer with records.
        package var isPositive: Bool { code == "NOERROR" && !data.isEmpty }

        /// As `web.corp.example (NXDOMAIN)`.
        var description: String {
            "\(name) (\(isPositive ? data.prefix(3).joined(separator: ", ") : data.isEmpty && code == "NOERROR" ? "no data" : code))"
        }
    }

    /// A program of the container that reads another file.
    package struct Elsewhere: Sendable, Equatable {
        /// The program.
        package var program: Program
        /// The servers that its file names.
        package var servers: [String]

        /// A program, and the servers that it asks.
        package init(_ program: Program, servers: [String]) {
            self.program = program
            self.servers = servers
        }
    }

    /// Its path: on the host, or `/etc/resolv.conf` inside the container.
    package var path: String
    /// True when the path is one of the host's.
    package var isOnHost: Bool
    /// True when intercom wrote it.
    package var isOurs: Bool
    /// The program that wrote it, as its first lines say; nil: they do not.
    package var writer: String?
    /// The servers that it names.
    package var servers: [String]
    /// True when questions to one of these come to the listener.
    package var leadsHere: Bool
    /// The search list.
    package var search: [String]
    /// `ndots`: names with fewer dots are tried with the search list first.
    package var dots: Int
    /// A program that reads another file, and asks others, where no program of the container reads this one.
    package var elsewhere: Elsewhere?
    /// Questions that are made before the name itself, up to the first that is answered with records.
    package var attempts: [Attempt] = []
    /// Questions that are made after it, where it was not answered with records, up to the first that is.
    package var later: [Attempt] = []

    /// A file at this path.
    package init(
        _ path: String, isOnHost: Bool = true, isOurs: Bool = false, writer: String? = nil, servers: [String],
        leadsHere: Bool,
        search: [String] = [], dots: Int = 1, attempts: [Attempt] = []
    ) {
        self.path = path
        self.isOnHost = isOnHost
        self.isOurs = isOurs
        self.writer = writer
        self.servers = servers
        self.leadsHere = leadsHere
        self.search = search
        self.dots = dots
        self.attempts = attempts
    }

    /// The program that wrote it, in words, as `, written by Docker`; empty: it is not known.
    var authorship: String { (isOurs ? "intercom" : writer).map { ", written by \($0)" } ?? "" }

    /// The question with a search domain that is answered with records.
    var answered: Attempt? { (attempts + later).first { $0.isPositive } }

    /// Search domains that the resolver library tries before a name itself: those of the list, where the name has fewer dots
    /// than `ndots` (resolv.conf(5)). The others it tries behind it, as glibc does; musl does not.
    /// - Parameters:
    ///   - name: the name as a program asks for it.
    ///   - search: the search list.
    ///   - dots: `ndots`.
    /// - Returns: the domains before and behind the name itself.
    package static func order(
        of name: String, search: [String], dots: Int
    ) -> (before: [String], behind: [String]) {
        if name.hasSuffix(".") { return ([], []) }
        let isShort = name.utf8.count { $0 == UInt8(ascii: ".") } < dots
        return isShort ? (search, []) : ([], search)
    }

    /// The names that programs ask for in their order, as `; asked in order: web.corp.example (NXDOMAIN), web`; empty: the name
    /// alone.
    func asked(_ name: String) -> String {
        if attempts.isEmpty, later.isEmpty { return "" }
        let isFound = attempts.contains(where: \.isPositive)
        let names = attempts.map(\.description) + (isFound ? [] : [name]) + later.map(\.description)
        return "; asked in order: \(names.joined(separator: ", "))"
    }
}
