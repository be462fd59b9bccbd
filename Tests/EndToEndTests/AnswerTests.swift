// The rules of README's table "Who is answered what", asked with dig over UDP and TCP.

import Testing

@Suite("In a namespace, 127.0.0.11 answers", .needsRoot)
struct AnswerTests {
    static let configuration = """
        [server]
        version = "intercom of the tests"
        [forward]
        upstreams = ["127.0.0.1:9"]
        [[network]]
        name = "frontend"
        subnets = ["10.1.0.0/24", "fd00:1::/64"]
        [[network]]
        name = "back.end"
        subnets = ["10.2.0.0/24"]
        ttl = 60
        [[network]]
        name = "elsewhere"
        [[container]]
        name = "web"
        id = "4c01db0b339c8b3a4c01db0b339c8b3a4c01db0b339c8b3a4c01db0b339c8b3a"
        hostname = "www.example"
        networks = [{ name = "frontend", ip = ["10.1.0.2", "fd00:1::2"], alias = ["site", "*.app.test", "*.x.app.test", "exact.app.test"] }]
        ports = ["80/tcp=http", "53/udp"]
        [[container]]
        name = "db"
        networks = [{ name = "back.end", ip = ["10.2.0.2"], alias = ["_under_score", "deep.x.app.test"] }]
        [[container]]
        name = "both"
        networks = [{ name = "back.end", ip = ["10.2.0.3"], alias = ["web"] }, { name = "frontend", ip = ["10.1.0.3"] }]
        [[container]]
        name = "ai"
        networks = [{ name = "frontend", ip = ["10.1.0.4"] }]
        [[container]]
        name = "stranger"
        networks = [{ name = "elsewhere", ip = ["10.3.0.2"] }]
        """

    struct Case: CustomStringConvertible {
        var question: [String]
        var status: String
        var data: [String]
        /// The owner of the SOA record in the authority section.
        var negative: String?
        var description: String { question.joined(separator: " ") }

        init(_ question: String, _ status: String = "NOERROR", _ data: [String] = [], negative: String? = nil) {
            self.question = question.split(separator: " ").map(String.init)
            self.status = status
            self.data = data
            self.negative = negative
        }
    }

