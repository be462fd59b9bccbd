// Limits of the group's members with a daemon that runs as root: files and namespaces.

import Foundation
import Testing

@Suite("A member of the group", .needsRoot)
struct GroupTests {
    /// A house with a directory for resolv.conf files, and one beside it that is none of ours.
    private func lend(_ body: (House, _ files: String, _ outside: String) throws -> Void) throws {
        try House.lend(configuration: House.undiscovered) { house in
            #expect(house.stopDaemon() == 0)
            let files = "\(house.directory)/files"
            let outside = "\(house.directory)/outside"
            for directory in [files, outside] {
                try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
            }
            try house.startDaemon("[server]\nresolv-conf-directories = [\"\(files)\"]\n\(House.undiscovered)")
            try house.mustCtl("network", "create", "n")
            _ = try house.namespace("web")
            try body(house, files, outside)
        }
    }

    private func add(_ file: String, _ house: House) throws -> Output {
        try house.ctl("container", "add", "web", "--netns", house.path("web"), "--network", "n", "--resolv-conf", file)
    }

    private func read(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    private static let ours = "# Written by intercomd: this is not what it is.\n"

    // MARK: - Files

    @Test("cannot have a file written outside the directories of the configuration, nor learn what is there")
    func outside() throws {
        try lend { house, files, outside in
            try Self.ours.write(toFile: "\(outside)/there", atomically: true, encoding: .utf8)
            var messages: Set<String> = []
            for path in [
                "\(outside)/there", "\(outside)/absent", "\(outside)/absent/x", "/etc/shadow", "/etc/absent", "/etc",
                "\(files)/../outside/there", "\(files)/x/../../outside/there", "\(files)/./x", "\(files)//x", files,
                "\(files)/", "\(files)more/x", "/proc/self/root\(outside)/there", "/etc/netns/../x", "/",
            ] {
                let refused = try add(path, house)
                #expect(refused.status == 1, "\(path): \(refused)")
                messages.insert(refused.err.replacing("\(path):", with: "PATH:"))
            }
            #expect(messages.count == 1, "\(messages)")
            #expect(messages.allSatisfy { $0.contains("\(files) ([server] resolv-conf-directories)") }, "\(messages)")
            #expect(read("\(outside)/there") == Self.ours)
            #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == ["there"])
            #expect(try add("\(files)/job/resolv.conf", house).status == 0)
            #expect(read("\(files)/job/resolv.conf")?.contains("nameserver 127.0.0.11") == true)
            try house.mustCtl("container", "rm", "web")
            #expect(read("\(files)/job/resolv.conf") == nil)
        }
    }

    @Test("cannot have it follow links, take over a file of two names, wait for a pipe, or write where others may")
    func traps() throws {
        try lend { house, files, outside in
            let manager = FileManager.default
            try Self.ours.write(toFile: "\(outside)/there", atomically: true, encoding: .utf8)
            try manager.createSymbolicLink(atPath: "\(files)/link", withDestinationPath: "\(outside)/there")
            try manager.createSymbolicLink(atPath: "\(files)/dangling", withDestinationPath: "\(outside)/absent")
            try manager.createSymbolicLink(atPath: "\(files)/links", withDestinationPath: outside)
            try manager.linkItem(atPath: "\(outside)/there", toPath: "\(files)/hard")
            try manager.createDirectory(atPath: "\(files)/directory", withIntermediateDirectories: false)
            try manager.createDirectory(atPath: "\(files)/open", withIntermediateDirectories: false)
            try Command.must(["chmod", "777", "\(files)/open"])
            try Command.must(["mkfifo", "\(files)/pipe"])
            try "nameserver 192.0.2.1\n".write(toFile: "\(files)/theirs", atomically: true, encoding: .utf8)
            for name in [
                "link", "dangling", "links/there", "links/new", "hard", "directory", "open/new", "pipe", "pipe/new",
                "theirs", "theirs/new",
            ] {
                let start = ContinuousClock.now
                let refused = try add("\(files)/\(name)", house)
                #expect(refused.status == 1, "\(name): \(refused)")
                #expect(start.duration(to: .now) < .seconds(5), "\(name)")
            }
            #expect(read("\(outside)/there") == Self.ours)
            #expect(try manager.contentsOfDirectory(atPath: outside) == ["there"])
            #expect(try manager.contentsOfDirectory(atPath: "\(files)/open") == [])
            #expect(read("\(files)/theirs") == "nameserver 192.0.2.1\n")
            #expect(try house.ctl("container", "ls", "--json").out.contains("\"web\"") == false)
        }
    }

    @Test("cannot have it write or remove elsewhere by swapping a directory for a link meanwhile")
    func swapped() throws {
        try lend { house, files, outside in
            let other = "\(files)/other"
            try FileManager.default.createDirectory(atPath: "\(files)/job", withIntermediateDirectories: false)
            try FileManager.default.createSymbolicLink(atPath: other, withDestinationPath: outside)
            // RENAME_EXCHANGE, again and again.
            let script = """
                import ctypes, sys
                libc = ctypes.CDLL(None)
                a, b = (path.encode() for path in sys.argv[1:])
                while True: libc.renameat2(-100, a, -100, b, 2)
                """
            let swapper = try house.start(
                in: "house", ["python3", "-c", script, "\(files)/job", other], log: "swapper")
            defer { House.kill(swapper) }
            for _ in 0..<60 {
                if try add("\(files)/job/resolv.conf", house).status == 0 {
                    try house.mustCtl("container", "rm", "web")
                }
                #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == [])
            }
            House.kill(swapper)
            // And what is removed is not what the path names by now.
            try Self.ours.write(toFile: "\(outside)/resolv.conf", atomically: true, encoding: .utf8)
            #expect(try add("\(files)/new/resolv.conf", house).status == 0)
            try FileManager.default.moveItem(atPath: "\(files)/new", toPath: "\(files)/old")
            try FileManager.default.createSymbolicLink(atPath: "\(files)/new", withDestinationPath: outside)
            try house.mustCtl("container", "rm", "web")
            #expect(read("\(outside)/resolv.conf") == Self.ours)
        }
    }

    // MARK: - Namespaces

    @Test("cannot have the daemon's own namespace or the machine's served, by whatever path or process")
    func hostNamespace() throws {
        try lend { house, files, _ in
            let daemon = try #require(house.daemon?.processIdentifier)
            try FileManager.default.createSymbolicLink(
                atPath: "\(files)/host", withDestinationPath: house.path("house"))
            try FileManager.default.createSymbolicLink(atPath: "\(files)/one", withDestinationPath: "/proc/1/ns/net")
            for source in [
                ["--netns", house.path("house")], ["--netns", "/proc/self/ns/net"],
                ["--netns", "/proc/\(daemon)/ns/net"], ["--netns", "/proc/\(daemon)/task/\(daemon)/ns/net"],
                ["--netns", "\(files)/host"], ["--pid", "\(daemon)"],
                ["--netns", "/proc/1/ns/net"], ["--netns", "\(files)/one"], ["--pid", "1"],
            ] {
                for options in [
                    ["--listen", "direct"], ["--listen", "redirect"], ["--intercept"],
                    ["--intercept=10.9.0.1", "--replace"],
                ] {
                    let refused = try Command.run(
                        ["\(House.binaries)/intercomctl", "--socket", house.socket, "container", "add", "host"]
                            + source + ["--network", "n"] + options)
                    #expect(refused.status == 1, "\(source) \(options): \(refused)")
                    // If these tests run in a container, its root may not even look at the first process.
                    let isSeen = refused.err.contains("own network namespace") || refused.err.contains("denied")
                    #expect(isSeen, "\(source): \(refused)")
                }
            }
            let sockets = try house.run(in: "house", ["ss", "--no-header", "--listening", "--udp", "--tcp"]).text
            #expect(!sockets.contains("127.0.0.11"), "\(sockets)")
            #expect(try house.run(in: "house", ["nft", "list", "ruleset"]).text == "")
        }
    }
}
