// `container add --replace`, of containers with a namespace.

import Foundation
import Testing

@Suite("A container that is added with --replace", .needsRoot)
struct ReplacementTests {
    private static let configuration = House.undiscovered + "[server]\nworkers = 1\n[[network]]\nname = \"n\"\n"

    private func add(_ house: House, _ options: String...) throws -> Output {
        try house.ctl(["container", "add", "web", "--network", "n,ip=10.0.0.3"] + options)
    }

    @Test("takes the place of the one before in the same namespace, or in another; nothing of that one is left")
    func replaces() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("web", "--network", "n,ip=10.0.0.2", "--hostname", "before")
            try house.container("app", "--network", "n,ip=10.0.0.9")
            _ = try house.namespace("other")
            let refused = try add(house, "--netns", house.path("other"))
            #expect(refused.status == 1 && refused.err.contains("replace it with --replace"), "\(refused)")
            let replaced = try add(house, "--replace", "--listen", "redirect")
            #expect(replaced.status == 0 && replaced.err.isEmpty, "\(replaced)")
            #expect(try house.dig("app", "web").data == ["10.0.0.3"])
            #expect(try house.dig("app", "before").status == "NXDOMAIN")
            #expect(try house.dig("web", "app").data == ["10.0.0.9"], "in the namespace that it had")
            #expect(try house.state(of: "web") == "ready")
            #expect(try add(house, "--replace", "--netns", house.path("other")).status == 0)
            #expect(try house.dig("other", "app").data == ["10.0.0.9"])
            #expect(try house.run(in: "web", ["ss", "-Hlnut"]).text == "", "the listener before is closed")
            #expect(try house.run(in: "web", ["nft", "list", "ruleset"]).text == "")
            try house.crashDaemon()
            #expect(try eventually { try house.dig("other", "app").data == ["10.0.0.9"] })
            #expect(try house.ctl("container", "inspect", "web").out.contains(house.path("other")))
        }
    }

    @Test("is refused where it cannot be had, and the one before is back: with its names, and over a restart")
    func comesBack() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("web", "--network", "n,ip=10.0.0.2")
            try house.container("app", "--network", "n,ip=10.0.0.9")
            try house.mustCtl("network", "create", "back")
            try house.mustCtl("network", "connect", "back", "web", "--ip", "10.2.0.2")
            for options in [
                ["--netns", "/run/netns/none"], ["--netns", house.path("house")], ["--netns", house.path("app")],
                ["--network", "nowhere"], ["--pid", "4194304"],
            ] {
                let refused = try house.ctl(
                    ["container", "add", "web", "--network", "n,ip=10.0.0.3", "--replace"] + options)
                #expect(refused.status == 1, "\(options): \(refused)")
                #expect(try eventually { try house.dig("web", "app").data == ["10.0.0.9"] }, "\(options)")
                #expect(try house.dig("app", "web").data == ["10.0.0.2"], "\(options)")
            }
            try house.crashDaemon()
            #expect(try eventually { try house.dig("app", "web").data == ["10.0.0.2"] })
            #expect(try house.ctl("container", "inspect", "web").out.contains("10.2.0.2"))
        }
    }

    @Test("stands where one waited that was there before")
    func waited() throws {
        let waiting = "[[container]]\nname = \"late\"\nnetns = \"/run/netns/late\"\nnetworks = [{ name = \"n\" }]\n"
        try House.lend(configuration: Self.configuration + waiting) { house in
            _ = try house.namespace("other")
            let refused = try house.ctl("container", "add", "late", "--netns", house.path("other"), "--replace")
            #expect(refused.status == 1 && refused.err.contains("is declared in the configuration"), "\(refused)")
        }
    }
}
