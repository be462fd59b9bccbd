// haproxy finds the servers of its backends by DNS over UDP alone: an answer that it cannot take whole gives it no server.

import Foundation
import Testing

@Suite("haproxy with resolvers", .needsRoot)
struct HAProxyTests {
    static let services = [75, 200, 500]
    static let targets = 40

    /// Services of many addresses, and one of many targets.
    private static var configuration: String {
        var text = House.undiscovered + "[[network]]\nname = \"n\"\n"
        for (place, count) in services.enumerated() {
            for number in 0..<count {
                let address = "10.\(place + 1).\(number / 250).\(number % 250 + 1)"
                text += "[[container]]\nname = \"a\(count)-\(number)\"\n"
                text += "networks = [{ name = \"n\", ip = [\"\(address)\"], alias = [\"web-\(count)\"] }]\n"
            }
        }
        for number in 1...targets {
            text += "[[container]]\nname = \"target-\(number)\"\nports = [\"80=http\"]\n"
            text += "networks = [{ name = \"n\", ip = [\"10.9.1.\(number)\"], alias = [\"shop\"] }]\n"
        }
        return text
    }

    private static func haproxy(_ directory: String) -> String {
        var text = """
            global
              stats socket \(directory)/haproxy.sock
            defaults
              mode http
              timeout connect 1s
              timeout client 1s
              timeout server 1s
            resolvers container
              nameserver intercom 127.0.0.11:53
              accepted_payload_size 8192
              timeout resolve 1s
              timeout retry 1s
            backend shop
              server-template s \(targets) _http._tcp.shop.n.internal resolvers container resolve-prefer ipv4 init-addr none

            """
        for count in services {
            text += """
                backend web-\(count)
                  server-template s \(count) web-\(count).n.internal:80 resolvers container resolve-prefer ipv4 init-addr none

                """
        }
        return text
    }

    @Test("finds services of 75, 200 and 500 addresses, and one of 40 SRV targets")
    func servers() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("proxy", "--network", "n,ip=10.9.0.2")
            let file = "\(house.directory)/haproxy.cfg"
            try Self.haproxy(house.directory).write(toFile: file, atomically: true, encoding: .utf8)
            try house.start(in: "proxy", ["haproxy", "-db", "-f", file], log: "haproxy")
            for (backend, count) in Self.services.map({ ("web-\($0)", $0) }) + [("shop", Self.targets)] {
                var found = 0
                let isComplete = try eventually(within: 30) {
                    found = try servers(of: backend, in: house)
                    return found == count
                }
                #expect(isComplete, "\(backend): \(found) of \(count)")
            }
        }
    }

    /// Number of different addresses that the servers of a backend have.
    private func servers(of backend: String, in house: House) throws -> Int {
        let output = try house.python(
            in: "proxy",
            """
            import socket, sys
            s = socket.socket(socket.AF_UNIX)
            s.connect(sys.argv[1])
            s.sendall(b"show servers state %s\\n" % sys.argv[2].encode())
            lines = s.makefile().read().splitlines()
            fields = lines[1].lstrip("# ").split()
            servers = [dict(zip(fields, line.split())) for line in lines[2:] if line]
            print(len({server["srv_addr"] for server in servers} - {"-"}))
            """, ["\(house.directory)/haproxy.sock", backend])
        return Int(output.text) ?? 0
    }

    @Test(
        "an SRV answer that does not fit has what fits, and TC; over TCP all", arguments: ["+bufsize=512", "+noedns"])
    func truncated(edns: String) throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("app", "--network", "n,ip=10.9.0.2")
            let service = "_http._tcp.shop.n.internal"
            let cut = try house.dig("app", edns, "+ignore", service, "SRV")
            #expect(cut.flags.contains("tc") && cut.answer.count >= 8 && cut.answer.count < Self.targets, "\(cut)")
            let whole = try house.dig("app", edns, "+tcp", service, "SRV")
            #expect(Set(whole.answer).count == Self.targets && Set(whole.answer).isSuperset(of: cut.answer), "\(whole)")
            let fitting = try house.dig("app", "+bufsize=8192", "+ignore", service, "SRV")
            #expect(!fitting.flags.contains("tc") && fitting.answer.count == Self.targets, "\(fitting)")
        }
    }
}
