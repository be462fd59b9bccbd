// intercom-runtimes podman with files as netavark writes them, and with odd ones.

import Foundation
import Testing

@Suite("intercom-runtimes podman")
struct PodmanAdapterTests {
    private static func id(_ character: Character) -> String { String(repeating: character, count: 64) }

    /// Directories of podman's in a house, which need not be there yet.
    private struct Files {
        let house: AdapterHouse
        var directory: String { "\(house.directory)/run/aardvark-dns" }
        var networks: String { "\(house.directory)/networks" }

        func make() throws {
            for path in [directory, networks] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
        }

        func write(_ text: String, to network: String) throws {
            // In place, as netavark does.
            try text.write(toFile: "\(directory)/\(network)", atomically: false, encoding: .utf8)
        }

        func remove(_ network: String) throws { try FileManager.default.removeItem(atPath: "\(directory)/\(network)") }

        var options: [String] { ["podman", "--directory", directory, "--networks", networks] }

        func startAdapter() throws -> Process {
            try house.start(
                ["\(house.directory)/intercom-runtimes"] + options + ["--control", house.control], log: "log"
            ).process
        }
    }

    private static let front = "10.89.0.1\n\(id("a")) 10.89.0.2 fd00::2 web,site,aaaaaaaaaaaa\n"

    @Test("--once prints what it would publish: names, aliases, addresses, and the bridge of each network")
    func once() throws {
        let files = Files(house: try AdapterHouse())
        try files.make()
        try files.write(Self.front, to: "front")
        try files.write("10.89.1.1\n\(Self.id("a")) 10.89.1.2  web,aaaaaaaaaaaa\n", to: "back%int")
        try files.write("4711", to: "aardvark.pid")
        try #"{"name":"front","id":"e2a6","network_interface":"podman1","subnets":[{"subnet":"10.89.0.0/24"}]}"#.write(
            toFile: "\(files.networks)/front.json", atomically: true, encoding: .utf8)
        let output = try files.house.program(files.options + ["--once"])
        #expect(output.status == 0 && output.err.isEmpty, "\(output)")
        let call = try JSONDecoder().decode(AdapterHouse.Call.self, from: Data(output.out.utf8))
        #expect(call.source == "podman" && call.networks?.map(\.name) == ["back", "front"])
        #expect(output.out.contains(#""interface" : "podman1""#) && output.out.contains("10.89.0.0/24"))
        #expect(output.out.contains(#""internal" : true"#))
        let web = try #require(call.containers?.first)
        #expect(call.containers?.count == 1 && web.id == Self.id("a") && web.name == "web" && web.pid == nil)
        #expect(web.networks?.map(\.name) == ["back", "front"])
        #expect(web.networks?.map { $0.addresses ?? [] } == [["10.89.1.2"], ["10.89.0.2", "fd00::2"]])
        #expect(web.networks?.map { $0.aliases ?? [] } == [[], ["site"]])
    }

    @Test("--once of a directory that is not there yet is nothing; of one that is none fails with 1 and one line")
    func onceWithout() throws {
        let files = Files(house: try AdapterHouse())
        #expect(try files.house.program(files.options + ["--once"]).status == 0)
        let output = try files.house.program(["podman", "--once", "--directory", "/etc/passwd"])
        #expect(output.status == 1 && output.err == "intercom-runtimes: opendir /etc/passwd: Not a directory\n")
    }

    @Test("A directory that comes later, and each change in it, is published at once")
    func follows() throws {
        let files = Files(house: try AdapterHouse())
        let house = files.house
        try house.startControl()
        let adapter = try files.startAdapter()
        #expect(eventually { house.taken.count == 1 }, "\(house.log)")
        try files.make()
        try files.write(Self.front, to: "front")
        #expect(eventually { house.known.containers == [Self.id("a"): "web"] }, "\(house.log)")
        let start = ContinuousClock.now
        try files.write(Self.front + "\(Self.id("b")) 10.89.0.3  db.1,bbbbbbbbbbbb\n", to: "front")
        #expect(eventually { house.known.containers[Self.id("b")] == "db.1" }, "\(house.log)")
        // The poll's pause is 20 ms, and python writes the file.
        #expect(ContinuousClock.now - start < .milliseconds(200), "\(ContinuousClock.now - start)")
        #expect(house.taken.last?.method == "Update" && house.taken.last?.put?.count == 1)
        // podman network connect, disconnect, and the end of all.
        try files.write("10.89.1.1\n\(Self.id("a")) 10.89.1.2  web,aaaaaaaaaaaa\n", to: "back")
        #expect(eventually { house.taken.last?.put?.first?.networks?.map(\.name) == ["back", "front"] })
        try files.remove("back")
        #expect(eventually { house.known.networks == ["front"] })
        try files.remove("front")
        #expect(eventually { house.known.containers.isEmpty && house.known.networks.isEmpty })
        // All of it goes and comes again, as when /run is emptied.
        try FileManager.default.removeItem(atPath: "\(house.directory)/run")
        try files.make()
        try files.write(Self.front, to: "front")
        #expect(eventually { house.known.containers == [Self.id("a"): "web"] }, "\(house.log)")
        #expect(adapter.isRunning && house.log.count == 1, "\(house.log)")
        adapter.terminate()
        adapter.waitUntilExit()
        #expect(adapter.terminationStatus == 0)
    }

    @Test(
        "Files that are torn or odd do no harm to others, and are said once",
        arguments: [
            "", "10.89.2.1", "10.89.2.1\n\(PodmanAdapterTests.id("c")) 10.89.2.2", "\u{0}\u{1B}[31m\n\n\n x y z",
            "10.89.2.1\n\(PodmanAdapterTests.id("c")) 10.89.2.2  *,..,\\,\(String(repeating: "n", count: 64))\n",
        ])
    func odd(text: String) throws {
        let files = Files(house: try AdapterHouse())
        let house = files.house
        try files.make()
        try house.startControl()
        try files.write(text, to: "odd")
        let pipe = "\(files.directory)/pipe"
        try Command.must(["mkfifo", pipe])
        try FileManager.default.createSymbolicLink(atPath: "\(files.directory)/zero", withDestinationPath: "/dev/zero")
        try files.write(Self.front, to: "front")
        _ = try files.startAdapter()
        #expect(eventually { house.known.containers[Self.id("a")] == "web" }, "\(house.log)")
        try files.write(Self.front + "\(Self.id("b")) 10.89.0.3  db,bbbbbbbbbbbb\n", to: "front")
        #expect(eventually { house.known.containers[Self.id("b")] == "db" }, "\(house.log)")
        for name in ["pipe", "zero"] {
            #expect(house.log.filter { $0.contains("/\(name) is passed over") }.count == 1, "\(house.log)")
        }
        #expect(house.log.count <= 5 && !house.log.joined().contains("\u{1B}"), "\(house.log)")
    }
}
