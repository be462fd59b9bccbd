// The data plane's decision on a question, the servers behind it, and the service behind its answer.

/// Decision of the data plane and its answer.
package struct AnswerFacts: Sendable, Equatable {
    /// Rules of "Who is answered what" as far as they lead to different explanations.
    package enum Rule: Sendable, Equatable {
        /// A link, a network's name, a special name, a refusal: there is nothing to look for.
        case settled
        /// Nobody has the address.
        case subnet
        /// The domain is never forwarded.
        case domain
        /// Single labels are not forwarded.
        case singleLabel
        /// Names under `local` are not forwarded.
        case multicast
        /// No network may forward.
        case blocked
        /// The policy of the container denies it; the details say by which rule.
        case policy
        /// Upstreams are asked.
        case forwarded
    }

    /// The rule that decided.
    package var rule: Rule
    /// The rule, or the server that answered, in words.
    package var source: String
    /// `NOERROR`, `NXDOMAIN`, `SERVFAIL` …
    package var code: String
    /// Data of the answer's records.
    package var data: [String]
    /// Errors that the answer explains itself with (RFC 8914).
    package var details: [String]
    /// True where the answer has the flag TC: it is not whole (RFC 1035 §4.1.1).
    package var isTruncated: Bool

    /// A decision by a rule, and the answer.
    package init(
        _ rule: Rule, source: String, code: String, data: [String] = [], details: [String] = [],
        isTruncated: Bool = false
    ) {
        self.rule = rule
        self.source = source
        self.code = code
        self.data = data
        self.details = details
        self.isTruncated = isTruncated
    }

    /// True for an answer with records.
    package var isPositive: Bool { code == "NOERROR" && !data.isEmpty }
}

/// An answer that was kept from an earlier question.
package struct KeptFacts: Sendable, Equatable {
    /// Seconds since it came from an upstream.
    package var age: Int
    /// Seconds of its life; 0: it serves while nobody answers.
    package var left: Int

    /// An answer of this age.
    package init(age: Int, left: Int) {
        self.age = age
        self.left = left
    }

    /// As `12 s old, and kept for 288 s more`.
    var description: String {
        left > 0 ? "\(age) s old, and kept for \(left) s more" : "\(age) s old, and given because nobody answers"
    }
}

/// Entries for a name in the hosts file that a container's programs read before they ask.
package struct HostsFacts: Sendable, Equatable {
    /// The file, on the host.
    package var path: String
    /// The name's addresses in it.
    package var addresses: [String]

    /// Entries of a file.
    package init(_ path: String, addresses: [String]) {
        self.path = path
        self.addresses = addresses
    }

    /// Finds the entries of a name in a text in the form of hosts(5); nil: there is none.
    package init?(_ path: String, text: String, name: String) {
        let name = (name.hasSuffix(".") ? String(name.dropLast()) : name).lowercased()
        var addresses: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
            guard let address = words.first, words.dropFirst().contains(where: { $0.lowercased() == name }) else {
                continue
            }
            addresses.append(String(address))
        }
        if addresses.isEmpty { return nil }
        self.init(path, addresses: addresses)
    }
}

/// Services by which a container's programs look host names up, as nsswitch.conf(5) says.
package struct NameServices: Sendable, Equatable {
    /// The file, on the host.
    package var path: String
    /// Their names in their order, as `files`, `dns`.
    package var names: [String]

    /// Reads the line `hosts:` of a file; nil: it has none, and libc looks in files and asks DNS.
    package init?(_ path: String, text: String) {
        var names: [String]?
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.prefix { $0 != "#" }.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts.first?.filter({ !$0.isWhitespace }) == "hosts" else { continue }
            // Actions stand in brackets, as [NOTFOUND=return], and may have spaces in them.
            var isAction = false
            let services = parts[1].map { character -> Character in
                if character == "[" { isAction = true }
                defer { if character == "]" { isAction = false } }
                return isAction || character == "]" ? " " : character
            }
            names = String(services).split(whereSeparator: \.isWhitespace).map(String.init)
        }
        guard let names else { return nil }
        self.path = path
        self.names = names
    }

    /// True where one of them asks the servers of resolv.conf, itself or by systemd-resolved.
    var askDNS: Bool { names.contains("dns") || names.contains("resolve") }
}

