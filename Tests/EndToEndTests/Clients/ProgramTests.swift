// Programs of all kinds in a container: each finds a neighbour, an alias, a name of outside, and a name of 500 addresses.

import Foundation
import Testing

/// A program that looks a name up, and what it may be expected to print.
struct AskingProgram: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// The program that has to be installed for it.
    let needs: String
    /// Its arguments; `NAME` stands for the name that is looked up.
    let command: [String]
    /// The families that it looks up.
    var families: Set<Int> = [4, 6]
    /// Number of addresses that it prints at least, if there are so many: some take few, or what fits into a datagram.
    var limit = Int.max

    init(
        _ description: String, _ command: [String], _ families: Set<Int> = [4, 6], limit: Int = .max,
        needs: String? = nil
    ) {
        testDescription = description
        self.command = command
        self.families = families
        self.limit = limit
        self.needs = needs ?? command.first ?? ""
    }

    /// Programs that `make test` installs, or that Debian has from the start.
    static let small = [
        AskingProgram("glibc's getent", ["getent", "ahosts", "NAME"]),
        AskingProgram("glibc's getent, IPv4 alone", ["getent", "ahostsv4", "NAME"], [4]),
        AskingProgram("nslookup of BIND", ["nslookup", "NAME"]),
        AskingProgram("host of BIND", ["host", "NAME"]),
        AskingProgram("dig of BIND", ["dig", "+short", "+search", "NAME"], [4]),
        AskingProgram("nslookup of busybox: what fits into 512 octets", ["busybox", "nslookup", "NAME"], limit: 20),
        AskingProgram(
            "Python's socket.getaddrinfo",
            [
                "python3", "-c", "import socket, sys\nfor a in socket.getaddrinfo(sys.argv[1], 80): print(a[4][0])",
                "NAME",
            ]),
        AskingProgram(
            "Python's socket.gethostbyname_ex",
            ["python3", "-c", "import socket, sys\nprint(socket.gethostbyname_ex(sys.argv[1])[2])", "NAME"], [4]),
        AskingProgram(
            "Perl's Socket",
            [
                "perl", "-MSocket=:addrinfo", "-e",
                """
                my ($error, @all) = getaddrinfo($ARGV[0], "80", {socktype => Socket::SOCK_STREAM}); die $error if $error;
                for (@all) { my ($e, $host) = getnameinfo($_->{addr}, NI_NUMERICHOST); print "$host\\n" }
                """, "NAME",
            ]),
    ]

    /// Those of larger packages, which `make test-clients` uses where they are installed.
    static let large = [
        AskingProgram("PHP's gethostbynamel", ["php", "-r", "print_r(gethostbynamel($argv[1]));", "NAME"], [4]),
        AskingProgram(
            "PHP's dns_get_record",
            ["php", "-r", "foreach (dns_get_record($argv[1], DNS_A) as $r) echo $r['ip'], \"\\n\";", "NAME"], [4]),
        AskingProgram(
            "Ruby's Addrinfo",
            ["ruby", "-rsocket", "-e", "puts Addrinfo.getaddrinfo(ARGV[0], 80).map(&:ip_address)", "NAME"]),
        AskingProgram(
            "Ruby's Resolv",
            ["ruby", "-rresolv", "-e", "puts Resolv::DNS.new.getaddresses(ARGV[0]).map(&:to_s)", "NAME"]),
        AskingProgram("node's dns.lookup", ["node", Programs.source("lookup.js"), "46", "0", "NAME"]),
        AskingProgram(
            "node's dns.resolve (c-ares)", ["node", Programs.source("lookup.js"), "46", "0", "NAME", "resolve"]),
        AskingProgram(
            "Java's InetAddress", ["java", Programs.source("Lookup.java"), "46", "0", "NAME"], needs: "javac"),
        AskingProgram(
            "wget, which prints three", ["wget", "--spider", "--tries=1", "--timeout=1", "http://NAME/"], limit: 1),
        AskingProgram("curl", ["curl", "-sv", "--max-time", "2", "http://NAME/"], limit: 1),
    ]
}

