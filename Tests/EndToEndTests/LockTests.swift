// A lock: in the namespace of a container with a policy, nobody but our listener is asked for names.

import Foundation
import Testing

@Suite("A container whose policy locks DNS", .needsRoot)
struct LockTests {
    /// Tries port 53 and 853 of the servers given, over UDP and TCP; a line each: server, port, transport, outcome.
    private static let ask = """
        import errno, socket, sys
        question = bytes.fromhex("000101000001000000000000") + b"\\x03www\\x07example\\0\\0\\1\\0\\1"
        for server in sys.argv[1:]:
            family = socket.AF_INET6 if ":" in server else socket.AF_INET
            for port in (53, 853):
                for kind, name in ((socket.SOCK_DGRAM, "udp"), (socket.SOCK_STREAM, "tcp")):
                    with socket.socket(family, kind) as asker:
                        asker.settimeout(2)
                        try:
                            asker.connect((server, port))
                            asker.send(question if kind == socket.SOCK_DGRAM else b"\\0" + bytes([len(question)]) + question)
                            outcome = "answered" if asker.recv(512) else "closed"
                        except OSError as error:
                            outcome = errno.errorcode.get(error.errno, "silence")
                    print(server, port, name, outcome)
        """
    /// Errors that a program gets at once: of datagrams by its own kernel, of connections by ICMP and ICMPv6.
    private static let refusals: Set = ["EPERM", "EHOSTUNREACH", "EACCES"]
    private static let gateways = ["10.1.0.1", "fd00:1::1"]

    /// A container `box` on a bridge; its gateway answers at 10.1.0.1 and fd00:1::1.
    private func lend(_ body: (House) throws -> Void) throws {
        let configuration = """
            \(House.undiscovered)[[policy]]
            name = "fixed"
            allow = ["web"]
            [[network]]
            name = "n"

            """
        try House.lend(configuration: configuration) { house in
            try house.bridge("br0", "10.1.0.1/24")
            try house.ip("addr add fd00:1::1/64 dev br0 nodad")
            try house.plug("box", into: "br0", "10.1.0.2/24")
            try house.ip(in: "box", "addr add fd00:1::2/64 dev eth0 nodad")
            for address in Self.gateways { try house.startDNSMasq(in: "house", at: address, "--address=/#/192.0.2.9") }
            try body(house)
        }
    }

    /// Outcomes of asking both gateways at port 53.
    private func outcomes(_ house: House) throws -> Set<String> {
        let lines = try house.python(in: "box", Self.ask, Self.gateways).lines.filter { $0.contains(" 53 ") }
        return Set(lines.map { String($0.split(separator: " ").last ?? "") })
    }

    private func add(_ house: House, _ policy: String, _ options: String...) throws {
        let output = try house.ctl(
            ["container", "add", "box", "--netns", house.path("box"), "--network", "n,ip=10.0.0.2", "--policy", policy]
                + options)
        #expect(output.status == 0, "\(output)")
    }

    @Test("reaches no other server over UDP, TCP, TLS or IPv6, is told at once, and is answered by our listener")
    func refused() throws {
        try lend { house in
            #expect(try outcomes(house) == ["answered"])
            try add(house, "fixed")
            let output = try house.python(in: "box", Self.ask, Self.gateways)
            let refused = output.lines.filter { line in Self.refusals.contains { line.hasSuffix(" \($0)") } }
            #expect(refused.count == 8, "\(output)")
            #expect(try house.dig("box", "box").data == ["10.0.0.2"])
            #expect(try house.dig("box", "box", "+tcp").data == ["10.0.0.2"])
            // The others are not concerned.
            #expect(try house.run(in: "house", ["nft", "list", "ruleset"]).text == "")
            try house.mustCtl("container", "rm", "box")
            #expect(try outcomes(house) == ["answered"], "gone with the container")
        }
    }

    @Test(
        "is locked and unlocked when a command of its policy returns, not under audit, and over a crash of the daemon")
    func live() throws {
        try lend { house in
            try house.mustCtl("policy", "set", "gate", "--default", "allow")
            try add(house, "gate", "--intercept", "10.1.0.1")
            #expect(try outcomes(house) == ["answered"])
            for (options, isLocked) in [
                (["--lock"], true), (["--no-lock"], false), (["--default", "deny", "--lock"], true),
                (["--audit"], false), (["--no-audit"], true),
            ] {
                let output = try house.ctl(["policy", "set", "gate"] + options)
                #expect(output.status == 0, "\(output)")
                // 10.1.0.1 is led to our listener, and answered.
                let found = try outcomes(house)
                #expect(found.contains("answered") && !found.isDisjoint(with: Self.refusals) == isLocked, "\(options)")
            }
            try house.run(in: "box", ["nft", "flush", "ruleset"])
            #expect(try eventually { try outcomes(house).contains { $0 != "answered" } }, "it is set again")
            try house.crashDaemon()
            #expect(try outcomes(house).contains { $0 != "answered" })
            #expect(try house.dig("box", "box").data == ["10.0.0.2"])
        }
    }
}
