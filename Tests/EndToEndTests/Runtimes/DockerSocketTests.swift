// intercom-runtimes docker with sockets of Docker's that are well, of several versions, and that are not.

import Foundation
import Testing

@Suite("intercom-runtimes docker")
struct DockerSocketTests {
    private static func id(_ character: Character) -> String { String(repeating: character, count: 64) }

    @Test("--once prints what it would publish of every version of the API", arguments: ["1.41", "1.44", "1.52"])
    func once(version: String) throws {
        let house = try AdapterHouse()
        try house.startDocker(version)
        let output = try house.once()
        #expect(output.status == 0 && output.err.isEmpty, "\(output)")
        let call = try JSONDecoder().decode(AdapterHouse.Call.self, from: Data(output.out.utf8))
        #expect(call.source == "docker")
        #expect(call.networks?.map(\.name).sorted() == ["bridge", "front"])
        // The one in the host's namespace is left out.
        #expect(call.containers?.map(\.name) == ["web", "shop.db.1", "side"])
        let web = try #require(call.containers?.first)
        #expect(web.id == Self.id("a") && web.pid == 4097 && web.hostname == "aaaaaaaaaaaa")
        #expect(web.networks?.map(\.name) == ["bridge"] && web.networks?.first?.addresses == ["172.17.0.2"])
        #expect(web.networks?.first?.aliases == ["*.app.test"])
        #expect(web.draining == true && web.upstreams == ["10.9.9.9"])
        #expect(call.containers?[1].networks?.first?.aliases == ["db"])
        #expect(call.containers?[1].draining == nil)
        #expect(call.containers?[2].namespaceOf == web.id && call.containers?[2].pid == nil)
    }

    @Test("--keep-docker-dns leaves containers on custom networks to Docker")
    func keepDockerDNS() throws {
        let house = try AdapterHouse()
        try house.startDocker("1.52")
        let output = try house.once("--keep-docker-dns")
        let call = try JSONDecoder().decode(AdapterHouse.Call.self, from: Data(output.out.utf8))
        #expect(call.networks?.map(\.name) == ["bridge"])
        #expect(call.containers?.map(\.name) == ["web", "side"])
    }

    private static let faults: [(mode: String, reason: String)] = [
        ("absent", "No such file or directory"), ("stale", "Connection refused"), ("file", "Connection refused"),
        ("hang", "does not answer"), ("cut", "the connection ended in the middle of a response"),
        ("huge", "the body is longer than 33554432 octets"), ("garbage", "cannot be read"),
        ("endless", "the head is longer than 65536 octets"),
        ("refusal", "Docker refused: 400 client version 1.52 is too new. Maximum supported API version is 1.41"),
        ("no-events", "the stream of events has ended"),
    ]

    @Test("--once fails with 1 and one line that says why where Docker's socket is not well", arguments: faults.indices)
    func onceFails(index: Int) throws {
        let (mode, reason) = Self.faults[index]
        let house = try AdapterHouse()
        try house.furnish(mode)
        let output = try house.once()
        #expect(output.status == 1 && output.out.isEmpty, "\(mode): \(output)")
        #expect(output.err.hasPrefix("intercom-runtimes: Docker at \(house.docker) cannot be read: "), "\(output)")
        #expect(output.err.contains(reason) && output.err.split(separator: "\n").count == 1, "\(mode): \(output)")
    }

    @Test(
        "A socket that is not well is tried again, said once, and everything is published when it is",
        arguments: faults.indices)
    func recovers(index: Int) throws {
        let (mode, reason) = Self.faults[index]
        let house = try AdapterHouse()
        try house.startControl()
        let bad = try house.furnish(mode)
        let adapter = try house.startAdapter()
        #expect(eventually(within: 30) { house.log.contains { $0.contains(reason) } }, "\(mode): \(house.log)")
        if let bad { house.stop(bad) }
        try house.startDocker("1.44")
        #expect(eventually(within: 30) { house.known.containers.count == 3 }, "\(mode): \(house.log)")
        #expect(house.known.networks == ["bridge", "front"])
        #expect(adapter.isRunning)
        // Why, perhaps why else while the server was exchanged, and that it is well.
        #expect(house.log.count <= (mode == "garbage" ? 40 : 5), "\(house.log)")
        adapter.terminate()
        adapter.waitUntilExit()
        #expect(adapter.terminationStatus == 0)
    }

