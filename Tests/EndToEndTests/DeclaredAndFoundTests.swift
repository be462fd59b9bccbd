// Networks and containers that are both declared and found: one registry, and either part can be removed alone.

import Foundation
import Glibc
import Testing

@Suite("Declared and found,", .needsRoot)
struct DeclaredAndFoundTests {
    /// Nothing is said of the namespace that plays the host.
    private static let configuration = "[discover]\nexclude = [\"house\"]\n"

    /// Bridges `br0` and `br1`; `web` and `app` in the first, `db` in the second, all found and answered.
    private func lend(_ body: (House) throws -> Void) throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.bridge("br0", "10.1.0.1/24")
            try house.bridge("br1", "10.2.0.1/24")
            try house.plug("web", into: "br0", "10.1.0.2/24")
            try house.plug("app", into: "br0", "10.1.0.3/24")
            try house.plug("db", into: "br1", "10.2.0.4/24")
            for name in ["web", "app", "db"] {
                #expect(try eventually { try house.dig(name, name).data.count == 1 }, "\(house.log)")
            }
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] })
            try body(house)
        }
    }

    /// The lines of a table with one blank between cells.
    private func lines(_ house: House, _ arguments: String...) throws -> [String] {
        let output = try Command.must(["\(House.binaries)/intercomctl", "--socket", house.socket] + arguments)
        return output.lines.map { $0.split(separator: " ").joined(separator: " ") }
    }

    private func warnings(_ house: House) throws -> [String] {
        let status = try house.ctl("status", "--json").out
        let object = try JSONSerialization.jsonObject(with: Data(status.utf8)) as? [String: Any]
        return object?["warnings"] as? [String] ?? []
    }

    @Test("a network and a container are one each, with one listener, and what the kernel shows stays in the end")
    func adoption() throws {
        try lend { house in
            try house.mustCtl("network", "create", "front", "--interface", "br0", "--internal")
            try house.mustCtl("container", "add", "www", "--netns", house.path("web"), "--hostname", "www.example")
            #expect(try house.dig("app", "www.front").data == ["10.1.0.2"])
            #expect(try house.dig("app", "www.example").data == ["10.1.0.2"])
            #expect(try house.dig("app", "web").status == "NXDOMAIN", "it is called as declared")
            #expect(try house.dig("web", "-x", "10.1.0.3").data == ["app.front.internal."])
            #expect(try house.dig("web", "example.org").status == "NXDOMAIN", "the network is internal")
            let listed = try lines(house, "container", "ls")
            #expect(listed.contains("www /run/netns/web front 10.1.0.2 ready control, kernel"), "\(listed)")
            #expect(listed.contains("app /run/netns/app front 10.1.0.3 ready kernel"), "\(listed)")
            let inspected = try lines(house, "container", "inspect", "www")
            for line in [
                "name www - control", "hostname www.example - control", "name web - kernel, not in force",
                "network front - kernel (eth0)", "address 10.1.0.2 front kernel (eth0)",
            ] { #expect(inspected.contains(line), "\(line): \(inspected)") }
            #expect(
                try lines(house, "network", "inspect", "front").contains("subnet 10.1.0.0/24 - kernel (br0)"))
            try house.mustCtl("container", "rm", "www")
            try house.mustCtl("network", "rm", "front")
            #expect(try house.dig("app", "web.br0").data == ["10.1.0.2"])
            #expect(try house.dig("web", "app").data == ["10.1.0.3"], "its listener answers")
        }
    }

    @Test("what the kernel alone shows is not removed, and it is said what to do")
    func refusals() throws {
        try lend { house in
            let container = try house.ctl("container", "rm", "web")
            #expect(
                container.status == 1 && container.err.contains("is not declared: it is namespace /run/netns/web"))
            let network = try house.ctl("network", "rm", "br0")
            #expect(network.status == 1 && network.err.contains("'ip link del br0' removes it"), "\(network)")
        }
    }

    @Test("connecting gives a found container aliases, disconnecting takes it off, and both outlive the daemon")
    func connections() throws {
        try lend { house in
            try house.mustCtl("network", "connect", "br0", "web", "--alias", "site")
            try house.mustCtl("network", "connect", "br0", "app", "--alias", "site")
            try house.mustCtl("container", "drain", "app")
            try house.mustCtl("network", "connect", "br1", "web", "--ip", "10.2.0.99")
            try house.mustCtl("network", "disconnect", "br1", "db")
            func check() throws {
                #expect(try eventually { try house.dig("app", "site").data == ["10.1.0.2"] }, "\(house.log)")
                #expect(try house.dig("web", "web.br1").data == ["10.2.0.99"])
                #expect(try house.dig("web", "db").status == "NXDOMAIN")
                #expect(try house.dig("db", "web").status == "NXDOMAIN")
                let inspected = try lines(house, "container", "inspect", "db")
                #expect(inspected.contains("network br1 - kernel (eth0), not in force"), "\(inspected)")
            }
            try check()
            #expect(house.stopDaemon() == 0)
            try house.startDaemon(Self.configuration)
            try check()
            try house.mustCtl("network", "connect", "br1", "db")
            #expect(try house.dig("web", "db").data == ["10.2.0.4"])
            try house.mustCtl("network", "disconnect", "br0", "web")
            #expect(try house.dig("app", "web").status == "NXDOMAIN")
            #expect(try house.dig("app", "site").data == ["10.1.0.3"], "all who are left are draining")
        }
    }

    @Test("a container that is declared with networks is on those alone, wherever it is plugged in")
    func declaredNetworks() throws {
        try lend { house in
            try house.plug("app", into: "br1", "10.2.0.3/24", as: "eth1")
            #expect(try eventually { try house.dig("app", "db").data == ["10.2.0.4"] })
            try house.mustCtl("container", "add", "app", "--netns", house.path("app"), "--network", "br0")
            #expect(try house.dig("app", "db").status == "NXDOMAIN")
            #expect(try house.dig("app", "web").data == ["10.1.0.2"])
            #expect(try house.dig("db", "app").status == "NXDOMAIN")
            try house.mustCtl("network", "connect", "br1", "app")
            #expect(try house.dig("app", "db").data == ["10.2.0.4"])
            #expect(try house.dig("db", "app").data == ["10.2.0.3"])
            try house.mustCtl("network", "disconnect", "br1", "app")
            #expect(try house.dig("app", "db").status == "NXDOMAIN")
        }
    }

    @Test("those of one name are all there, and status warns of them")
    func clashes() throws {
        try lend { house in
            #expect(try warnings(house) == [])
            let other = try house.namespace("other")
            try house.mustCtl("container", "add", "web", "--netns", other, "--network", "br0,ip=10.1.0.99")
            #expect(try house.dig("app", "web").data == ["10.1.0.2", "10.1.0.99"])
            for bridge in ["br0", "br1"] { try house.ip("link set \(bridge) alias front") }
            #expect(try eventually { try warnings(house).count == 2 })
            let warned = try warnings(house)
            #expect(warned[0].hasPrefix("2 networks are called front (interface br0, interface br1)"), "\(warned)")
            #expect(
                warned[1].hasPrefix("2 containers are called web (/run/netns/other, /run/netns/web)"), "\(warned)")
            let refused = try house.ctl("network", "inspect", "front")
            #expect(refused.status == 1 && refused.err.contains("say which: br0, br1"), "\(refused)")
            #expect(try lines(house, "network", "inspect", "br1")[0] == "NETWORK front")
            try house.mustCtl("container", "rm", "web")
            try house.ip("link set br1 alias data")
            #expect(try eventually { try warnings(house) == [] })
            #expect(try house.dig("app", "web").data == ["10.1.0.2"])
        }
    }

    @Test("a name that was found is joined by who declares it without a namespace")
    func joined() throws {
        try lend { house in
            try house.mustCtl("container", "add", "web", "--hostname", "www.example")
            #expect(try house.dig("app", "www.example").data == ["10.1.0.2"])
            #expect(try lines(house, "container", "ls").filter { $0.hasPrefix("web ") }.count == 1)
            #expect(house.stopDaemon() == 0)
            try house.startDaemon(Self.configuration)
            #expect(try eventually { try house.dig("app", "www.example").data == ["10.1.0.2"] }, "\(house.log)")
            try house.mustCtl("container", "rm", "web")
            #expect(try house.dig("app", "www.example").status != "NOERROR")
            #expect(try house.dig("app", "web").data == ["10.1.0.2"])
        }
    }

    @Test("a container is called by its path once its declaration is removed, also where no links can be observed")
    func unobserved() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let opener = "\(house.directory)/opener.sock"
            try HangingOpenerTests.startOpener(house, opener)
            let proxy = try HangingOpenerTests.startProxy(
                house, to: opener, victim: "/nonexistent", refusing: "SubscribeKernel")
            try house.startDaemon(
                "[discover]\nexclude = [\"house\", \"apart\"]\n[[network]]\nname = \"n\"\n",
                options: ["--opener-socket", proxy])
            _ = try house.namespace("apart")
            let process = try house.start(in: "apart", ["sleep", "600"], log: "sleep")
            try house.mustCtl(
                "container", "add", "job", "--pid", "\(process.processIdentifier)", "--network", "n,ip=10.0.0.2")
            try house.command("ip", "netns", "attach", "late", "\(process.processIdentifier)")
            let isFound = try eventually {
                try lines(house, "container", "inspect", "job").contains { $0.contains("late") }
            }
            #expect(isFound, "\(house.log)")
            try house.mustCtl("container", "rm", "job")
            #expect(try lines(house, "container", "ls").contains { $0.hasPrefix("late ") }, "\(house.log)")
            #expect(try house.ctl("resolve", "localhost", "--from", "late").status == 0)
            try house.mustCtl("container", "add", "job", "--netns", house.path("late"), "--network", "n,ip=10.0.0.2")
            try house.mustCtl("container", "rm", "job")
            #expect(try lines(house, "container", "ls").contains { $0.hasPrefix("late ") }, "\(house.log)")
            try house.command("ip", "netns", "del", "late")
            #expect(try eventually { try !lines(house, "container", "ls").contains { $0.hasPrefix("late ") } })
        }
    }

    @Test("names that are none are shown and found by nobody, and status says so")
    func strangeNames() throws {
        try lend { house in
            try house.plug("a..b", into: "br0", "10.1.0.7/24")
            try house.ip("link set br1 alias x..y")
            #expect(try eventually { try warnings(house).count == 2 })
            #expect(try house.dig("app", "a..b").status != "NOERROR")
            #expect(try house.dig("a..b", "web").data == ["10.1.0.2"], "it is answered itself")
            #expect(try lines(house, "container", "ls").contains("a..b /run/netns/a..b br0 10.1.0.7 ready kernel"))
            #expect(try house.dig("db", "db").data == ["10.2.0.4"])
            try house.mustCtl("network", "connect", "br0", "a..b", "--alias", "ab")
            #expect(try house.dig("app", "ab").data == ["10.1.0.7"])
            try house.plug("c.d", into: "br0", "10.1.0.8/24")
            #expect(try eventually { try house.dig("app", "c.d").data == ["10.1.0.8"] }, "a name may have dots")
            #expect(try house.dig("app", "-x", "10.1.0.8").data == ["c.d.br0.internal."])
        }
    }

    @Test("each change of the kernel is on a line of the monitor")
    func monitor() throws {
        try lend { house in
            let monitor = try house.start(
                in: "house", ["\(House.binaries)/intercomctl", "--socket", house.socket, "--json", "monitor"],
                log: "monitor")
            func lines() -> [String] {
                let text = (try? String(contentsOfFile: "\(house.directory)/monitor", encoding: .utf8)) ?? ""
                return text.split(separator: "\n").map(String.init)
            }
            #expect(eventually { lines().count == 1 })
            try house.plug("new", into: "br1", "10.2.0.5/24")
            #expect(eventually { lines().contains { $0.contains(#""addresses":["10.2.0.5"]"#) } }, "\(lines())")
            #expect(lines()[1].contains(#""action":"added","container":"new""#), "\(lines())")
            try house.ip("link set br1 alias data")
            #expect(eventually { lines().last?.contains(#""formerName":"br1""#) == true }, "\(lines())")
            try house.deleteNamespace("new")
            #expect(eventually { lines().last?.contains(#""action":"removed","container":"new""#) == true })
            House.kill(monitor)
        }
    }
}
