// The programs that ask: glibc, which asks A and AAAA at once on one socket, and musl, which asks all servers at once.

import Foundation
import Testing

@Suite("A program in a container", .needsRoot)
struct LibcTests {
    @Test(
        "that uses glibc resolves names at once, however it asks",
        arguments: [
            "", "edns0", "use-vc", "edns0 use-vc trust-ad", "single-request", "single-request-reopen", "rotate",
        ])
    func glibc(options: String) throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n,ip=10.0.0.2")
            for (name, addresses) in [
                ("ai", ["10.0.0.9"]), ("www.example", ["192.0.2.1"]), ("delayed.example", ["192.0.2.1"]),
                ("app", ["10.0.0.2"]), ("nothing.example", []), ("nobody", []),
            ] {
                let start = ContinuousClock.now
                let output = try house.run(
                    in: "app", ["env", "RES_OPTIONS=\(options)", "getent", "ahosts", name])
                #expect(
                    Set(output.lines.compactMap { $0.split(separator: " ").first.map(String.init) }) == Set(addresses))
                // A second of libc's patience or ours is a bug; five are the bug that everybody knows.
                #expect(ContinuousClock.now - start < .seconds(1), "\(name)")
            }
            let both = try house.run(in: "app", ["env", "RES_OPTIONS=\(options)", "getent", "ahosts", "big.example"])
            #expect(both.lines.count == 300, "A and AAAA, over TCP where they do not fit: \(both)")
            if options.contains("use-vc") {
                #expect(house.queries(of: "127.0.0.5").contains("udp www.example. 1"), "TCP is between it and us alone")
            }
        }
    }

    @Test("that uses musl resolves names at once, with one server and with several")
    func musl() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            let source = """
                #include <netdb.h>
                #include <stdio.h>
                #include <arpa/inet.h>
                int main(int count, char **names) {
                    for (int i = 1; i < count; i++) {
                        struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = 0;
                        int failure = getaddrinfo(names[i], 0, &hints, &all);
                        printf("%s", names[i]);
                        if (failure) printf(" %s", gai_strerror(failure));
                        for (; all; all = all->ai_next) {
                            char text[64];
                            getnameinfo(all->ai_addr, all->ai_addrlen, text, sizeof text, 0, 0, NI_NUMERICHOST);
                            printf(" %s", text);
                        }
                        printf("\\n");
                    }
                }
                """
            let program = "\(house.directory)/lookup"
            try source.write(toFile: "\(program).c", atomically: true, encoding: .utf8)
            try Command.must(["musl-gcc", "-static", "-o", program, "\(program).c"])
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n,ip=10.0.0.2")
            let file = house.file("/etc/netns/app/resolv.conf")
            for servers in [1, 3] {
                let text = String(repeating: "nameserver 127.0.0.11\n", count: servers) + "options ndots:1\n"
                try text.write(toFile: file, atomically: true, encoding: .utf8)
                let start = ContinuousClock.now
                let output = try house.run(
                    in: "app",
                    [program, "ai", "app.n.internal", "www.example", "delayed.example", "nothing.example", "nobody"])
                #expect(
                    output.lines == [
                        "ai 10.0.0.9", "app.n.internal 10.0.0.2", "www.example 192.0.2.1", "delayed.example 192.0.2.1",
                        "nothing.example Name does not resolve", "nobody Name does not resolve",
                    ], "\(output)")
                #expect(ContinuousClock.now - start < .seconds(2))
            }
        }
    }
}
