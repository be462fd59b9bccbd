// The host itself resolves containers: intercomctl host enable, disable, status.

import Foundation
import Testing

@Suite("The host", .needsRoot)
struct HostServiceTests {
    private static let upstream = "127.0.0.5"
    private static let resolver = "# mine\nnameserver 127.0.0.5\noptions timeout:1 attempts:1"

    /// Runs a command as on this house's host: in the daemon's mounts and network.
    private func onHost(_ house: House, _ arguments: String...) throws -> Output {
        let pid = try #require(house.daemon?.processIdentifier)
        return try Command.run(["nsenter", "--target", "\(pid)", "--mount", "--net"] + arguments)
    }

    private func host(_ house: House, _ verb: String) throws -> Output {
        try onHost(house, "\(House.binaries)/intercomctl", "--socket", house.socket, "host", verb)
    }

    private func text(_ house: House) throws -> String {
        try String(contentsOfFile: house.resolver, encoding: .utf8)
    }

    /// Status and data of what dig prints on the host.
    private func dig(_ house: House, _ arguments: String...) throws -> Reply {
        Reply(
            try house.run(
                in: house.host,
                ["dig", "@127.0.0.11", "+timeout=3", "+tries=1", "+noadflag", "+nocookie"] + arguments))
    }

    /// A house whose host has the networks `front` and `back`, `web` on `front`, `db` on both.
    private func lend(_ text: String = "", _ body: (House) throws -> Void) throws {
        let networks = text + "[[network]]\nname = \"front\"\n[[network]]\nname = \"back\"\n"
        try House.lend(configuration: networks, resolver: Self.resolver) { house in
            try house.startUpstream(Self.upstream)
            try house.container("web", "--network", "front,ip=10.1.0.2,alias=*.app,alias=com,alias=db.back")
            try house.container("db", "--network", "front,ip=10.1.0.3", "--network", "back,ip=10.2.0.3")
            try body(house)
        }
    }

    @Test("resolves containers of all networks after 'host enable', and nothing of it after 'host disable'")
    func enabling() throws {
        try lend { house in
            #expect(try host(house, "status").status == 1)
            let enabled = try host(house, "enable")
            #expect(enabled.status == 0, "\(enabled)")
            // No service manager watches the file here.
            #expect(enabled.out.contains("whoever writes the file anew takes it out"), "\(enabled)")
            #expect(try text(house).hasSuffix(Self.resolver))
            #expect(try text(house).contains("\nnameserver 127.0.0.11\n# mine"))
            let found = try onHost(house, "getent", "hosts", "web.front.internal")
            #expect(found.out.hasPrefix("10.1.0.2"), "\(found)")
            #expect(try onHost(house, "getent", "hosts", "10.2.0.3").out.contains("db.back.internal"))
            let status = try host(house, "status")
            #expect(status.status == 0 && status.out.contains("getent ahosts "), "\(status)")

            let written = try text(house)
            #expect(try host(house, "enable").status == 0)
            #expect(try text(house) == written, "once more changes nothing")

            #expect(try host(house, "disable").status == 0)
            #expect(try text(house) == Self.resolver, "to the octet")
            #expect(try !onHost(house, "getent", "hosts", "web.front.internal").out.contains("10.1.0.2"))
            #expect(try host(house, "disable").status == 0)
            #expect(try text(house) == Self.resolver)
        }
    }

