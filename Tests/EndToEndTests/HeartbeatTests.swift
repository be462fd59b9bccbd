// Signs of life for the service manager (sd_watchdog_enabled(3)) while there is much to do.

import Foundation
import Testing

@Suite("Signs of life", .needsRoot)
struct HeartbeatTests {
    private static let count = 1000
    /// A tenth of the units' WatchdogSec=30s.
    private static let longestSilence = 3.0
    /// Asked for five times a second, so that a silence is seen.
    private static let watchdog = "WATCHDOG_USEC=400000"

    /// Stands for the service manager: writes the time of each `WATCHDOG=1`, by monotonic clock, to a file.
    private static let manager = """
        import os, select, socket, sys, time
        sockets = {}
        for name in ("daemon", "opener"):
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.bind("%s/%s.notify" % (sys.argv[1], name))
            sockets[s] = open("%s/%s.beats" % (sys.argv[1], name), "w", buffering=1)
        while True:
            for s in select.select(list(sockets), [], [])[0]:
                # Descriptors that come along are closed by the kernel.
                if b"WATCHDOG=1" in s.recv(65536): sockets[s].write("%f\\n" % time.monotonic())
        """

    private static let flood = """
        import socket, time
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4)]
        query = bytes.fromhex("123401000001000000000000") + b"\\x02c1" + bytes.fromhex("0000010001")
        for s in sockets: s.setblocking(False), s.connect(("127.0.0.11", 53))
        while True:
            for s in sockets:
                try: s.send(query)
                except OSError: pass
        """

    @Test("come in time from daemon and opener while 1,000 containers come and go, and one floods us")
    func load() throws {
        try House.lend(configuration: House.undiscovered) { house in
            _ = house.stopDaemon()
            try house.start(in: "house", ["python3", "-c", Self.manager, house.directory], log: "manager")
            let opener = "\(house.directory)/opener.sock"
            #expect(eventually { FileManager.default.fileExists(atPath: "\(house.directory)/opener.beats") })
            func manager(_ name: String) -> [String] {
                ["env", "NOTIFY_SOCKET=\(house.directory)/\(name).notify", Self.watchdog]
            }
            try house.start(
                in: "house",
                manager("opener") + ["\(House.binaries)/intercomd", "--opener", "--opener-socket", opener],
                log: "opener")
            #expect(eventually { FileManager.default.fileExists(atPath: opener) })
            try house.startDaemon(
                "[discover]\nexclude = [\"house\"]\n", options: ["--opener-socket", opener], under: manager("daemon"))
            _ = try house.namespace("flooder")
            #expect(try eventually { try house.dig("flooder", "localhost").data == ["127.0.0.1"] }, "\(house.log)")
            let flooder = try house.start(in: "flooder", ["python3", "-c", Self.flood], log: "flood")
            try change("add", house)
            let isAttached = try eventually(within: 120) {
                try house.ctl("status").out.split(separator: "\n").contains {
                    $0.hasPrefix("listeners ") && $0.split(separator: " ").dropFirst().first == "\(Self.count + 1)"
                }
            }
            #expect(isAttached, "\(try? house.ctl("status"))\n\(house.log.suffix(2000))")
            try change("del", house)
            let areGone = try eventually(within: 60) {
                try house.ctl("container", "ls").out.split(separator: "\n").count { $0.contains("/run/netns/n") } == 0
            }
            #expect(areGone, "\(house.log.suffix(2000))")
            House.kill(flooder)
            for name in ["daemon", "opener"] {
                // A quick machine is done before there are enough.
                var beats: [Double] = []
                let areEnough = try eventually(within: 10) {
                    let text = try String(contentsOfFile: "\(house.directory)/\(name).beats", encoding: .utf8)
                    beats = text.split(separator: "\n").compactMap { Double($0) }
                    return beats.count > 10
                }
                let silences = zip(beats, beats.dropFirst()).map { $1 - $0 }
                #expect(areEnough, "\(beats.count) signs")
                #expect(silences.max() ?? .infinity < Self.longestSilence, "\(name), of \(beats.count) signs")
            }
        }
    }

    /// Makes or deletes the namespaces, as fast as ip(8) can.
    private func change(_ verb: String, _ house: House) throws {
        let file = "\(house.directory)/\(verb)"
        let lines = (0..<Self.count).map { "netns \(verb) n\($0)\n" }.joined()
        try lines.write(toFile: file, atomically: true, encoding: .utf8)
        try house.command("ip", "-batch", file)
    }
}
