// The host's own namespace: whatever way somebody names to it, nothing is made there.

import Foundation
import Testing

@Suite("The host's namespace, and the daemon's,", .needsRoot)
struct HostNamespaceTests {
    /// All ways to the namespace that plays the host, where the daemon is, and to the machine's.
    private func ways(_ house: House) throws -> [[String]] {
        let daemon = try #require(house.daemon?.processIdentifier)
        let thread = try #require(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon)/task").first)
        // Below /run/netns, where the daemon sees what is mounted.
        let bound = house.path("bound")
        let link = "\(house.directory)/link"
        try house.command("touch", bound)
        try house.command("mount", "--bind", house.path("house"), bound)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/proc/\(daemon)/ns/net")
        let first = house.path("first")
        try house.command("touch", first)
        // In a container the first process may be out of our sight, and so is its namespace's file.
        let isMounted = (try? house.command("mount", "--bind", "/proc/1/ns/net", first)) != nil
        let linkToFirst = "\(house.directory)/link-to-first"
        try FileManager.default.createSymbolicLink(atPath: linkToFirst, withDestinationPath: "/proc/1/ns/net")
        return [
            ["--pid", "1"], ["--pid", "\(daemon)"], ["--netns", "/proc/1/ns/net"], ["--netns", "/proc/self/ns/net"],
            ["--netns", "/proc/thread-self/ns/net"], ["--netns", "/proc/\(daemon)/ns/net"],
            ["--netns", "/proc/\(daemon)/task/\(thread)/ns/net"], ["--netns", house.path("house")],
            ["--netns", bound], ["--netns", link], ["--netns", "/proc/\(daemon)/root\(house.path("house"))"],
            ["--netns", linkToFirst],
        ] + (isMounted ? [["--netns", first]] : [])
    }

    private func expectNothing(in house: House) throws {
        #expect(try house.run(in: "house", ["ss", "-Hlnut", "src", "127.0.0.11"]).text == "")
        #expect(try house.run(in: "house", ["nft", "list", "ruleset"]).text == "")
    }

    private func check(_ house: House) throws {
        for way in try ways(house) {
            for options in [
                [], ["--listen", "redirect"], ["--intercept"], ["--intercept=10.9.0.1,fd09::1"],
                ["--replace", "--intercept"],
            ] {
                let refused = try Command.run(
                    ["\(House.binaries)/intercomctl", "--socket", house.socket, "container", "add", "evil"] + way
                        + options)
                #expect(refused.status == 1, "\(way)")
                // That of the machine's first process may be hidden from us.
                let isOfFirst = ["1", "/proc/1/ns/net"].contains(way[1]) || way[1].hasSuffix("/link-to-first")
                let isHidden = isOfFirst && refused.err.contains("Permission denied")
                #expect(isHidden || refused.err.contains("is the host's own network namespace"), "\(way): \(refused)")
            }
        }
        try expectNothing(in: house)
        #expect(try !house.ctl("container", "ls").out.contains("evil"))
    }

    @Test("get no listener and no rules, whatever path or process is named")
    func byHand() throws {
        try House.lend(configuration: House.undiscovered) { house in try check(house) }
    }

    @Test("get none from the opener either")
    func byOpener() throws {
        try House.lend(configuration: House.undiscovered) { house in
            _ = house.stopDaemon()
            let opener = "\(house.directory)/opener.sock"
            try house.start(
                in: "house", ["\(House.binaries)/intercomd", "--opener", "--opener-socket", opener], log: "opener")
            #expect(eventually { FileManager.default.fileExists(atPath: opener) })
            try house.startDaemon(House.undiscovered, options: ["--opener-socket", opener])
            try check(house)
        }
    }

    @Test("are not entered by way of a process that moves there while it is being added")
    func mover() throws {
        try House.lend(configuration: House.undiscovered) { house in
            _ = try house.namespace("web")
            let script = """
                import ctypes, os, sys
                fds = [os.open(path, os.O_RDONLY) for path in sys.argv[1:]]
                print("moving", flush=True)
                while True:
                    for fd in fds: ctypes.CDLL(None).setns(fd, 0x40000000)
                """
            let mover = try house.start(
                in: "web", ["python3", "-c", script, house.path("web"), house.path("house")], log: "mover")
            #expect(
                eventually {
                    (try? String(contentsOfFile: "\(house.directory)/mover", encoding: .utf8)) == "moving\n"
                })
            for _ in 0..<40 {
                _ = try house.ctl(
                    "container", "add", "evil", "--pid", "\(mover.processIdentifier)", "--listen", "redirect")
                try expectNothing(in: house)
                _ = try house.ctl("container", "rm", "evil")
            }
            House.kill(mover)
        }
    }
}
