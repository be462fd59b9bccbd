// Two hosts joined by intercom-etcd over a real etcd, and whatever can happen to each of them (`make test-cluster`).

import Foundation
import Testing

@Suite("Hosts that share names on etcd", .needsRoot, .needsEtcd)
struct EtcdTests {
    /// Two hosts on one etcd.
    private struct Pair {
        let etcd: Etcd
        let a: SharingHost
        let b: SharingHost

        func dig(_ arguments: String) throws -> Reply { try a.house.dig("web", arguments) }

        /// True when both hosts know each other's containers.
        func isJoined() throws -> Bool {
            try eventually(within: 30) {
                try a.house.dig("web", "db").data == ["10.1.2.3"] && b.house.dig("db", "web").data == ["10.1.1.2"]
            }
        }

        var logs: String { "a: \(a.log)\nb: \(b.log)\n\(a.house.log)" }
    }

    private func lend(_ body: (Pair) throws -> Void) throws {
        try House.lend { a in
            try House.lend { b in
                for house in [a, b] {
                    _ = house.stopDaemon()
                    try house.startDaemon(
                        """
                        [discover]
                        enabled = false
                        [cluster]
                        networks = ["front*"]
                        socket = "\(house.directory)/cluster.sock"
                        [[network]]
                        name = "frontend"
                        subnets = ["10.1.0.0/16"]

                        """)
                }
                try a.container("web", "--network", "frontend,ip=10.1.1.2,alias=site")
                try b.container("db", "--network", "frontend,ip=10.1.2.3,alias=site", "--port", "5432=sql")
                let etcd = try Etcd(in: a)
                try body(Pair(etcd: etcd, a: SharingHost("a", a, etcd), b: SharingHost("b", b, etcd)))
            }
        }
    }

    /// The same with both bridges, once the hosts know each other.
    private func join(_ body: (Pair) throws -> Void) throws {
        try lend { pair in
            try pair.a.startBridge()
            try pair.b.startBridge()
            try #require(try pair.isJoined(), "\(pair.logs)")
            try body(pair)
        }
    }