    @Test("An event is published within 50 ms, as a change of what is different alone")
    func event() throws {
        let house = try AdapterHouse()
        try house.startControl()
        let docker = try house.startDocker("1.52")
        _ = try house.startAdapter()
        #expect(eventually { house.known.containers.count == 3 }, "\(house.log)")
        let line = #"{"Type":"container","Action":"die","Actor":{"ID":"\#(Self.id("b"))"}}"#
        let start = ContinuousClock.now
        try docker.input.fileHandleForWriting.write(contentsOf: Data("\(line)\n".utf8))
        #expect(eventually { house.known.containers.count == 2 })
        // The poll's pause is 20 ms, and python reads the line and writes the file.
        #expect(ContinuousClock.now - start < .milliseconds(150), "\(ContinuousClock.now - start)")
        #expect(house.taken.last?.method == "Update" && house.taken.last?.gone == [Self.id("b")])
        #expect(house.taken.last?.put == nil && house.taken.last?.networks == nil)
        try docker.input.fileHandleForWriting.write(contentsOf: Data(line.replacing("die", with: "start").utf8 + [10]))
        #expect(eventually { house.known.containers.count == 3 })
        #expect(house.taken.last?.put?.map(\.name) == ["shop.db.1"])
    }

    @Test("A container that starts is published with its event, however long Docker takes for whoever asks then")
    func start() throws {
        let house = try AdapterHouse()
        let docker = try house.startDocker("locked")
        try house.startControl()
        _ = try house.startAdapter()
        #expect(eventually { house.known.containers.count == 3 }, "\(house.log)")
        func send(_ type: String, _ action: String, _ id: String, _ attributes: String = "{}") throws {
            let line = #"{"Type":"\#(type)","Action":"\#(action)","Actor":{"ID":"\#(id)","Attributes":\#(attributes)}}"#
            try docker.input.fileHandleForWriting.write(contentsOf: Data("\(line)\n".utf8))
        }
        let late = Self.id("e")
        try send("network", "connect", Self.id("f"), #"{"container":"\#(late)"}"#)
        // Others are not kept waiting by one that takes its time.
        try send("container", "die", Self.id("b"))
        #expect(eventually { house.known.containers[Self.id("b")] == nil }, "\(house.log)")
        #expect(house.known.containers[late] == nil)
        try send("container", "start", late)
        #expect(eventually(within: 5) { house.known.containers[late] == "late" }, "\(house.log)")
        #expect(house.log.count == 1, "\(house.log)")
    }

    @Test(
        "A daemon that is away, hangs, is old or closes is called again, and gets everything",
        arguments: ["", "hang", "old", "closing"])
    func daemonAway(mode: String) throws {
        let house = try AdapterHouse()
        try house.startDocker("1.52")
        let control = mode.isEmpty ? nil : try house.startControl(mode)
        let adapter = try house.startAdapter()
        if mode == "closing" {
            #expect(eventually { house.taken.count > 1 }, "\(house.log)")
        } else {
            let reason = ["": "no daemon at", "hang": "does not answer", "old": "is of another version"][mode] ?? "?"
            #expect(eventually(within: 20) { house.log.contains { $0.contains(reason) } }, "\(house.log)")
        }
        if let control { house.stop(control) }
        let before = house.taken.count
        try house.startControl()
        #expect(eventually(within: 30) { house.taken.count > before }, "\(house.log)")
        #expect(house.known.containers.count == 3 && house.taken.last?.method == "Publish")
        #expect(house.log.count <= 5, "\(house.log)")
        #expect(adapter.isRunning)
    }

    @Test("One container or network that the daemon refuses is left out with its reason; the others are published")
    func refused() throws {
        for (text, containers, networks) in [("shop.db.1", 2, ["bridge", "front"]), ("ffff", 3, ["bridge"])] {
            let house = try AdapterHouse()
            try house.startControl("refuse:\(text)")
            try house.startDocker("1.52")
            _ = try house.startAdapter()
            let isDone = eventually { house.taken.last?.method == "Publish" }
            #expect(isDone && house.known.containers.count == containers, "\(text): \(house.known) \(house.log)")
            #expect(house.known.networks == networks)
            #expect(house.log.contains { $0.contains("is left out: the daemon refused: bad value") }, "\(house.log)")
        }
    }
}

extension AdapterHouse {
    /// Makes Docker's socket as a fault has it.
    @discardableResult
    fileprivate func furnish(_ mode: String) throws -> Process? {
        switch mode {
        case "absent": return nil
        case "file":
            try Data().write(to: URL(fileURLWithPath: docker))
            return nil
        case "stale":
            let script = "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])"
            try Command.must(["python3", "-c", script, docker])
            return nil
        default: return try startDocker(mode).process
        }
    }
}
