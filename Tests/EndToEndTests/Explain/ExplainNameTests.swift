// Causes at the name and behind it. Each is made for real, its cure is typed, and the name resolves.

import Foundation
import Testing

@Suite("explain, of a name", .needsRoot)
struct ExplainNameTests: ExplainSuite {
    @Test("A name that is there has every step in order, and exit status 0")
    func order() throws {
        try lendFound { house in
            let all = ["container", "links", "listener", "heard", "programs", "name", "answer"]
            // Its resolv.conf comes after its names.
            #expect(try eventually { try house.explain(["web"], from: "app").steps?.map(\.step) == all })
            let explained = try house.explain(["web"], from: "app")
            let steps = explained.steps ?? []
            #expect(steps.allSatisfy { $0.state == "ok" }, "\(steps)")
            #expect(explained.cause == nil && explained.fault == false)
            let text = try house.ctl("explain", "web", "--from", "app")
            #expect(text.status == 0 && text.out.contains("No fault was found."), "\(text)")
            #expect(text.lines.allSatisfy { $0.count <= 80 }, "\(text)")
        }
    }

    @Test("A name that is mistyped, or on another network, is named with the command that reaches it")
    func names() throws {
        try lendFound { house in
            try expect(
                house, ["wbe"], cause: "mistyped", cure: "intercomctl explain web --from app", then: ["10.1.0.2"],
                of: "web")
            // What a container must not know is in no answer.
            #expect(try house.dig("app", "db").status == "NXDOMAIN")
            try expect(
                house, ["db"], cause: "other-network", cure: "intercomctl network connect back app",
                then: ["10.2.0.4"])
            #expect(try house.explain(["nosuchname"], from: "app").cause == "single-label")
            #expect(try house.explain(["web", "AAAA"], from: "app").cause == "other-type")
            #expect(try house.explain(["web"], from: "ap").cause == "no-such-container")
        }
    }

    @Test("A URL, an address, a network's name that is mistyped: each is told from a name, with what to ask instead")
    func pasted() throws {
        try lendFound("[forward]\nupstreams = [\"127.0.0.61\"]\n") { house in
            for (typed, near) in [("http://web:8080/x", "web"), ("web:8080", "web"), ("WEB:80", "WEB")] {
                let explained = try house.explain([typed], from: "app")
                #expect(explained.cause == "mistyped", "\(typed): \(explained)")
                #expect(explained.cure == "intercomctl explain \(near) --from app")
                #expect(try house.type(explained.cure ?? "").status == 0)
            }
            let address = try house.explain(["10.1.0.2"], from: "app")
            #expect(address.cause == "mistyped" && address.text == "10.1.0.2 is an address, and no name", "\(address)")
            #expect(try house.type(address.cure ?? "").out.contains("web.front.internal"))
        }
    }

    @Test("A hosts file that has another address for a name is named with its path: programs ask nobody")
    func hostsFile() throws {
        try lendFound { house in
            let file = "/etc/netns/app/hosts"
            #expect(try house.type("mkdir -p /etc/netns/app && echo 10.9.9.9 web >\(file)").status == 0)
            let explained = try house.explain(["web"], from: "app")
            #expect(explained.cause == "hosts-file" && explained.cure == "remove web from \(file)", "\(explained)")
            #expect(try house.run(in: "app", ["getent", "hosts", "web"]).out.hasPrefix("10.9.9.9"))
            #expect(try house.type("sed -i /web/d \(file)").status == 0)
            #expect(try house.explain(["web"], from: "app").fault == false)
            #expect(try house.run(in: "app", ["getent", "hosts", "web"]).out.hasPrefix("10.1.0.2"))
        }
    }

