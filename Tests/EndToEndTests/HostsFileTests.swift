// Files in the form of hosts(5): answered, followed as they change, and never half in force.

import Foundation
import Testing

@Suite("Files of hosts", .needsRoot)
struct HostsFileTests {
    private func configuration(_ directory: String) -> String {
        """
        [server]
        hosts = ["\(directory)/all"]
        [[network]]
        name = "n"
        hosts = ["\(directory)/dev.d"]
        [[network]]
        name = "other"
        """
    }

    @Test("are answered with their addresses' names, by network, and followed as files come, change and go")
    func followed() throws {
        let directory = "/run/intercom-hosts-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: "\(directory)/dev.d", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        func write(_ file: String, _ text: String) throws {
            try text.write(toFile: "\(directory)/\(file)", atomically: true, encoding: .utf8)
        }
        try write("all", "127.0.0.1 localhost mine.test\n10.9.0.1 api.test api\n")
        try write("dev.d/one", "10.9.0.2 dev.test\n")
        try House.lend(configuration: configuration(directory)) { house in
            try house.container("app", "--network", "n")
            try house.container("far", "--network", "other")
            func answer(_ container: String, _ name: String...) throws -> [String] {
                name.count > 1 ? try house.dig(container, "-x", name[1]).data : try house.dig(container, name[0]).data
            }
            #expect(try answer("far", "api.test") == ["10.9.0.1"] && answer("app", "api") == ["10.9.0.1"])
            #expect(try answer("far", "-x", "10.9.0.1") == ["api.test."])
            #expect(try answer("app", "dev.test") == ["10.9.0.2"] && answer("app", "mine.test") == [])
            #expect(try answer("far", "dev.test") != ["10.9.0.2"])
            let listed = try house.ctl("--json", "record", "ls").out.replacing("\\/", with: "/")
            #expect(listed.contains("\(directory)/all") && listed.contains("\(directory)/dev.d/one"), "\(listed)")

            try write("dev.d/two", "10.9.0.3 two.test\n")
            #expect(try eventually { try answer("app", "two.test") == ["10.9.0.3"] })
            try write("dev.d/one", "10.9.0.4 dev.test\n")
            #expect(try eventually { try answer("app", "dev.test") == ["10.9.0.4"] })
            try FileManager.default.removeItem(atPath: "\(directory)/dev.d/two")
            #expect(try eventually { try answer("app", "two.test") == [] })

            // Over 10 MiB: what was in force stays, and it is said.
            try write("all", "10.9.0.9 api.test\n" + String(repeating: "# 0123456789\n", count: 900_000))
            #expect(
                try eventually { try house.ctl("--json", "status").out.contains("more than 10 MiB") }, "\(house.log)")
            #expect(try answer("far", "api.test") == ["10.9.0.1"])
            try write("all", "10.9.0.9 api.test\n")
            #expect(try eventually { try answer("far", "api.test") == ["10.9.0.9"] })
            #expect(try !house.ctl("--json", "status").out.contains("more than 10 MiB"))
        }
    }
}
