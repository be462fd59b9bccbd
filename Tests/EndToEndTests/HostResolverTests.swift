// The host's resolv.conf: followed as it changes, and never a reason to deny a name.

import Foundation
import Testing

@Suite("The host's resolv.conf", .needsRoot)
struct HostResolverTests {
    private static let network = "[[network]]\nname = \"n\"\n"

    /// The server that answers `app` now.
    private func answerer(_ house: House) throws -> String? {
        try house.dig("app", "+nocookie", "www\(Int.random(in: 0..<1_000_000)).example", "TXT").data.first
    }

    /// True when the questions of `app` go to an upstream within a second.
    private func turns(_ house: House, to upstream: String) throws -> Bool {
        try eventually(within: 1) { try answerer(house) == "\"from \(upstream)\"" }
    }

    @Test("says whom we ask, within a second of any change, whichever way it is made")
    func changes() throws {
        try House.lend(configuration: Self.network, resolver: "nameserver 127.0.0.5\n") { house in
            for address in ["127.0.0.5", "127.0.0.6"] { try house.startUpstream(address) }
            try house.container("app", "--network", "n")
            #expect(try answerer(house) == "\"from 127.0.0.5\"")
            func write(_ upstream: String, to path: String, atomically: Bool = true) throws {
                try "nameserver \(upstream)\n".write(toFile: path, atomically: atomically, encoding: .utf8)
            }
            func link(_ target: String) throws {
                try Command.must(["ln", "-sfn", target, house.resolver])
            }

            try write("127.0.0.6", to: house.resolver)
            #expect(try turns(house, to: "127.0.0.6"), "replaced by rename")
            try write("127.0.0.5", to: house.resolver, atomically: false)
            #expect(try turns(house, to: "127.0.0.5"), "written into")

            // As systemd-resolved and NetworkManager have it: a link into /run, to a file that is replaced there.
            let run = "\(house.directory)/run"
            try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
            try write("127.0.0.6", to: "\(run)/resolv.conf")
            try link("\(run)/resolv.conf")
            #expect(try turns(house, to: "127.0.0.6"), "replaced by a link")
            try write("127.0.0.5", to: "\(run)/resolv.conf")
            #expect(try turns(house, to: "127.0.0.5"), "the link's target replaced by rename")
            try link("./other/resolv.conf")
            let other = "\(house.directory)/etc/other"
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
            try write("127.0.0.6", to: "\(other)/resolv.conf")
            #expect(try turns(house, to: "127.0.0.6"), "a relative link to what was not there yet")
            try FileManager.default.removeItem(atPath: other)
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
            try write("127.0.0.5", to: "\(other)/resolv.conf")
            #expect(try turns(house, to: "127.0.0.5"), "the link's directory made anew")
            #expect(try house.ctl("status").out.contains("127.0.0.5:53"))

            // Into what a container engine or NetworkManager's dispatcher keeps open.
            let handle = try #require(FileHandle(forWritingAtPath: "\(other)/resolv.conf"))
            try handle.write(contentsOf: Data("nameserver 127.0.0.6\n".utf8))
            #expect(try turns(house, to: "127.0.0.6"), "flushed, and not closed")
            try handle.close()
        }
    }

    @Test("may be mounted over, as container engines do, and unmounted again")
    func mounts() throws {
        try House.lend(configuration: Self.network, resolver: "nameserver 127.0.0.5\n") { house in
            for address in ["127.0.0.5", "127.0.0.6"] { try house.startUpstream(address) }
            try house.container("app", "--network", "n")
            let mounted = "\(house.directory)/mounted"
            try "nameserver 127.0.0.6\n".write(toFile: mounted, atomically: true, encoding: .utf8)
            // In the daemon's mount namespace, where a mount of its host would appear.
            let pid = try #require(house.daemon?.processIdentifier)
            let view = ["nsenter", "--mount=/proc/\(pid)/ns/mnt"]
            try Command.must(view + ["mount", "--bind", mounted, "/etc/resolv.conf"])
            #expect(try turns(house, to: "127.0.0.6"), "mounted over it")
            try Command.must(view + ["umount", "/etc/resolv.conf"])
            #expect(try turns(house, to: "127.0.0.5"), "unmounted again")
        }
    }

    @Test("that is gone, or without a server, leaves those that were asked; which is said once")
    func gone() throws {
        try House.lend(configuration: Self.network, resolver: "nameserver 127.0.0.5\n") { house in
            for address in ["127.0.0.5", "127.0.0.6"] { try house.startUpstream(address) }
            try house.container("app", "--network", "n")
            let warning = "names no DNS server: those asked until now are asked further"
            try FileManager.default.removeItem(atPath: house.resolver)
            #expect(eventually { house.log.contains(warning) })
            #expect(try answerer(house) == "\"from 127.0.0.5\"")
            try "search example\n".write(toFile: house.resolver, atomically: true, encoding: .utf8)
            let file = house.file("/etc/netns/app/resolv.conf")
            #expect(
                eventually {
                    (try? String(contentsOfFile: file, encoding: .utf8))?.contains("search example\n") == true
                },
                "the search list of containers is the host's")
            #expect(try answerer(house) == "\"from 127.0.0.5\"")
            #expect(house.log.components(separatedBy: warning).count == 2, "\(house.log)")
            try "nameserver 127.0.0.6\n".write(toFile: house.resolver, atomically: true, encoding: .utf8)
            #expect(try turns(house, to: "127.0.0.6"))
        }
    }

    @Test("may name 127.0.0.11: Docker's server, where the daemon runs in a container of Docker's")
    func docker() throws {
        for configuration in [Self.network, "[forward]\nupstreams = [\"127.0.0.11\"]\n" + Self.network] {
            try House.lend(configuration: configuration, resolver: "nameserver 127.0.0.11\n") { house in
                try house.startUpstream("127.0.0.11")
                try house.container("app", "--network", "n")
                #expect(try answerer(house) == "\"from 127.0.0.11\"")
            }
        }
    }

    @Test("that names 127.0.0.11 where nobody answers there leads to the next server at once")
    func nobody() throws {
        let text = "nameserver 127.0.0.11\nnameserver 127.0.0.5\n"
        try House.lend(configuration: Self.network, resolver: text) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            #expect(try answerer(house) == "\"from 127.0.0.5\"")
        }
    }

    @Test("may name IPv6 servers alone, and one of a link")
    func ipv6() throws {
        try House.lend(configuration: Self.network, resolver: "nameserver fe80::53%up0\n") { house in
            _ = try house.namespace("router")
            try house.ip("link add up0 type veth peer name down0 netns router")
            for (namespace, link, address) in [(house.host, "up0", "fe80::1"), ("router", "down0", "fe80::53")] {
                try house.ip(in: namespace, "addr add \(address)/64 dev \(link) nodad")
                try house.ip(in: namespace, "link set \(link) up")
            }
            try house.startUpstream("fe80::53%down0", in: "router")
            try house.startUpstream("::1")
            try house.container("app", "--network", "n")
            #expect(try turns(house, to: "fe80::53%down0"))
            #expect(try house.dig("app", "truncated.example").data.count == 100, "over TCP, too")
            try "nameserver ::1\n".write(toFile: house.resolver, atomically: true, encoding: .utf8)
            #expect(try turns(house, to: "::1"))
        }
    }
}
