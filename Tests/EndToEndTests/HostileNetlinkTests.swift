// A container whose root means harm by netlink: objects of nftables, junk for our sockets, numbers of namespaces.

import Foundation
import Testing

@Suite("A container that attacks by netlink", .needsRoot)
struct HostileNetlinkTests {
    private static let redirected = """
        [server]
        workers = 1
        listen = "redirect"
        [[network]]
        name = "n"
        """

    private func isAnswered(_ container: String, _ house: House, within seconds: Double = 30) throws -> Bool {
        try eventually(within: seconds) {
            try house.run(in: container, ["dig", "@127.0.0.11", "+short", "+timeout=1", "+tries=1", "web"]).text
                == "10.0.0.2"
        }
    }

    // MARK: - nftables

    @Test("cannot end the daemon by objects of nftables that crash libnftables, nor its start; the rules are repaired")
    func objects() throws {
        try House.lend(configuration: Self.redirected) { house in
            try house.container("web", "--network", "n,ip=10.0.0.2")
            let daemon = try #require(house.daemon)
            let attack = try house.run(in: "web", ["python3", House.kit("nft-objects.py")])
            #expect(attack.text.hasPrefix("362 cases"), "\(attack)")
            #expect(daemon.isRunning, "\(house.log)")
            #expect(try isAnswered("web", house), "\(house.log)")
            // A few of them at a start, too.
            for name in ["typeof-7-junk", "typeof-1", "payload-3-ffff", "payload-39-ffffffff"] {
                try house.run(in: "web", ["python3", House.kit("nft-objects.py"), "--keep", name])
                try house.crashDaemon()
                #expect(try isAnswered("web", house), "after \(name)\n\(house.log)")
            }
            let rules = try house.run(in: "web", ["nft", "--stateless", "list", "ruleset"]).text
            #expect(rules.contains("type nat hook output priority -101") && !rules.contains("set s"), "\(rules)")
        }
    }

    @Test("by sixteen senders that notify of nothing, or change rules without end, delays no other call")
    func notifications() throws {
        try House.lend(configuration: Self.redirected) { house in
            try house.container("web", "--network", "n,ip=10.0.0.2")
            try house.container("app", "--network", "n,ip=10.0.0.3")
            let attacker = try house.start(in: "web", ["python3", "-c", Self.notifier, "4"], log: "attack")
            defer { House.kill(attacker) }
            for number in 0..<10 {
                let start = ContinuousClock.now
                #expect(try house.ctl("status").status == 0)
                // This includes the start of the program on a busy machine of two cores.
                #expect(start.duration(to: .now) < .seconds(1), "call \(number)")
                #expect(try isAnswered("app", house, within: 2))
            }
            attacker.waitUntilExit()
            #expect(try isAnswered("web", house), "\(house.log)")
            #expect(house.log.components(separatedBy: "removed the redirection").count < 20, "\(house.log)")
        }
    }

    /// Sixteen processes, half of which multicast to NFNLGRP_NFTABLES, half of which make and delete our table.
    private static let notifier = """
        import os, socket, struct, sys, time
        end = time.monotonic() + float(sys.argv[1])
        def nla(type, value):
            a = struct.pack("=HH", 4 + len(value), type) + value
            return a + b"\\0" * (-len(a) % 4)
        def message(type, flags=1):
            body = struct.pack("=BBH", 2, 0, 0) + nla(1, b"intercom\\0")
            return struct.pack("=IHHII", 16 + len(body), 10 << 8 | type, flags, 0, 0) + body
        frame = lambda type: struct.pack("=IHHIIBBH", 20, type, 1, 0, 0, 0, 0, socket.htons(10))
        for number in range(16):
            if os.fork() == 0:
                s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
                s.setblocking(False)
                while time.monotonic() < end:
                    try:
                        if number % 2: s.sendto(message(2, 0) * 20, (0, 1 << 6))
                        else: s.send(frame(0x10) + message(0) + message(2) + frame(0x11)), s.recv(4096)
                    except OSError: pass
                os._exit(0)
        for _ in range(16): os.wait()
        """

    // MARK: - rtnetlink