    @Test("An nsswitch.conf that leaves DNS out is named with its path: libc asks nobody, and dig does")
    func nameServiceSwitch() throws {
        try lendFound { house in
            let file = "/etc/netns/app/nsswitch.conf"
            #expect(try house.type("mkdir -p /etc/netns/app && echo 'hosts: files myhostname' >\(file)").status == 0)
            #expect(try house.run(in: "app", ["getent", "hosts", "web"]).status == 2)
            #expect(try house.dig("app", "web").data == ["10.1.0.2"])
            let explained = try house.explain(["web"], from: "app")
            #expect(explained.cause == "name-service-switch" && explained.text?.contains(file) == true, "\(explained)")
            #expect(try house.type(explained.cure ?? "").status == 0)
            #expect(try house.run(in: "app", ["getent", "hosts", "web"]).out.hasPrefix("10.1.0.2"))
            #expect(try house.explain(["web"], from: "app").fault == false)
        }
    }

    @Test("Replicas that are drained, and names that two containers have, are remarked on")
    func replicas() throws {
        try lendFound { house in
            try house.mustCtl("network", "connect", "front", "web", "--alias", "site")
            try house.mustCtl("network", "connect", "front", "app", "--alias", "site")
            try house.mustCtl("container", "drain", "web")
            let drained = try house.explain(["site"], from: "app")
            #expect(drained.cause == "drained" && drained.fault == false, "\(drained)")
            #expect(try house.type(drained.cure ?? "").status == 0)
            #expect(try house.dig("app", "site").data == ["10.1.0.2", "10.1.0.3"])
            #expect(try house.explain(["site"], from: "app").cause == nil)
            try house.mustCtl("container", "add", "twin", "--network", "front,ip=10.1.0.9", "--hostname", "web")
            #expect(try house.explain(["web"], from: "app").cause == "duplicate-name")
            try house.mustCtl("container", "rm", "twin")
            #expect(try house.explain(["web"], from: "app").cause == nil)
        }
    }