@Suite("Looking up a neighbour, an alias, a name of outside and one of 500 addresses, in a container", .needsRoot)
struct ProgramTests {
    private static let crowd = 500

    private static var configuration: String {
        var text = ForwardingTests.configuration("127.0.0.5") + "\n" + House.undiscovered
        text += "[[container]]\nname = \"web\"\n"
        text += "networks = [{ name = \"n\", ip = [\"10.0.0.2\", \"fd00::2\"], alias = [\"site\"] }]\n"
        for address in crowded {
            text += "[[container]]\nname = \"c-\(address.replacingOccurrences(of: ".", with: "-"))\"\n"
            text += "networks = [{ name = \"n\", ip = [\"\(address)\"], alias = [\"crowd\"] }]\n"
        }
        return text
    }

    private static var crowded: [String] { (0..<crowd).map { "10.1.\($0 / 250).\($0 % 250 + 1)" } }

    /// The addresses of each name.
    private static let names: [(name: String, addresses: [String])] = [
        ("web", ["10.0.0.2", "fd00::2"]), ("site", ["10.0.0.2", "fd00::2"]),
        ("web.n.internal", ["10.0.0.2", "fd00::2"]), ("www.example", ["192.0.2.1"]), ("crowd", crowded),
    ]

    /// Looks all names up with a program.
    private func check(_ program: AskingProgram, in house: House) throws {
        for (name, addresses) in Self.names {
            let command = program.command.map { $0.replacingOccurrences(of: "NAME", with: name) }
            let output = try house.run(in: "app", command)
            let all = Set(addresses.filter { program.families.contains($0.contains(":") ? 6 : 4) })
            let found = printed(in: output)
            #expect(found.isSubset(of: all), "\(program) \(name): \(found.subtracting(all).sorted().prefix(5))")
            #expect(
                found.count >= min(program.limit, all.count),
                "\(program) \(name): \(found.count) of \(all.count)\n\(output.err)")
        }
    }

    /// Output of a program about our addresses and those of the upstream.
    private func printed(in output: Output) -> Set<String> {
        let isOfAddress: (Character) -> Bool = { $0.isHexDigit || $0 == ":" || $0 == "." }
        let words = (output.out + "\n" + output.err).split { !isOfAddress($0) }.map { word in
            // As curl prints them: "10.0.0.2:80...".
            String(word).replacingOccurrences(of: ":80...", with: "")
        }
        let isOurs: (String) -> Bool = { word in
            ["10.0.", "10.1.", "192.0.2.", "fd00:"].contains { word.hasPrefix($0) }
        }
        return Set(words.map { $0.replacingOccurrences(of: "fd00:0:0:0:0:0:0:2", with: "fd00::2") }.filter(isOurs))
    }

    /// Lends a house with the names, their upstream and a container that looks them up.
    private func lend(_ body: (House) throws -> Void) throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.startUpstream("127.0.0.5")
            try house.routedContainer("app", "--network", "n,ip=10.9.0.2")
            try body(house)
        }
    }

    @Test("is what every program of a small system can")
    func small() throws {
        try lend { house in
            let musl = try Programs.lookup("musl-gcc", in: house)
            // MAXADDRS of musl's lookup.h is 48; of A records 30 fit into its 512 octets.
            let programs = AskingProgram.small + [AskingProgram("musl", [musl, "46", "0", "NAME"], limit: 20)]
            for program in programs { try check(program, in: house) }
        }
    }

    @Test("is what programs of larger packages can, those that are installed", .needsClients)
    func large() throws {
        try lend { house in
            for program in AskingProgram.large where Programs.isThere(program.needs) { try check(program, in: house) }
            guard Programs.isThere("go") else { return }
            let go = try Programs.goLookup(in: house)
            try check(AskingProgram("Go's resolver", [go, "46", "0", "NAME"]), in: house)
        }
    }
}