    static let cases = [
        // A container's names, in every form.
        Case("web", "NOERROR", ["10.1.0.2"]),
        Case("WeB.", "NOERROR", ["10.1.0.2"]),
        Case("web AAAA", "NOERROR", ["fd00:1::2"]),
        Case("web.frontend", "NOERROR", ["10.1.0.2"]),
        Case("web.internal", "NOERROR", ["10.1.0.2"]),
        Case("web.frontend.internal", "NOERROR", ["10.1.0.2"]),
        Case("site.frontend", "NOERROR", ["10.1.0.2"]),
        Case("www.example", "NOERROR", ["10.1.0.2"]),
        Case("4c01db0b339c", "NOERROR", ["10.1.0.2"]),
        // Types that a name lacks: it exists all the same.
        Case("web MX", negative: "."),
        Case("web HTTPS", negative: "."),
        Case("web SVCB", negative: "."),
        Case("web TXT", negative: "."),
        Case("web TYPE65280", negative: "."),
        Case("web.frontend.internal TXT", negative: "internal."),
        Case("ai AAAA", negative: "."),
        Case("web ANY", "NOERROR", ["\"RFC8482\" \"\""]),
        // Services.
        Case("_http._tcp.web SRV", "NOERROR", ["0 0 80 web.frontend.internal."]),
        Case("_80._tcp.site SRV", "NOERROR", ["0 0 80 web.frontend.internal."]),
        Case("_53._udp.web.frontend SRV", "NOERROR", ["0 0 53 web.frontend.internal."]),
        Case("_http._tcp.web A", negative: "."),
        Case("_ldap._tcp.web SRV", "NXDOMAIN", negative: "."),
        // Wildcards: an exact name before any, the longest before shorter ones.
        Case("foo.app.test", "NOERROR", ["10.1.0.2"]),
        Case("a.b.app.test", "NOERROR", ["10.1.0.2"]),
        Case("exact.app.test", "NOERROR", ["10.1.0.2"]),
        // Addresses.
        Case("-x 10.1.0.2", "NOERROR", ["web.frontend.internal."]),
        Case("-x fd00:1::2", "NOERROR", ["web.frontend.internal."]),
        Case("-x 10.1.0.99", "NXDOMAIN", negative: "."),
        Case("2.0.1.10.in-addr.arpa A", negative: "."),
        // The zones of my networks' subnets do not leave, either.
        Case("0.1.10.in-addr.arpa SOA", negative: "."),
        Case("lb._dns-sd._udp.0.1.10.in-addr.arpa PTR", "NXDOMAIN", negative: "."),
        Case("1.2.0.1.10.in-addr.arpa PTR", "NXDOMAIN", negative: "."),
        // Names that nobody has here, and those of networks that this container is not on: no difference.
        Case("nobody", "NXDOMAIN", negative: "."),
        Case("db", "NXDOMAIN", negative: "."),
        Case("db.back.end.internal", "NXDOMAIN", negative: "internal."),
        Case("nobody.internal", "NXDOMAIN", negative: "internal."),
        // Names with others beneath them exist, and have no records; what is beneath names of ours stays here.
        Case("internal", negative: "internal."),
        Case("internal SOA", "NOERROR", [". . 1 3600 600 86400 5"]),
        Case("frontend", negative: "."),
        Case("frontend.internal", negative: "internal."),
        Case("_tcp.web", negative: "."),
        Case("_tcp.web.frontend.internal", negative: "internal."),
        Case("test", negative: "."),
        Case("elsewhere", "NXDOMAIN", negative: "."),
        Case("elsewhere.internal", "NXDOMAIN", negative: "internal."),
        Case("_dmarc.web TXT", "NXDOMAIN", negative: "."),
        Case("_8443._https.web HTTPS", "NXDOMAIN", negative: "."),
        // Addresses of the loopback interface.
        Case("-x 127.0.0.1", "NOERROR", ["localhost."]),
        Case("-x 127.8.9.10", "NOERROR", ["localhost."]),
        Case("-x ::1", "NOERROR", ["localhost."]),
        Case("1.0.0.127.in-addr.arpa A", negative: "."),
        Case("0.127.in-addr.arpa", negative: "."),
        Case("x.1.0.0.127.in-addr.arpa PTR", "NXDOMAIN", negative: "."),
        // Asked without recursion: local names are answered, of outside names neighbours' answers are not told.
        Case("web +norecurse", "NOERROR", ["10.1.0.2"]),
        Case("nobody +norecurse", "NXDOMAIN", negative: "."),
        Case("www.example.net +norecurse", "REFUSED"),
        Case("dev DS +norecurse", "REFUSED"),
        Case("stranger.elsewhere.internal", "NXDOMAIN", negative: "internal."),
        // Special-use names.
        Case("localhost", "NOERROR", ["127.0.0.1"]),
        Case("a.localhost AAAA", "NOERROR", ["::1"]),
        Case("localhost MX", negative: "."),
        Case("foo.invalid", "NXDOMAIN", negative: "."),
        Case("foo.onion", "NXDOMAIN", negative: "."),
        Case("_dns.resolver.arpa SVCB", negative: "."),
        // Queries that are no questions about names.
        Case("web AXFR +tcp +noall +comments", "REFUSED"),
        Case("version.bind CH TXT", "NOERROR", ["\"intercom of the tests\""]),
        Case("id.server CH TXT", "REFUSED"),
        Case("web CH A", "REFUSED"),
        Case("web +opcode=STATUS", "NOTIMP"),
        Case("web +edns=1 +noednsnegotiation", "BADVERS"),
    ]