    @Test("A resolv.conf that names other servers, or whose search domain wins, is named with its path")
    func resolverFiles() throws {
        try lend("[forward]\nupstreams = [\"127.0.0.61\"]\n[discover]\nexclude = [\"house\"]\nresolv-conf = false\n") {
            house in
            try house.startUpstream("127.0.0.61")
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] })
            let file = "/etc/netns/app/resolv.conf"
            #expect(try house.type("mkdir -p /etc/netns/app && echo nameserver 192.0.2.1 >\(file)").status == 0)
            try expect(
                house, ["web"], cause: "foreign-resolv-conf", cure: "echo nameserver 127.0.0.11 >\(file)",
                then: ["10.1.0.2"])
            #expect(try house.type("echo search example.net >>\(file)").status == 0)
            try expect(
                house, ["web"], cause: "search-domain", cure: "echo options ndots:0 >>\(file)", then: ["10.1.0.2"])
        }
    }

    @Test("A name that a search domain answers is told with the name that is asked for; a rename is named")
    func answeredBySearch() throws {
        let file = "/etc/netns/app/resolv.conf"
        let forward = "[forward]\nupstreams = [\"127.0.0.61\"]\n"
        try lend(forward + "[discover]\nexclude = [\"house\"]\nresolv-conf = false\n") { house in
            try house.startUpstream("127.0.0.61")
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] })
            let lines = "nameserver 127.0.0.11\\nsearch front.internal example.net\\n"
            #expect(try house.type("mkdir -p /etc/netns/app && printf '\(lines)' >\(file)").status == 0)
            // With one of our own domains behind it, it is the same container.
            #expect(try house.explain(["web"], from: "app").cause == nil)
            let explained = try house.explain(["www"], from: "app")
            #expect(explained.cause == "answered-by-search" && explained.fault == false, "\(explained)")
            let text = explained.text ?? ""
            #expect(
                text.hasPrefix("www is answered by the search domain example.net in \(file), as www.example.net"),
                "\(text)")
            #expect(text.contains("from upstream 127.0.0.61:53; no container is called www"), "\(text)")
            let found = try house.run(in: "app", ["getent", "ahostsv4", "www"])
            #expect(found.status == 0, "\(found)")
            #expect(try house.type(explained.cure ?? "").status == 0)

            // A container that its source renames: the search domain would have its name, too.
            func publish(_ name: String) throws {
                try house.publish(
                    #"{"source":"docker","containers":[{"id":"a","name":"\#(name)","networks":[{"name":"front","addresses":["10.1.0.9"]}]}]}"#
                )
            }
            try publish("shop")
            #expect(try eventually { try house.dig("app", "shop").data == ["10.1.0.9"] })
            try publish("frontend")
            #expect(try eventually { try house.dig("app", "frontend").data == ["10.1.0.9"] })
            let renamed = try house.explain(["shop"], from: "app")
            #expect(renamed.cause == "renamed" && renamed.fault == true, "\(renamed)")
            #expect(renamed.text?.hasPrefix("nobody is called shop; frontend was called shop until ") == true)
            #expect(renamed.cure == "intercomctl explain frontend --from app")
            #expect(renamed.steps?.contains { $0.step == "programs" && $0.state == "remark" } == true)
            #expect(try house.type(renamed.cure ?? "").status == 0)
        }
    }

    @Test("A character that nobody sees in a name is told with its place, and the name without it")
    func oddCharacters() throws {
        try lendFound { house in
            for (typed, shown) in [
                ("$'web\\r'", "ends with a carriage return (\\013)"), ("'web '", "ends with a space (\\032)"),
                ("'web\\013'", "ends with a carriage return (\\013)"),
                ("$'we\\u200bb'", "has a zero-width space (U+200B) behind 'we'"),
            ] {
                let output = try house.type("LC_ALL=C.UTF-8; intercomctl explain \(typed) --from app --json")
                let explained = try JSONDecoder().decode(Explained.self, from: Data(output.out.utf8))
                #expect(explained.cause == "odd-character", "\(typed): \(explained)")
                #expect(explained.text == "the name \(shown), and nobody is called so", "\(explained)")
                #expect(explained.cure == "intercomctl explain web --from app")
                #expect(try house.type(explained.cure ?? "").status == 0)
            }
        }
    }

    @Test("Upstreams that refuse, are silent, or fail are named with their address; one that rests is a remark")
    func upstreams() throws {
        try lendFound("[forward]\nupstreams = [\"127.0.0.61\"]\n") { house in
            let name = "www.example.net"
            #expect(try house.explain([name], from: "app").cause == "upstream-refused")
            let text = try house.ctl("explain", name, "--from", "app").unwrapped
            #expect(text.contains("127.0.0.61:53: connection refused"), "\(text)")
            let upstream = try house.startUpstream("127.0.0.61", mode: "silent")
            #expect(
                try eventually(within: 30) { try house.explain(["b.\(name)"], from: "app").cause == "upstream-silent" })
            #expect(try house.doctor().findings?.contains { $0.cause == "upstream-silent" } == true)
            let silent = try house.explain(["b.\(name)"], from: "app").text ?? ""
            #expect(silent.hasPrefix("127.0.0.61:53: no reply, ") && silent.contains(" since "), "\(silent)")
            House.kill(upstream)
            let liar = try house.startUpstream("127.0.0.61", mode: "lying")
            #expect(
                try eventually(within: 30) { try house.explain(["e.\(name)"], from: "app").cause == "upstream-lying" })
            House.kill(liar)
            let other = try house.startUpstream("127.0.0.61", mode: "refused")
            #expect(
                try eventually(within: 30) { try house.explain(["c.\(name)"], from: "app").cause == "upstream-failing" }
            )
            House.kill(other)
            try house.startUpstream("127.0.0.61")
            #expect(try eventually(within: 30) { try house.explain(["d.\(name)"], from: "app").fault == false })
        }
    }

    @Test("An answer that an upstream gives over TCP alone, where TCP does not pass, is named as cut off")
    func cutOff() throws {
        try lendFound("[forward]\nupstreams = [\"127.0.0.61\"]\n") { house in
            try house.startUpstream("127.0.0.61")
            let rule = "type filter hook output priority 0; ip daddr 127.0.0.61 tcp dport 53 drop;"
            try house.run(in: "house", ["nft", "add table ip cut; add chain ip cut out { \(rule) }"])
            let explained = try house.explain(["truncated.example.net"], from: "app")
            #expect(explained.cause == "answer-cut-off", "\(explained)")
            #expect(explained.text?.hasSuffix("127.0.0.61:53 does not give it over TCP") == true, "\(explained)")
            try house.run(in: "house", ["nft", "delete table ip cut"])
            #expect(
                try eventually {
                    try house.ctl("cache", "flush", "truncated.example.net").status == 0
                        && house.explain(["truncated.example.net"], from: "app").fault == false
                }, "\(house.log)")
            let shown = try house.ctl("explain", "truncated.example.net", "--from", "app").unwrapped
            #expect(shown.contains("and 92 more"), "\(shown)")
        }
    }

    @Test("An upstream that takes addresses out of answers is named with its reason; one that has none, with the type")
    func withheld() throws {
        try lendFound("[forward]\nupstreams = [\"127.0.0.62\"]\n") { house in
            try house.startUpstream("127.0.0.61")
            try house.startDNSMasq(in: "house", at: "127.0.0.62", "--server=127.0.0.61", "--stop-dns-rebind")
            let explained = try house.explain(["inside.example.net"], from: "app")
            #expect(explained.cause == "unknown-outside", "\(explained)")
            #expect(
                explained.text
                    == "upstream 127.0.0.62:53 has no A record for inside.example.net, and says why: Blocked",
                "\(explained)")
            let other = try house.explain(["www.example.net", "SRV"], from: "app")
            #expect(other.cause == "other-type" && other.fault == false, "\(other)")
        }
    }

    @Test("A container on internal networks alone is told which network may forward")
    func internalNetwork() throws {
        try lendFound("[forward]\nupstreams = [\"127.0.0.61\"]\n[[network]]\nname = \"front\"\ninternal = true\n") {
            house in
            try house.startUpstream("127.0.0.61")
            try expect(
                house, ["www.example.net"], cause: "internal-network", cure: "intercomctl network connect back app",
                then: try house.dig("db", "www.example.net").data)
        }
    }

    @Test("A program that began before its resolv.conf was there is named, and asks here when it is started again")
    func begunBefore() throws {
        try lend("[discover]\nexclude = [\"house\"]\nresolv-conf = false\n") { house in
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] })
            let file = "/etc/netns/app/resolv.conf"
            let write = "mkdir -p /etc/netns/app && rm -f \(file) && echo nameserver"
            #expect(try house.type("\(write) 192.0.2.1 >\(file)").status == 0)
            let early = try house.start(in: "app", ["sleep", "600"], log: "early").processIdentifier
            #expect(try house.type("\(write) 127.0.0.11 >\(file)").status == 0)
            let explained = try house.explain(["web"], from: "app")
            #expect(explained.cause == "begun-before-file", "\(explained)")
            #expect(
                explained.text
                    == "sleep (pid \(early)) of app began before \(file) was there: it asks 192.0.2.1")
            #expect(explained.cure == "kill \(early), and start that program again: ip netns exec app COMMAND")
            for found in [try house.doctor(), try house.doctor("app")] {
                let finding = found.findings?.first { $0.cause == "begun-before-file" }
                #expect(finding?.text == explained.text && finding?.cure == explained.cure, "\(found)")
            }
            // Signals are blocked in what a test starts.
            #expect(try house.type("kill -9 \(early)").status == 0)
            try house.start(in: "app", ["sleep", "600"], log: "late")
            #expect(try eventually { try house.explain(["web"], from: "app").fault == false })
            #expect(try house.doctor().findings?.contains { $0.cause == "begun-before-file" } == false)
        }
    }

    @Test("A service of the host that does not run, listens on loopback alone, or is kept off by a firewall is named")
    func hostService() throws {
        try lendFound { house in
            func explain() throws -> Explained {
                try house.explain(["host.docker.internal", "--port", "5432"], from: "app")
            }
            let closed = try explain()
            #expect(closed.cause == "service-not-running", "\(closed)")
            #expect(closed.text == "nothing listens on port 5432 of the host")
            #expect(closed.cure == "start the service on the host; this shows what listens: ss -Hlnpt")
            func serve(_ address: String) throws -> Process {
                try house.start(
                    in: "house", ["python3", "-m", "http.server", "5432", "--bind", address], log: "http-\(address)")
            }
            let loopback = try serve("127.0.0.1")
            #expect(try eventually { try explain().cause == "service-on-loopback" })
            let text = "port 5432 of the host is open at 127.0.0.1, not at 10.1.0.1"
            #expect(try explain().text == text)
            House.kill(loopback)
            let server = try serve("0.0.0.0")
            #expect(try eventually { try explain().fault == false })
            let rule = "type filter hook input priority 0; iifname front tcp dport 5432 drop"
            #expect(try house.run(in: "house", ["nft", "table ip fw { chain in { \(rule); }; }"]).status == 0)
            let dropped = try explain()
            #expect(dropped.cause == "service-unreachable", "\(dropped)")
            #expect(dropped.cure?.hasSuffix("this shows the rules: nft list ruleset") == true)
            #expect(try house.run(in: "house", ["nft", "delete table ip fw"]).status == 0)
            #expect(try explain().fault == false)
            House.kill(server)
        }
    }

    @Test("A service that is not running, or listens on the loopback interface alone, is named where a port is given")
    func service() throws {
        try lendFound { house in
            func explain() throws -> Explained { try house.explain(["web", "--port", "8080"], from: "app") }
            let closed = try explain()
            #expect(closed.cause == "service-not-running", "\(closed)")
            #expect(closed.text == "nothing listens on port 8080 of web")
            func serve(_ address: String) throws -> Process {
                try house.start(
                    in: "web", ["python3", "-m", "http.server", "8080", "--bind", address], log: "http-\(address)")
            }
            let loopback = try serve("127.0.0.1")
            #expect(try eventually { try explain().cause == "service-on-loopback" })
            House.kill(loopback)
            let server = try serve("0.0.0.0")
            #expect(try eventually { try explain().fault == false })
            #expect(try explain().steps?.last?.text == "port 8080 is open: web at 10.1.0.2")
            // A firewall of the service's namespace.
            func rule(_ verdict: String) throws {
                let text = "table ip fw { chain in { type filter hook input priority 0; tcp dport 8080 \(verdict); }; }"
                #expect(try house.run(in: "web", ["nft", text]).status == 0)
            }
            try rule("drop")
            let dropped = try explain()
            #expect(dropped.cause == "service-unreachable", "\(dropped)")
            #expect(
                dropped.text?.hasSuffix("gets no reply: a firewall drops it, or no packet gets there") == true,
                "\(dropped)")
            #expect(try house.run(in: "web", ["nft", "delete table ip fw"]).status == 0)
            try rule("reject with tcp reset")
            #expect(try explain().text?.hasSuffix("is refused: a firewall rejects it") == true)
            #expect(try house.run(in: "web", ["nft", "delete table ip fw"]).status == 0)
            #expect(try explain().fault == false)
            // A rule that somebody left in the namespace of who asks.
            let mesh =
                "table ip mesh { chain out { type nat hook output priority -100; tcp dport 8080 redirect to :15001; }; }"
            #expect(try house.run(in: "app", ["nft", mesh]).status == 0)
            let led = try explain()
            #expect(led.cause == "service-unreachable", "\(led)")
            #expect(
                led.text?.hasSuffix(
                    "address translation in app leads a connection to 127.0.0.1:15001, where it is refused") == true,
                "\(led)")
            #expect(led.cure?.hasSuffix("/netns/app nft list ruleset") == true, "\(led)")
            #expect(try house.run(in: "app", ["nft", "delete table ip mesh"]).status == 0)
            // A prefix length by which the others are not neighbors.
            try house.ip(in: "web", "addr add 10.1.0.2/32 dev eth0")
            try house.ip(in: "web", "addr del 10.1.0.2/24 dev eth0")
            let mute = try explain()
            #expect(mute.cause == "no-way-back", "\(mute)")
            #expect(mute.text?.hasSuffix("web has no route back to 10.1.0.3 of app") == true, "\(mute)")
            try house.ip(in: "web", "addr add 10.1.0.2/24 dev eth0")
            try house.ip(in: "web", "addr del 10.1.0.2/32 dev eth0")
            #expect(try explain().fault == false)
            House.kill(server)
            // A program that stayed at an address that the container has no more.
            try house.ip(in: "web", "addr add 10.1.0.9/24 dev eth0")
            let old = try serve("10.1.0.9")
            #expect(try eventually { try house.run(in: "web", ["ss", "-Hltn"]).text.contains("10.1.0.9:8080") })
            try house.ip(in: "web", "addr del 10.1.0.9/24 dev eth0")
            #expect(try eventually { try explain().cause == "service-on-other-address" })
            House.kill(old)
            let bad = try house.ctl("explain", "web", "--from", "app", "--port", "70000")
            #expect(bad.status == 1 && bad.err.contains("expected 1 to 65535"), "\(bad)")
        }
    }

    @Test("A service that IPv4 reaches and IPv6 does not is told with what is in the way")
    func families() throws {
        try lendFound { house in
            func explain() throws -> Explained { try house.explain(["web", "--port", "8080"], from: "app") }
            for (name, number) in [("web", 2), ("app", 3)] {
                try house.ip(in: name, "addr add fd00:1::\(number)/64 dev eth0 nodad")
            }
            #expect(try eventually { try house.dig("app", "web", "AAAA").data == ["fd00:1::2"] })
            func serve(_ address: String) throws -> Process {
                try house.start(
                    in: "web", ["python3", "-m", "http.server", "8080", "--bind", address], log: "http-\(address)")
            }
            let v4 = try serve("0.0.0.0")
            #expect(try eventually { try explain().cause == "one-family-refused" })
            let alone = try explain()
            #expect(alone.fault == false && alone.text?.contains("listens at 0.0.0.0; programs") == true, "\(alone)")
            #expect(alone.cure == "have its program listen at ::")
            #expect(try house.explain(["web", "A", "--port", "8080"], from: "app").cause == nil)
            House.kill(v4)
            let both = try serve("::")
            #expect(try eventually { try explain().cause == nil })
            #expect(try explain().steps?.last?.text == "port 8080 is open: web at 10.1.0.2, web at fd00:1::2")
            // A firewall that somebody wrote for IPv6 alone.
            let rule = "table ip6 fw { chain in { type filter hook input priority 0; tcp dport 8080 drop; }; }"
            #expect(try house.run(in: "web", ["nft", rule]).status == 0)
            let dropped = try explain()
            #expect(dropped.cause == "one-family-silent" && dropped.fault == true, "\(dropped)")
            #expect(dropped.text?.hasSuffix("programs that try IPv6 first wait") == true, "\(dropped)")
            #expect(dropped.cure?.hasSuffix("nft list ruleset") == true)
            #expect(try house.run(in: "web", ["nft", "delete table ip6 fw"]).status == 0)
            #expect(try explain().cause == nil)
            // No way there.
            try house.ip(in: "app", "-6 route flush dev eth0")
            let unrouted = try explain()
            #expect(unrouted.cause == "one-family-refused", "\(unrouted)")
            #expect(unrouted.text?.contains("app has no route to it") == true, "\(unrouted)")
            try house.ip(in: "app", "route add fd00:1::/64 dev eth0")
            #expect(try explain().cause == nil)
            House.kill(both)
        }
    }
}