    @Test("cannot fill our sockets with junk: what changes in others meanwhile and later is known at once")
    func junk() throws {
        let neighbours = 20
        try House.lend(configuration: "[server]\nworkers = 1\n") { house in
            try house.bridge("br0", "10.1.0.1/24")
            try house.plug("evil", into: "br0", "10.1.0.250/24")
            for number in 1...neighbours { try house.plug("c\(number)", into: "br0", "10.1.0.\(number + 1)/24") }
            #expect(try eventually { try house.dig("evil", "c\(neighbours)").data == ["10.1.0.\(neighbours + 1)"] })
            let attacker = try house.start(in: "evil", ["python3", "-u", "-c", Self.junk, "6"], log: "attack")
            defer { House.kill(attacker) }
            func said() -> String { (try? String(contentsOfFile: "\(house.directory)/attack", encoding: .utf8)) ?? "" }
            #expect(eventually { said().hasPrefix("attacking ") })
            #expect(!said().contains("attacking 0"), "it sees our sockets: \(said())")
            for number in 1...neighbours {
                try house.ip(in: "c\(number)", "addr del 10.1.0.\(number + 1)/24 dev eth0")
                try house.ip(in: "c\(number)", "addr add 10.1.0.\(number + 100)/24 dev eth0")
            }
            try house.plug("late", into: "br0", "10.1.0.99/24")
            for number in 1...neighbours {
                let isKnown = try eventually(within: 5) {
                    try house.dig("c1", "c\(number)").data == ["10.1.0.\(number + 100)"]
                }
                #expect(isKnown, "c\(number)\n\(house.log)")
            }
            #expect(try eventually(within: 5) { try house.dig("c1", "late").data == ["10.1.0.99"] }, "\(house.log)")
            attacker.waitUntilExit()
            #expect(said().contains("unicast refused"), "\(said())")
            try house.ip(in: "evil", "addr add 10.1.0.251/24 dev eth0")
            let both = ["10.1.0.250", "10.1.0.251"]
            #expect(try eventually { try house.dig("c1", "evil").data == both }, "it is told of again itself")
            #expect(house.log.count < 20_000)
        }
    }

    /// Sixteen processes that send junk to each socket of rtnetlink that is not their own, and to its groups.
    private static let junk = """
        import errno, os, socket, struct, sys, time
        end = time.monotonic() + float(sys.argv[1])
        rows = [line.split() for line in open("/proc/net/netlink").readlines()[1:]]
        ports = [int(row[2]) for row in rows if row[1] == "0" and int(row[2]) != 0]
        print("attacking", len(ports))
        junk = struct.pack("=IHHII", 1024, 16, 0, 0, 0) + b"\\xff" * 1008
        for number in range(16):
            if os.fork() == 0:
                s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
                s.setblocking(False)
                refused = 0
                while time.monotonic() < end:
                    for port in ports:
                        try: s.sendto(junk, (port, 0))
                        except OSError as e: refused += e.errno == errno.ECONNREFUSED
                    for group in [1, 1 << 4, 1 << 8]:
                        try: s.sendto(junk, (0, group))
                        except OSError: pass
                if number == 0 and refused: print("unicast refused")
                os._exit(0)
        for _ in range(16): os.wait()
        """

    // MARK: - Numbers of namespaces

    @Test("gets no number of the host's namespace from us, by which it could list and delete the host's links")
    func hostNumber() throws {
        try House.lend { house in
            try house.ip("link add precious type bridge")
            _ = try house.namespace("found")
            try house.mustCtl("network", "create", "n")
            try house.container("declared", "--network", "n")
            #expect(try eventually { try house.dig("found", "localhost").data == ["127.0.0.1"] })
            for container in ["found", "declared"] {
                let numbers = try house.run(in: container, ["ip", "netns", "list-id"]).text
                #expect(numbers == "", "\(container)")
                for number in 0..<4 {
                    let seen = try house.run(in: container, ["ip", "link", "show", "target-nsid", "\(number)"])
                    #expect(seen.status != 0 && seen.text == "", "\(container) \(number): \(seen)")
                }
            }
            #expect(try house.hasLink("precious"))
        }
    }

    @Test("which has got a macvlan of the host's later is found on its network all the same")
    func lateMacvlan() throws {
        try House.lend { house in
            try house.bridge("br0", "10.1.0.1/24")
            _ = try house.namespace("web")
            #expect(try eventually { try house.dig("web", "localhost").data == ["127.0.0.1"] })
            try house.ip("link add mv0 link br0 type macvlan mode bridge")
            try house.ip("link set mv0 netns web")
            try house.ip(in: "web", "link set mv0 up")
            try house.ip(in: "web", "addr add 10.1.0.7/24 dev mv0")
            #expect(try eventually { try house.dig("web", "web").data == ["10.1.0.7"] }, "\(house.log)")
        }
    }
}
