// Links to containers that come later, go, and come back under another name.

import Foundation
import Testing

@Suite("A link", .needsRoot)
struct LinkTests {
    private static let configuration = House.undiscovered + "[[network]]\nname = \"n\"\n[[network]]\nname = \"other\"\n"

    @Test("to a container that is not there yet holds as soon as it comes, until it goes, and again when it is back")
    func later() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("app", "--network", "n,ip=10.0.0.2", "--link", "db:store")
            #expect(try house.dig("app", "store").status == "NXDOMAIN")
            #expect(try house.ctl("container", "inspect", "app").out.contains("db:store"))

            try house.container("db", "--network", "n,ip=10.0.0.3")
            #expect(try house.dig("app", "store").data == ["10.0.0.3"])
            #expect(try house.dig("db", "store").status == "NXDOMAIN", "the link is app's alone")

            try house.mustCtl("container", "rm", "db")
            #expect(try house.dig("app", "store").status == "NXDOMAIN")

            // Renamed: another name for the same namespace, which is not the link's target, and back.
            let namespace = house.path("db")
            try house.mustCtl("container", "add", "db2", "--netns", namespace, "--network", "n,ip=10.0.0.3")
            #expect(try house.dig("app", "store").status == "NXDOMAIN")
            try house.mustCtl("container", "rm", "db2")
            try house.mustCtl("container", "add", "db", "--netns", namespace, "--network", "n,ip=10.0.0.4")
            #expect(try house.dig("app", "store").data == ["10.0.0.4"])

            // Its namespace goes, as a runtime removes a container.
            try house.deleteNamespace("db")
            #expect(try eventually { try house.dig("app", "store").status == "NXDOMAIN" })
        }
    }

    @Test("holds over a restart of the daemon, whichever comes first, and only where both share a network")
    func restart() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("app", "--network", "n,ip=10.0.0.2", "--link", "db:store")
            try house.crashDaemon()
            try house.container("db", "--network", "other,ip=10.1.0.3")
            #expect(try house.dig("app", "store").status == "NXDOMAIN", "no network in common")
            try house.mustCtl("network", "connect", "n", "db", "--ip", "10.0.0.3")
            #expect(try house.dig("app", "store").data == ["10.0.0.3"])
            try house.crashDaemon()
            #expect(try eventually { try house.dig("app", "store").data == ["10.0.0.3"] })
        }
    }

    @Test("to itself, of a name that is none, or twice of one name is refused or harmless, with a message")
    func refused() throws {
        try House.lend(configuration: Self.configuration) { house in
            for link in ["db", ":x", "db:", "db:a..b", "db:localhost"] {
                let output = try house.ctl("container", "add", "x", "--network", "n,ip=10.0.0.9", "--link", link)
                #expect(output.status == 1 || output.status == 2, "\(link): \(output)")
                #expect(output.lines.isEmpty && !output.err.isEmpty, "\(link): \(output)")
            }
            try house.container("app", "--network", "n,ip=10.0.0.2", "--link", "app:me")
            #expect(try house.dig("app", "me").data == ["10.0.0.2"])
        }
    }
}