    @Test("is answered by its own rules: no container takes a single label, or a name of outside")
    func rules() throws {
        try lend { house in
            #expect(try host(house, "enable").status == 0)
            for (name, address) in [
                ("web.front.internal", "10.1.0.2"), ("web.internal", "10.1.0.2"), ("x.app.front.internal", "10.1.0.2"),
                ("db.back.internal", "10.2.0.3"), ("db.front.internal", "10.1.0.3"),
            ] {
                #expect(try dig(house, name).data == [address], "\(name)")
            }
            for name in ["nobody.front.internal", "nobody.internal", "x.nowhere.internal"] {
                #expect(try dig(house, name).status == "NXDOMAIN", "\(name)")
            }
            for name in ["internal", "front.internal"] {
                let reply = try dig(house, name)
                #expect(reply.status == "NOERROR" && reply.data.isEmpty, "\(name)")
            }
            let several = try dig(house, "db.internal")
            #expect(several.status == "NXDOMAIN")
            #expect(
                several.output.out.contains("on several networks; ask NAME.NETWORK: front back"), "\(several.output)")
            for name in ["web", "com", "web.front", "www.example", "metadata.google.internal"] {
                #expect(try dig(house, name, "TXT").data == ["\"from 127.0.0.5\""], "\(name)")
            }
            #expect(try dig(house, "-x", "10.1.0.2").data == ["web.front.internal."])
            #expect(try dig(house, "+tcp", "web.front.internal").data == ["10.1.0.2"])
        }
    }

    @Test("keeps its own servers where the configuration gives containers others, and never asks itself")
    func upstreams() throws {
        let other = "[forward]\nupstreams = [\"127.0.0.11\", \"127.0.0.6\"]\n"
        try lend(other) { house in
            try house.startUpstream("127.0.0.6")
            #expect(try host(house, "enable").status == 0)
            #expect(try dig(house, "www.example", "TXT").data == ["\"from 127.0.0.5\""])
            #expect(try dig(house, "metadata.google.internal", "TXT").data == ["\"from 127.0.0.5\""])
            #expect(try house.dig("web", "www.example", "TXT").data == ["\"from 127.0.0.6\""])
            #expect(!house.log.contains("asks us in turn"), "\(house.log)")
        }
    }

    @Test("is served again after a restart of the daemon, and not by a line that somebody else has taken out")
    func restart() throws {
        try lend { house in
            #expect(try host(house, "enable").status == 0)
            try Self.resolver.write(toFile: house.resolver, atomically: true, encoding: .utf8)
            #expect(try eventually { try onHost(house, "ss", "-Hlun", "src", "127.0.0.11").out.isEmpty })
            #expect(try host(house, "status").status == 1)
            #expect(try host(house, "enable").status == 0, "the port is free again")
            _ = house.stopDaemon()
            try house.startDaemon(
                try String(contentsOfFile: house.configuration, encoding: .utf8), resolver: try text(house))
            #expect(try eventually { try dig(house, "internal", "SOA").status == "NOERROR" })
            // Also without a daemon: the file alone is edited.
            let pid = try #require(house.daemon?.processIdentifier)
            let edited = try Command.run(
                ["nsenter", "--target", "\(pid)", "--mount", "\(House.binaries)/intercomctl", "--socket", "/nowhere"]
                    + ["host", "disable"])
            #expect(edited.status == 0, "\(edited)")
            #expect(try text(house) == Self.resolver)
        }
    }

    @Test("is served by a listener that the opener makes, where the daemon has none of its privileges")
    func opener() throws {
        try lend { house in
            let socket = "\(house.directory)/opener.sock"
            #expect(house.stopDaemon() == 0)
            _ = try house.start(
                in: "house", ["\(House.binaries)/intercomd", "--opener", "--opener-socket", socket], log: "opener")
            #expect(eventually { FileManager.default.fileExists(atPath: socket) })
            try house.startDaemon(
                try String(contentsOfFile: house.configuration, encoding: .utf8),
                options: ["--opener-socket", socket], resolver: Self.resolver)
            #expect(try host(house, "enable").status == 0)
            #expect(try eventually { try dig(house, "web.front.internal").data == ["10.1.0.2"] })
            #expect(try host(house, "disable").status == 0)
            #expect(try eventually { try onHost(house, "ss", "-Hlun", "src", "127.0.0.11").out.isEmpty })
        }
    }

    @Test("is left as it was where it cannot be served, with the reason")
    func refusals() throws {
        try lend { house in
            // Something else has the port.
            let squatter = try house.startUpstream("127.0.0.11")
            let taken = try host(house, "enable")
            #expect(taken.status == 1 && taken.err.contains("127.0.0.11:53"), "\(taken)")
            #expect(try text(house) == Self.resolver)
            _ = squatter

            try Command.must(["chattr", "+i", house.resolver])
            let immutable = try host(house, "enable")
            try Command.must(["chattr", "-i", house.resolver])
            #expect(immutable.status == 1 && immutable.err.contains("nothing was changed"), "\(immutable)")
            #expect(try text(house) == Self.resolver)

            let mounted = "\(house.directory)/mounted"
            try Self.resolver.write(toFile: mounted, atomically: true, encoding: .utf8)
            // A read-only file system, and a file that is mounted over it, as container runtimes do it.
            for (mount, undo, reason) in [
                (["-o", "remount,bind,ro", "/etc"], ["mount", "-o", "remount,bind,rw", "/etc"], "read-only"),
                (["--bind", mounted, "/etc/resolv.conf"], ["umount", "/etc/resolv.conf"], "mounted over"),
            ] {
                let pid = try #require(house.daemon?.processIdentifier)
                let inside = ["nsenter", "--target", "\(pid)", "--mount"]
                try Command.must(inside + ["mount"] + mount)
                let refused = try host(house, "enable")
                try Command.must(inside + undo)
                #expect(refused.status == 1 && refused.err.contains("nothing was changed"), "\(refused)")
                #expect(refused.err.contains(reason), "\(refused)")
                #expect(try text(house) == Self.resolver)
            }
            // Somebody who is not root, and whom the daemon does not know.
            let pid = try #require(house.daemon?.processIdentifier)
            let nobody = try Command.run(
                ["nsenter", "--target", "\(pid)", "--mount", "--net", "setpriv", "--reuid=65534", "--clear-groups"]
                    + ["\(House.binaries)/intercomctl", "--socket", house.socket, "host", "enable"])
            #expect(nobody.status == 1 && nobody.err.contains("root"), "\(nobody)")
            #expect(try text(house) == Self.resolver)
            #expect(!house.log.contains("the host itself is served"), "\(house.log)")

            try "search example\n".write(toFile: house.resolver, atomically: true, encoding: .utf8)
            let empty = try host(house, "enable")
            #expect(empty.status == 1 && empty.err.contains("names no other DNS server"), "\(empty)")
            #expect(try text(house) == "search example\n")

            try FileManager.default.removeItem(atPath: house.resolver)
            try Command.must(["ln", "-s", "../run/systemd/resolve/stub-resolv.conf", house.resolver])
            let stub = try host(house, "enable")
            #expect(stub.status == 1 && stub.err.contains("systemd-resolved"), "\(stub)")
            #expect(stub.err.contains("nothing was changed"), "\(stub)")
        }
    }
}
