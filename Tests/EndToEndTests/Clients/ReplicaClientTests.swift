// Replicas are balanced for programs as they are: who is first in what a library gives its program.

import Foundation
import Testing

@Suite("Of the replicas of one name, each is first for", .needsRoot)
struct ReplicaClientTests {
    @Test(
        "about one lookup in as many as there are, of A, AAAA and both, over UDP and over TCP after it",
        arguments: ["gcc", "musl-gcc"])
    func libc(compiler: String) throws {
        try House.lend(configuration: ReplicaTown.configuration()) { house in
            let program = try Programs.lookup(compiler, in: house)
            try house.routedContainer("app", "--network", "n,ip=10.9.0.2")
            for count in ReplicaTown.sizes {
                for families in ["4", "6", "46"] {
                    for name in [ReplicaTown.name(count), ReplicaTown.longName(count)] {
                        try check([program], families, count, name, in: house)
                    }
                }
            }
        }
    }

    @Test("a program of Go, Java and node, over UDP and over TCP after it", .needsClients)
    func runtimes() throws {
        try House.lend(configuration: ReplicaTown.configuration()) { house in
            try house.routedContainer("app", "--network", "n,ip=10.9.0.2")
            var programs: [[String]] = []
            if Programs.isThere("go") { programs.append([try Programs.goLookup(in: house)]) }
            if Programs.isThere("node") { programs.append(["node", Programs.source("lookup.js")]) }
            if Programs.isThere("javac") {
                try Command.must(["javac", "-d", house.directory, Programs.source("Lookup.java")])
                programs.append(["java", "-cp", house.directory, "Lookup"])
            }
            for program in programs {
                for count in ReplicaTown.sizes {
                    for name in [ReplicaTown.name(count), ReplicaTown.longName(count)] {
                        try check(program, "46", count, name, in: house)
                    }
                }
            }
            guard Programs.isThere("node") else { return }
            let script = "\(house.directory)/resolve.sh"
            try "exec node '\(Programs.source("lookup.js"))' \"$@\" resolve\n"
                .write(toFile: script, atomically: true, encoding: .utf8)
            for count in ReplicaTown.sizes {
                try check(["sh", script], "46", count, ReplicaTown.name(count), in: house)
            }
        }
    }

    @Test("curl, which connects to the first of each family", .needsClients, arguments: [2, 3, 4])
    func curl(count: Int) throws {
        try House.lend(configuration: ReplicaTown.configuration([count])) { house in
            try house.routedContainer("app", "--network", "n,ip=10.9.0.2")
            try check(["sh", Programs.source("curl.sh")], "46", count, ReplicaTown.name(count), in: house)
        }
    }

    private func check(
        _ program: [String], _ families: String, _ count: Int, _ name: String, in house: House
    ) throws {
        let lookups = String(Firsts.each * count)
        // Thousands of lookups over TCP: a busy machine takes minutes for them.
        let output = try house.run(in: "app", program + [families, lookups, name], within: 300)
        #expect(output.status == 0, "\(name): \(output.err)")
        let firsts = Firsts(of: count, output.lines)
        #expect(firsts.areEven(families), "\(name) \(families): \(firsts)")
        if families == "46" { #expect(firsts.areNotTied, "\(name): \(firsts)") }
    }

    @Test("a program beside another that asks the same")
    func beside() throws {
        try House.lend(configuration: ReplicaTown.configuration([4])) { house in
            let program = try Programs.lookup("gcc", in: house)
            try house.routedContainer("app", "--network", "n,ip=10.9.0.2")
            // A health check of one family, for as long as the other looks up both.
            try house.start(in: "app", [program, "4", "1000000", ReplicaTown.name(4)], log: "beside")
            try check([program], "46", 4, ReplicaTown.name(4), in: house)
        }
    }

    @Test("kept answers of an upstream, too: dnsmasq with four addresses, asked once", arguments: ["gcc", "musl-gcc"])
    func kept(compiler: String) throws {
        let configuration = House.undiscovered + "[forward]\nupstreams = [\"127.0.0.5\"]\n[[network]]\nname = \"n\"\n"
        try House.lend(configuration: configuration) { house in
            let addresses = (1...4).flatMap { ["192.0.2.\($0)", "2001:db8::\($0)"] }
            try house.startDNSMasq(
                in: "house", at: "127.0.0.5",
                ["--local-ttl=600", "--log-queries"] + addresses.map { "--host-record=four.example,\($0)" })
            let program = try Programs.lookup(compiler, in: house)
            try house.routedContainer("app", "--network", "n,ip=10.9.0.2")
            for families in ["4", "6", "46"] { try check([program], families, 4, "four.example", in: house) }
            let log = try String(contentsOfFile: "\(house.directory)/dnsmasq-127.0.0.5", encoding: .utf8)
            let asked = log.split(separator: "\n").count { $0.contains("query[A") && $0.contains("four.example") }
            #expect(asked == 2, "A and AAAA once each: \(log)")
        }
    }
}