    @Test("Containers of two hosts call each other by name, alias, address and service")
    func names() throws {
        try join { pair in
            #expect(try pair.dig("site").data == ["10.1.1.2", "10.1.2.3"])
            #expect(try pair.a.house.dig("web", "-x", "10.1.2.3").data == ["db.frontend.internal."])
            #expect(try pair.a.house.dig("web", "_sql._tcp.db", "SRV").data == ["0 0 5432 db.frontend.internal."])
            let hosts = try pair.a.house.ctl("host", "ls").out
            #expect(hosts.contains("b     alive  192.0.2.2  1"), "\(hosts)")
            #expect(hosts.contains(": connected"), "\(hosts)")
            try pair.b.house.container("cache", "--network", "frontend,ip=10.1.2.4")
            #expect(try eventually { try pair.dig("cache").data == ["10.1.2.4"] }, "\(pair.logs)")
            try pair.b.house.mustCtl("container", "drain", "db")
            #expect(try eventually { try pair.dig("site").data == ["10.1.1.2"] })
            try pair.b.house.mustCtl("container", "rm", "db")
            #expect(try eventually { try pair.dig("db").status == "NXDOMAIN" })
            #expect(
                try pair.etcd.keys() == [
                    "/intercom/v1/e/a/web", "/intercom/v1/e/b/cache", "/intercom/v1/h/a", "/intercom/v1/h/b",
                ])
        }
    }

    @Test("A lease that somebody revokes is made again, and no answer changes")
    func revokedLease() throws {
        try join { pair in
            for key in ["/intercom/v1/h/b", "/intercom/v1/e/b/db"] {
                let former = try pair.etcd.lease(of: key)
                try pair.etcd.ctl("lease", "revoke", former)
                #expect(
                    try eventually {
                        let lease = try pair.etcd.lease(of: key)
                        return lease != "0" && lease != former
                    }, "\(key): \(pair.logs)")
                #expect(try eventually { try pair.dig("db").data == ["10.1.2.3"] })
                #expect(try eventually { try pair.dig("site").data == ["10.1.1.2", "10.1.2.3"] })
            }
        }
    }

    @Test("A key that somebody deletes or overwrites is written again by its host")
    func mendedKey() throws {
        try join { pair in
            let key = "/intercom/v1/e/b/db"
            let value = try pair.etcd.ctl("get", "--print-value-only", key).text
            try pair.etcd.ctl("del", key)
            #expect(
                try eventually { try pair.etcd.ctl("get", "--print-value-only", key).text == value }, "\(pair.logs)")
            try pair.etcd.ctl("put", key, "{}")
            #expect(
                try eventually { try pair.etcd.ctl("get", "--print-value-only", key).text == value }, "\(pair.logs)")
            try pair.etcd.ctl("put", "/intercom/v1/e/b/stranger", value)
            #expect(try eventually { try pair.etcd.ctl("get", "/intercom/v1/e/b/stranger").out.isEmpty })
            #expect(try eventually { try pair.dig("db").data == ["10.1.2.3"] })
        }
    }

    @Test("A bridge that is killed changes no answer; its successor takes its leases over, and mends what has changed")
    func killedBridge() throws {
        try join { pair in
            let lease = try pair.etcd.lease(of: "/intercom/v1/h/b")
            pair.b.killBridge()
            try pair.b.house.mustCtl("container", "rm", "db")
            try pair.b.house.container("cache", "--network", "frontend,ip=10.1.2.4")
            try pair.a.house.container("late", "--network", "frontend,ip=10.1.1.9")
            #expect(try pair.dig("db").data == ["10.1.2.3"])
            try pair.b.startBridge()
            #expect(try eventually { try pair.dig("db").status == "NXDOMAIN" }, "\(pair.logs)")
            #expect(try eventually { try pair.dig("cache").data == ["10.1.2.4"] })
            #expect(try eventually { try pair.b.house.dig("cache", "late").data == ["10.1.1.9"] })
            #expect(try pair.etcd.lease(of: "/intercom/v1/h/b") == lease)
        }
    }

    @Test("A host whose bridge is silent leaves the names that others serve, and keeps its own")
    func silentHost() throws {
        try join { pair in
            pair.b.killBridge()
            #expect(try eventually(within: 15) { try pair.dig("site").data == ["10.1.1.2"] }, "\(pair.logs)")
            #expect(try pair.dig("db").data == ["10.1.2.3"])
            #expect(try pair.a.house.ctl("host", "ls").out.contains("b     lost"))
            try pair.b.startBridge()
            #expect(try eventually { try pair.dig("site").data == ["10.1.1.2", "10.1.2.3"] }, "\(pair.logs)")
        }
    }

    @Test("Revisions that were compacted while a bridge was away are made up for by a list")
    func compaction() throws {
        try join { pair in
            pair.a.stopBridge()
            try pair.b.house.mustCtl("container", "rm", "db")
            try pair.b.house.container("cache", "--network", "frontend,ip=10.1.2.4")
            #expect(try eventually { try pair.etcd.keys("/intercom/v1/e/b/") == ["/intercom/v1/e/b/cache"] })
            try pair.etcd.ctl("compact", "\(pair.etcd.revision())")
            try pair.a.startBridge()
            #expect(try eventually { try pair.dig("cache").data == ["10.1.2.4"] }, "\(pair.logs)")
            #expect(try eventually { try pair.dig("db").status == "NXDOMAIN" }, "\(pair.logs)")
        }
    }

    @Test("While etcd is away names stay, status says so, and what changes here is written when it is back")
    func away() throws {
        try join { pair in
            pair.etcd.kill()
            #expect(
                try eventually { try pair.a.house.ctl("status").out.contains("cut off from its store") }, "\(pair.logs)"
            )
            try pair.b.house.container("cache", "--network", "frontend,ip=10.1.2.4")
            #expect(try pair.dig("db").data == ["10.1.2.3"])
            #expect(try pair.dig("site").data == ["10.1.1.2", "10.1.2.3"])
            try pair.etcd.start()
            #expect(try eventually { try pair.dig("cache").data == ["10.1.2.4"] }, "\(pair.logs)")
            #expect(try pair.dig("site").data == ["10.1.1.2", "10.1.2.3"])
            #expect(try eventually { !(try pair.a.house.ctl("status").out.contains("cut off")) })
        }
    }

    @Test("A store that comes back empty is filled again, and no name is lost")
    func emptied() throws {
        try join { pair in
            pair.etcd.kill()
            try pair.etcd.empty()
            try pair.etcd.start()
            var denials = 0
            let isFilled = try eventually(within: 15) {
                denials += try pair.dig("db").data == ["10.1.2.3"] ? 0 : 1
                return try pair.etcd.keys().count == 4
            }
            #expect(isFilled && denials == 0, "\(pair.logs)")
            #expect(try pair.dig("db").data == ["10.1.2.3"])
            #expect(try eventually { try pair.dig("site").data == ["10.1.1.2", "10.1.2.3"] }, "\(pair.logs)")
            #expect(pair.a.log.contains("another history"), "\(pair.logs)")
        }
    }

    @Test("Of two hosts of one name the second says so, and writes nothing")
    func twins() throws {
        try lend { pair in
            try pair.a.startBridge()
            let key = "/intercom/v1/h/a"
            #expect(try eventually { try pair.etcd.keys().contains("/intercom/v1/e/a/web") })
            let twin = SharingHost("a", pair.b.house, pair.etcd)
            let value = try pair.etcd.ctl("get", "--print-value-only", key).text
            try twin.startBridge()
            #expect(eventually { pair.etcd.house.text(of: "bridge-a-1").contains("another host is called a") })
            #expect(try eventually { try pair.b.house.ctl("doctor").out.contains("another host is called a") })
            #expect(try pair.etcd.keys("/intercom/v1/e/") == ["/intercom/v1/e/a/web"])
            #expect(try pair.etcd.ctl("get", "--print-value-only", key).text == value)
        }
    }

    @Test("A record of a network in etcd says which addresses and hosts are believed, at once and until it is gone")
    func networkRecord() throws {
        try join { pair in
            func answer(_ record: String?, _ expected: String) throws {
                let key = "/intercom/v1/n/frontend"
                if let record { try pair.etcd.ctl("put", key, record) } else { try pair.etcd.ctl("del", key) }
                #expect(try eventually { try pair.dig("db").status == expected }, "\(record ?? "none"): \(pair.logs)")
            }
            try answer(#"{"v":1,"subnets":["10.1.1.0/24"]}"#, "NXDOMAIN")
            try answer(#"{"v":1,"subnets":["10.1.0.0/16"],"hosts":["a","b"],"vni":256}"#, "NOERROR")
            try answer(#"{"v":1,"hosts":["a","c*"]}"#, "NXDOMAIN")
            try answer(nil, "NOERROR")
            #expect(try pair.dig("db").data == ["10.1.2.3"])
        }
    }

    @Test("Values that are torn, too large, of a later version or of no host are left out, and nothing else suffers")
    func hostileValues() throws {
        try join { pair in
            let values = [
                ("e/b/torn", #"{"v":1,"n":"torn","p":[{"n":"fro"#),
                ("e/b/huge", #"{"v":1,"n":"huge","p":[]}"# + String(repeating: " ", count: 1_400_000)),
                ("e/c/later", #"{"v":3,"n":"later","p":[{"n":"frontend","a":["10.1.9.1"]}]}"#),
                ("e/c/next", #"{"v":2,"n":"next","p":[{"n":"frontend","a":["10.1.9.5"]}],"new":{"x":[1]}}"#),
                ("e/d/orphan", #"{"v":1,"n":"orphan","p":[{"n":"frontend","a":["10.1.9.2"]}]}"#),
                ("e/c/outside", #"{"v":1,"n":"outside","p":[{"n":"frontend","a":["10.2.0.1"]}]}"#),
                ("e/c/../../x", #"{"v":1,"n":"x","p":[{"n":"frontend","a":["10.1.9.3"]}]}"#),
                ("h/e", "[[[[[[[["), ("n/frontend", "{}"), ("e/", ""), ("h/", ""),
                ("e/c/good", #"{"v":1,"n":"good","new":{"x":[1]},"p":[{"n":"frontend","a":["10.1.9.4"]}]}"#),
            ]
            for (key, value) in values { try pair.etcd.ctl("put", "/intercom/v1/\(key)", input: value) }
            try pair.etcd.ctl("put", "/intercom/v1/h/c", #"{"v":1,"i":"x","a":["192.0.2.3"],"s":true,"c":1}"#)
            #expect(try eventually { try pair.dig("good").data == ["10.1.9.4"] }, "\(pair.logs)")
            #expect(try pair.dig("next").data == ["10.1.9.5"], "hosts are upgraded one by one")
            for name in ["torn", "huge", "later", "outside", "x"] {
                #expect(try pair.dig(name).status == "NXDOMAIN", "\(name)")
            }
            #expect(try pair.dig("db").data == ["10.1.2.3"])
            #expect(pair.a.log.contains("left out"), "\(pair.logs)")
        }
    }
}