    @Test("what the design promises, over UDP and TCP alike")
    func answers() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("app", "--network", "frontend,ip=10.1.0.5")
            for transport in ["+notcp", "+tcp"] {
                for one in Self.cases {
                    // dig itself asks for a zone transfer over TCP only, and prints it in a form of its own.
                    if one.question.contains("AXFR"), transport == "+notcp" { continue }
                    let output = try house.run(
                        in: "app",
                        ["dig", "@127.0.0.11", "+timeout=6", "+tries=1", "+noadflag", "+nocookie", transport]
                            + one.question)
                    let reply = Reply(output)
                    if one.question.contains("AXFR") {
                        #expect(output.out.contains("Transfer failed"), "\(one): \(reply)")
                        continue
                    }
                    #expect(reply.status == one.status, "\(one) \(transport): \(reply)")
                    #expect(reply.data == one.data, "\(one) \(transport): \(reply)")
                    #expect(reply.flags.contains("ra") == (one.status != "NOTIMP"), "\(one): \(reply)")
                    let hasRD = one.status != "NOTIMP" && !one.question.contains("+norecurse")
                    #expect(reply.flags.contains("rd") == hasRD, "\(one): \(reply)")
                    #expect(reply.flags.isDisjoint(with: ["ad", "cd"]), "\(one): \(reply)")
                    if let owner = one.negative {
                        let record = try #require(reply.authority.first, "\(one): \(reply)")
                        #expect(record.hasPrefix("\(owner) 5 IN SOA . . "), "\(one): \(record)")
                    }
                }
            }
        }
    }

    @Test("each container by the networks it is on, the first network first, with the network's TTL")
    func views() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("one", "--network", "back.end,ip=10.2.0.10")
            try house.container("two", "--network", "back.end,ip=10.2.0.11", "--network", "frontend,ip=10.1.0.11")
            try house.container("three", "--network", "frontend,ip=10.1.0.12", "--network", "back.end,ip=10.2.0.12")
            try house.container("none")
            #expect(try house.dig("one", "web").answer == ["web. 60 IN A 10.2.0.3"])
            #expect(try house.dig("two", "web").data == ["10.2.0.3"])
            #expect(try house.dig("three", "web").data == ["10.1.0.2"])
            #expect(try house.dig("two", "web.frontend").data == ["10.1.0.2"])
            #expect(try house.dig("three", "web.back.end").data == ["10.2.0.3"])
            #expect(try house.dig("three", "db.back.end.internal").data == ["10.2.0.2"])
            #expect(try house.dig("one", "_under_score").data == ["10.2.0.2"])
            #expect(try house.dig("three", "y.x.app.test").data == ["10.1.0.2"])
            #expect(
                try house.dig("three", "deep.x.app.test").data == ["10.2.0.2"],
                "an exact name on a later network comes before a wildcard")
            #expect(try house.dig("two", "-x", "10.1.0.2").data == ["web.frontend.internal."])
            #expect(try house.dig("one", "-x", "10.1.0.2").status != "NOERROR", "of a network that it is not on")
            #expect(try house.dig("none", "web").status == "NXDOMAIN")
            let blocked = try house.dig("none", "www.example.net")
            #expect(blocked.status == "NXDOMAIN" && blocked.output.out.contains("EDE: 15 (Blocked)"), "\(blocked)")
        }
    }

    @Test("the question as it was spelled, and EDNS only to who speaks it")
    func echo() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("app", "--network", "frontend")
            let mixed = try house.dig("app", "wEb.FronTEND")
            #expect(mixed.output.out.contains(";wEb.FronTEND."), "\(mixed)")
            #expect(mixed.answer == ["wEb.FronTEND. 5 IN A 10.1.0.2"])
            #expect(mixed.output.out.contains("EDNS: version: 0, flags:; udp: 1232"), "\(mixed)")
            #expect(try !house.dig("app", "+noedns", "web").output.out.contains("EDNS"))
            #expect(try house.dig("app", "+dnssec", "web").output.out.contains("flags: do;"))
            #expect(try house.dig("app", "+norecurse", "web").flags == ["qr", "aa", "ra"])
            #expect(try house.dig("app", "+cdflag", "web").flags.contains("cd"))
        }
    }

    @Test(
        "500 addresses behind one name: as many over UDP as the client takes, whole over TCP, another first each time")
    func manyAddresses() throws {
        var configuration = "[[network]]\nname = \"n\"\n"
        for number in 0..<500 {
            configuration += """
                [[container]]
                name = "r\(number)"
                networks = [{ name = "n", ip = ["10.9.\(number / 250).\(number % 250 + 1)"], alias = ["all"] }]

                """
        }
        try House.lend(configuration: configuration) { house in
            try house.container("app", "--network", "n")
            let small = try house.dig("app", "+noedns", "+ignore", "all")
            #expect(small.flags.contains("tc") && small.answer.count == (512 - 12 - 9) / 16, "\(small.answer.count)")
            let edns = try house.dig("app", "+bufsize=4096", "+ignore", "all")
            #expect(edns.flags.contains("tc") && edns.answer.count == (4096 - 12 - 9 - 11) / 16, "\(edns.answer.count)")
            let large = try house.dig("app", "+bufsize=8192", "+ignore", "all")
            #expect(!large.flags.contains("tc") && Set(large.data).count == 500, "on the loopback interface all fits")
            let whole = try house.dig("app", "all")
            #expect(!whole.flags.contains("tc") && Set(whole.data).count == 500, "over TCP after TC")
            let firsts = try Set((0..<4).map { _ in try house.dig("app", "+tcp", "all").answer.first ?? "" })
            #expect(firsts.count == 4, "rotated: \(firsts)")
        }
    }

    @Test("every libc's client: getent, nslookup, Python's sockets")
    func clients() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("app", "--network", "frontend,ip=10.1.0.5")
            #expect(try house.run(in: "app", ["getent", "hosts", "db"]).status == 2)
            let hosts = try house.run(in: "app", ["getent", "ahosts", "web"]).out
            #expect(hosts.contains("10.1.0.2") && hosts.contains("fd00:1::2"), "\(hosts)")
            #expect(try house.run(in: "app", ["getent", "hosts", "10.1.0.2"]).out.contains("web.frontend.internal"))
            let lookup = try house.run(in: "app", ["nslookup", "web"])
            #expect(
                lookup.out.contains("Server:\t\t127.0.0.11") && lookup.out.contains("Address: 10.1.0.2"), "\(lookup)")
            let python = try house.python(in: "app", "import socket; print(socket.gethostbyname('web'))")
            #expect(python.text == "10.1.0.2", "\(python)")
        }
    }
}
