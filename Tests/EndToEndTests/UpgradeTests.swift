// Configuration and state of earlier versions, as they wrote them: Before/VERSION.

import Foundation
import Testing

@Suite("What an earlier version has left behind", .needsRoot)
struct UpgradeTests {
    private static func file(_ name: String, of version: String) throws -> String {
        let path = "\(House.repository)/Tests/EndToEndTests/Before/\(version)/\(name)"
        return try String(contentsOfFile: path, encoding: .utf8)
    }

    /// Puts a state file where the daemon looks for it, and starts the daemon.
    private static func start(_ house: House, _ configuration: String, state: String) throws {
        #expect(house.stopDaemon() == 0)
        try state.write(toFile: "\(house.state)/declarations", atomically: true, encoding: .utf8)
        try house.startDaemon(configuration)
    }

    @Test(
        "is in force as it was: networks, routes, containers, addresses, names, ports", arguments: ["0.1.0", "0.2.0"])
    func everything(version: String) throws {
        try House.lend { house in
            try Self.start(
                house, try Self.file("intercom.toml", of: version), state: try Self.file("declarations", of: version))
            let networks = try house.ctl("network", "ls").out
            #expect(networks.contains("backend") && networks.contains("frontend") && !networks.contains("gone"))
            let frontend = try house.ctl("network", "inspect", "frontend").out
            for text in ["10.1.0.0/24", "fd00:1::/64", "192.0.2.53", "corp.example", "30"] {
                #expect(frontend.contains(text), "\(text): \(frontend)")
            }
            #expect(try house.ctl("container", "inspect", "old").status == 1, "it had been removed")
            #expect(try house.ctl("reload").description == "exit 0\n")

            try house.container("app", "--network", "frontend,ip=10.1.0.3", "--network", "backend,ip=10.2.0.3")
            #expect(try house.dig("app", "vm").data == ["10.1.0.9"])
            #expect(try house.dig("app", "vm.backend.lan").data == ["10.2.0.9"])
            #expect(try house.dig("app", "any.store.test").data == ["10.2.0.2"])
            #expect(try house.dig("app", "_postgres._tcp.db", "SRV").data == ["0 0 5432 db.backend.lan."])
        }
    }

    @Test("is in force where it is refused today: an internal network with upstreams, which it never asked")
    func internalWithUpstreams() throws {
        try House.lend { house in
            let state = """
                intercom-declarations 1 7c6c8a3e-5b1c-4f0e-9d5a-0c5f1f4c1a11
                55a2c1b8 {"method":"intercom.Control.CreateNetwork","parameters":{"internal":true,"name":"alone","routes":[],"subnets":[],"upstreams":["192.0.2.53"]}}

                """
            try Self.start(house, "", state: state)
            let network = try house.ctl("network", "inspect", "alone").out
            #expect(network.contains("internal") && !network.contains("192.0.2.53"), "\(network) \(house.log)")
            #expect(!house.log.contains("error"), "\(house.log)")
        }
    }

    @Test("by a later version, in a format that is not known, is set aside with a warning; the daemon starts")
    func laterVersion() throws {
        try House.lend { house in
            let state = try Self.file("declarations", of: "0.1.0")
                .replacingOccurrences(of: "intercom-declarations 1", with: "intercom-declarations 2")
            try Self.start(house, "[[network]]\nname = \"n\"\n", state: state)
            #expect(try house.ctl("network", "ls").out.contains("configuration"))
            #expect(house.log.contains("its version is 2, and this program knows 1"), "\(house.log)")
            let files = try FileManager.default.contentsOfDirectory(atPath: house.state)
            #expect(files.contains { $0.hasPrefix("declarations.damaged") }, "\(files)")
            try house.mustCtl("network", "create", "m")
        }
    }
}
