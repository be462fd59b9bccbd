// Readiness, where each fact comes from, and what status warns of: as operators see them.

import Foundation
import Testing

@Suite("A container's state", .needsRoot)
struct ContainerStateTests {
    @Test("draining takes it out of aliases that others serve, and out of nothing else")
    func draining() throws {
        try House.lend(configuration: "[[network]]\nname = \"front\"\n") { house in
            for number in 1...2 {
                try house.container("r\(number)", "--network", "front,ip=10.0.0.\(number),alias=site", "--port", "80")
            }
            #expect(try house.dig("r1", "site").data == ["10.0.0.1", "10.0.0.2"])
            try house.mustCtl("container", "drain", "r1")
            #expect(try house.dig("r1", "site").data == ["10.0.0.2"])
            #expect(try house.dig("r2", "_80._tcp.site", "SRV").data == ["0 0 80 r2.front.internal."])
            #expect(try house.dig("r2", "r1").data == ["10.0.0.1"])
            #expect(try house.dig("r2", "-x", "10.0.0.1").data == ["r1.front.internal."])
            let listed = try house.ctl("container", "ls").lines.filter { $0.hasPrefix("r") }
            #expect(listed.map { $0.contains("draining") } == [true, false], "\(listed)")
            try house.mustCtl("container", "drain", "r2")
            #expect(try house.dig("r1", "site").data == ["10.0.0.1", "10.0.0.2"], "all are draining: all answer")
            try house.mustCtl("container", "ready", "r1")
            #expect(try house.dig("r1", "site").data == ["10.0.0.1"])
            try house.mustCtl("container", "rm", "r1")
            #expect(try house.dig("r2", "site").data == ["10.0.0.2"])
            let refused = try house.ctl("container", "drain", "nobody")
            #expect(refused.status == 1 && refused.err.hasPrefix("intercomctl: no container nobody"), "\(refused)")
        }
    }

    @Test("is shown with where each fact comes from")
    func facts() throws {
        try House.lend(configuration: "[[network]]\nname = \"front\"\nsubnets = [\"10.0.0.0/24\"]\n") { house in
            try house.container(
                "web", "--network", "front,ip=10.0.0.2,alias=site", "--hostname", "www.example", "--listen", "direct")
            let inspected = try house.ctl("container", "inspect", "web").lines.map {
                $0.split(separator: " ").joined(separator: " ")
            }
            for line in [
                "name web - control", "netns \(house.path("web")) - control", "hostname www.example - control",
                "network front - control", "address 10.0.0.2 front control", "alias site front control",
            ] { #expect(inspected.contains(line), "\(line): \(inspected)") }
            let network = try house.ctl("network", "inspect", "front").lines.map {
                $0.split(separator: " ").joined(separator: " ")
            }
            for line in ["name front - configuration", "subnet 10.0.0.0/24 - configuration"] {
                #expect(network.contains(line), "\(line): \(network)")
            }
        }
    }

    @Test("is warned of where it could not be attached, with the reason, until it is")
    func warnings() throws {
        try House.lend { house in
            let path = house.path("late")
            // The namespace that plays the host has a file, too.
            let alone = "[discover]\nexclude = [\"house\"]\n"
            try """
            \(alone)
            [[network]]
            name = "front"
            interface = "br0"
            [[network]]
            name = "back"
            interface = "br0"
            [[container]]
            name = "late"
            netns = "\(path)"
            networks = ["front"]
            """.write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            func warnings() throws -> [String] {
                let status = try house.ctl("status", "--json").out
                let object = try JSONSerialization.jsonObject(with: Data(status.utf8)) as? [String: Any]
                return object?["warnings"] as? [String] ?? []
            }
            let before = try warnings()
            #expect(before.count == 2, "\(before)")
            #expect(
                before.contains { $0.hasPrefix("container late of the configuration: \(path) is no network namespace") }
            )
            #expect(before.contains { $0.hasPrefix("network back of the configuration: interface br0 is that of") })
            #expect(try house.ctl("status").out.contains("\nWARNINGS\n"))
            _ = try house.namespace("late")
            #expect(try eventually { try warnings().count == 1 })
            try alone.write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            #expect(try warnings() == [])
            #expect(try !house.ctl("status").out.contains("WARNINGS"))
        }
    }
}