/// A DNS server outside, as workers have found it.
package struct Server: Sendable, Equatable {
    /// Kind of its last failure.
    package enum Trouble: String, Sendable {
        /// No reply came in time.
        case silent = "no reply"
        /// An ICMP error came, or the connection was refused.
        case refused = "connection refused"
        /// It could not be sent to.
        case unreachable = "cannot be reached"
    }

    /// As `10.0.0.1:53`.
    package var address: String
    /// Questions that failed since its last reply.
    package var failures: Int
    /// Its last failure; nil: there is none since its last reply.
    package var trouble: Trouble?
    /// Time of day of the first of these failures, as `14:05`.
    package var since: String?
    /// Messages since its last reply that had another id or question than was asked.
    package var wrongReplies: Int
    /// True when others are asked before it.
    package var isResting: Bool
    /// True when it asks us in turn, and is not asked.
    package var isLooping: Bool

    /// A server at this address.
    package init(
        _ address: String, failures: Int = 0, trouble: Trouble? = nil, since: String? = nil,
        wrongReplies: Int = 0, isResting: Bool = false, isLooping: Bool = false
    ) {
        self.address = address
        self.failures = failures
        self.trouble = trouble
        self.since = since
        self.wrongReplies = wrongReplies
        self.isResting = isResting
        self.isLooping = isLooping
    }
}

/// Programs that listen on a port of a container or of the host, and what came of a connection to them.
package struct Service: Sendable, Equatable {
    /// End of an attempt to connect from the container that asks.
    package enum Reach: Sendable, Equatable {
        /// The connection came about.
        case open
        /// It was refused.
        case refused
        /// Nothing came back in time.
        case silent
        /// The asker's namespace has no route there.
        case noRoute
        /// The kernel has no way there, in its words.
        case unreachable(String)
        /// Nothing came back, as the service's namespace has no route to this address of the asker's.
        case noWayBack(String)
    }

    /// The container; for the host one without networks and place.
    package var member: Member
    /// True where the host itself is meant.
    package var isHost: Bool
    /// True for a service of neither: an upstream has given its address.
    package var isOutside = false
    /// The asker's network that has the address in one of its subnets, where nobody is known to have it; nil: none.
    package var overlap: Overlap?
    /// False where this host passes no packets of others on; nil: not known.
    package var hostForwards: Bool?
    /// The address that the answer gives.
    package var address: String
    /// Addresses at which the port is open, `0.0.0.0` and `::` for all; nil: not known.
    package var listens: [String]?
    /// End of an attempt to connect; nil: none was made.
    package var reach: Reach?
    /// The address and port that address translation in the asker's namespace leads the attempt to; nil: none is seen.
    package var ledTo: String?
    /// The way there over a bridge that both are on; nil: there is none, or it is not known.
    package var wiring: WiringFacts?

    /// A subnet on this host that an address outside lies in.
    package struct Overlap: Sendable, Equatable {
        /// The network's name.
        package var network: String
        /// As `172.17.0.0/16`.
        package var subnet: String
        /// The host's address on it; nil: it has none.
        package var gateway: String?

        /// A subnet of a network.
        package init(_ network: String, _ subnet: String, gateway: String?) {
            self.network = network
            self.subnet = subnet
            self.gateway = gateway
        }
    }

    /// A port of a container.
    package init(_ member: Member, address: String, listens: [String]?, reach: Reach? = nil) {
        self.member = member
        isHost = false
        self.address = address
        self.listens = listens
        self.reach = reach
    }

    /// A port of the host.
    package init(ofHostAt address: String, listens: [String]?, reach: Reach? = nil) {
        self.init(Member("the host", at: nil, on: []), address: address, listens: listens, reach: reach)
        isHost = true
    }

    /// A port at an address that an upstream has given for a name; whether it is open there, an attempt to connect alone shows.
    package init(outside name: String, at address: String, reach: Reach? = nil) {
        self.init(Member(name, at: nil, on: []), address: address, listens: nil, reach: reach)
        isOutside = true
    }
}
