// Discovery where things are not as they should be: names that are none, files that are no namespaces, storms.

import Foundation
import Testing

@Suite("Discovery", .needsRoot)
struct DiscoveryHardshipTests {
    private func warnings(_ house: House) throws -> [String] {
        let object = try JSONSerialization.jsonObject(with: Data(try house.ctl("status", "--json").out.utf8))
        let warnings = (object as? [String: Any])?["warnings"] as? [String] ?? []
        return warnings.filter { !$0.contains("the host's own network namespace") }
    }

    /// Number of lines in the log with all of these words.
    private func said(_ house: House, _ words: String...) -> Int {
        house.log.split(separator: "\n").filter { line in words.allSatisfy { line.contains($0) } }.count
    }

    @Test("says once of the host's own namespace, and never attaches it")
    func host() throws {
        try House.lend { house in
            let isSaid = try eventually {
                try house.ctl("status").unwrapped.contains("/run/netns/house is the host's own")
            }
            #expect(isSaid)
            #expect(try !house.ctl("container", "ls").out.contains("house"))
            #expect(said(house, "/run/netns/house is the host's own network namespace") == 1)
        }
    }

    @Test("warns once of a file that is no namespace, and takes it when it becomes one")
    func noNamespace() throws {
        try House.lend { house in
            try house.command("touch", "/run/netns/web", "/run/netns/other")
            try house.command("mkdir", "/run/netns/directory")
            #expect(eventually { said(house, "/run/netns/web is no network namespace") == 1 })
            #expect(try warnings(house).count == 3)
            try house.command("sh", "-c", "unshare --net mount --bind /proc/self/ns/net /run/netns/web")
            #expect(try eventually { try house.dig("web", "localhost").data == ["127.0.0.1"] }, "\(house.log)")
            #expect(try warnings(house).count == 2)
            try house.command("rm", "/run/netns/other")
            #expect(try eventually { try warnings(house).count == 1 })
            #expect(said(house, "/run/netns/web is no network namespace") == 1)
        }
    }

    @Test("knows a container whose port 53 is taken, and gives it its listener once something has changed there")
    func portTaken() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            try house.bridge("br0", "10.1.0.1/24")
            try house.plug("busy", into: "br0", "10.1.0.2/24")
            try house.plug("app", into: "br0", "10.1.0.3/24")
            try house.ip(in: "busy", "link set lo up")
            let script =
                "import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('0.0.0.0', 53)); print('bound', flush=True); time.sleep(600)"
            let server = try house.start(in: "busy", ["python3", "-c", script], log: "server")
            #expect(
                eventually { (try? String(contentsOfFile: "\(house.directory)/server", encoding: .utf8)) == "bound\n" })
            try house.startDaemon("[server]\nlisten = \"direct\"\n")
            #expect(try eventually { try house.dig("app", "busy").data == ["10.1.0.2"] })
            #expect(try warnings(house).contains { $0.contains("127.0.0.11:53 in /run/netns/busy is taken") })
            House.kill(server)
            try house.ip(in: "busy", "addr add 10.1.0.4/24 dev eth0")
            #expect(try eventually { try house.dig("busy", "app").data == ["10.1.0.3"] })
            #expect(try warnings(house) == [])
            #expect(said(house, "is taken") == 1)
        }
    }

    @Test("looks into directories that come later, takes what patterns say, and leaves alone what is excluded")
    func directories() throws {
        let configuration = """
            [discover]
            namespaces = ["/run/netns/*", "/run/netns/more/*/net-*"]
            exclude = ["vpn*", "/run/netns/more/*/net-9"]
            interfaces = ["br-*"]
            """
        try House.lend(configuration: configuration) { house in
            for name in ["web", "vpn1"] { _ = try house.namespace(name) }
            #expect(try eventually { try house.dig("web", "localhost").data == ["127.0.0.1"] })
            try house.command("mkdir", "-p", "/run/netns/more/pod")
            for name in ["net-1", "net-9", "other"] {
                let path = "/run/netns/more/pod/\(name)"
                try house.command("sh", "-c", "touch \(path) && unshare --net mount --bind /proc/self/ns/net \(path)")
            }
            #expect(try eventually { try house.ctl("container", "ls").out.contains("/run/netns/more/pod/net-1") })
            let listed = try house.ctl("container", "ls").out
            for absent in ["vpn1", "net-9", "other"] { #expect(!listed.contains(absent), "\(listed)") }
            try house.bridge("br-web", "10.1.0.1/24")
            try house.bridge("virbr0", "10.2.0.1/24")
            #expect(try eventually { try house.ctl("network", "ls").out.contains("br-web") })
            #expect(try !house.ctl("network", "ls").out.contains("virbr0"))

            // Everything is read again on reload; without discovery nothing is left but what was declared.
            try "[discover]\ninterfaces = [\"virbr0\"]\nexclude = [\"web\"]\n".write(
                toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            let networks = try house.ctl("network", "ls").out
            #expect(networks.contains("virbr0") && !networks.contains("br-web"), "\(networks)")
            let containers = try house.ctl("container", "ls").out
            #expect(containers.contains("vpn1") && !containers.contains("web") && !containers.contains("net-1"))
            try house.mustCtl("container", "add", "vm")
            try House.undiscovered.write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            #expect(try house.ctl("container", "ls").lines.dropFirst().map { $0.prefix(3) } == ["vm "])
            #expect(try house.ctl("network", "ls").lines.count <= 1)
            try "".write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            #expect(try house.dig("web", "localhost").data == ["127.0.0.1"])
        }
    }

    @Test("shows names that are none in the DNS, and finds nobody by them")
    func names() throws {
        try House.lend { house in
            try house.bridge("br0", "10.1.0.1/24")
            try house.plug("app", into: "br0", "10.1.0.3/24")
            let long = String(repeating: "x", count: 64)
            for name in ["has..dot", long] {
                _ = try house.namespace(name)
                try house.ip("link add v\(name.count) type veth peer name eth0 netns \(name)")
                try house.ip("link set v\(name.count) master br0 up")
                try house.ip(in: name, "link set eth0 up")
            }
            try house.command("ip", "-n", "house", "link", "set", "br0", "alias", "a..b\u{1B}[31m")
            #expect(try eventually { try warnings(house).count == 3 }, "\(house.log)")
            #expect(try house.ctl("container", "ls").out.contains("has..dot"))
            #expect(try house.ctl("network", "ls").out.contains(#"a..b\027[31m"#))
            #expect(try house.dig("app", "has..dot").data == [])
            #expect(try house.dig("app", "app").data == ["10.1.0.3"])
        }
    }

    @Test("has a resolv.conf for who is on a network, unless somebody wrote one")
    func resolverFiles() throws {
        try House.lend { house in
            let manager = FileManager.default
            let file = house.file("/etc/netns/web/resolv.conf")
            let foreign = house.file("/etc/netns/vpn/resolv.conf")
            try house.command("mkdir", "-p", "/etc/netns/vpn")
            try "nameserver 192.0.2.1\n".write(toFile: foreign, atomically: true, encoding: .utf8)
            for name in ["web", "vpn"] { _ = try house.namespace(name) }
            #expect(try eventually { try house.dig("web", "localhost").data == ["127.0.0.1"] })
            #expect(!manager.fileExists(atPath: file))
            try house.bridge("br0", "10.1.0.1/24")
            for name in ["web", "vpn"] { try house.plug(name, into: "br0", "10.1.0.\(name == "web" ? 2 : 3)/24") }
            #expect(eventually { (try? String(contentsOfFile: file, encoding: .utf8))?.contains("127.0.0.11") == true })
            #expect(try eventually { try house.dig("web", "vpn").data == ["10.1.0.3"] })
            #expect(try String(contentsOfFile: foreign, encoding: .utf8) == "nameserver 192.0.2.1\n")
            try house.ip("link del web-br0")
            #expect(eventually { !manager.fileExists(atPath: file) })
            try house.deleteNamespace("vpn")
            #expect(try eventually { try !house.ctl("container", "ls").out.contains("vpn") })
            #expect(manager.fileExists(atPath: foreign))
        }
    }

    @Test("gives two namespaces of one name both a listener, and says so; one namespace of two names is one container")
    func doubles() throws {
        try House.lend(configuration: "[discover]\nnamespaces = [\"/run/netns/*\", \"/run/netns/more/*\"]\n") { house in
            try house.bridge("br0", "10.1.0.1/24")
            try house.plug("app", into: "br0", "10.1.0.3/24")
            try house.plug("web", into: "br0", "10.1.0.4/24")
            try house.plug("second", into: "br0", "10.1.0.5/24")
            try house.command(
                "sh", "-c",
                "mkdir /run/netns/more && touch /run/netns/more/web /run/netns/app2 && mount --bind /run/netns/second /run/netns/more/web && umount /run/netns/second && rm /run/netns/second && mount --bind /run/netns/app /run/netns/app2"
            )
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.4", "10.1.0.5"] }, "\(house.log)")
            #expect(try eventually { try warnings(house).count == 3 }, "\(house.log)")
            #expect(try warnings(house).contains { $0.contains("/run/netns/app2 is the namespace of /run/netns/app") })
            #expect(try house.dig("app", "app2").status == "NXDOMAIN")
            // The name by which it was known goes: it is known by the other.
            try house.command("sh", "-c", "umount /run/netns/app && rm /run/netns/app")
            #expect(try eventually { try house.dig("web", "app2").data == ["10.1.0.3"] })
        }
    }

    @Test("meets what is declared: the container keeps its listener, gains what is declared, and loses it again")
    func declared() throws {
        try House.lend { house in
            try house.bridge("br0", "10.1.0.1/24")
            try house.bridge("br1", "10.2.0.1/24")
            try house.plug("web", into: "br0", "10.1.0.2/24")
            try house.plug("app", into: "br0", "10.1.0.3/24")
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] })
            try house.mustCtl("network", "create", "front", "--interface", "br0")
            #expect(try house.dig("app", "web.front").data == ["10.1.0.2"])
            try house.mustCtl("container", "add", "www", "--netns", house.path("web"), "--network", "front,alias=site")
            #expect(try house.dig("app", "site").data == ["10.1.0.2"])
            #expect(try house.dig("app", "www").data == ["10.1.0.2"])
            #expect(try house.dig("app", "web").status == "NXDOMAIN", "it is called as declared")
            #expect(try house.dig("web", "app").data == ["10.1.0.3"])
            try house.ip(in: "web", "addr add 10.1.0.22/24 dev eth0")
            #expect(try eventually { try house.dig("app", "www").data == ["10.1.0.2", "10.1.0.22"] })
            try house.mustCtl("container", "rm", "www")
            #expect(try house.dig("app", "web").data == ["10.1.0.2", "10.1.0.22"])
            #expect(try house.dig("app", "site").status == "NXDOMAIN")
            let refused = try house.ctl("container", "rm", "web")
            #expect(refused.status == 1, "\(refused)")

            // By its process: it is found again by its file when that exits.
            let process = try house.start(in: "web", ["sleep", "600"], log: "sleep")
            try house.mustCtl("container", "add", "job", "--pid", "\(process.processIdentifier)")
            #expect(try house.dig("app", "job").data == ["10.1.0.2", "10.1.0.22"])
            House.kill(process)
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2", "10.1.0.22"] })
            #expect(try eventually { try house.dig("web", "app").data == ["10.1.0.3"] })
        }
    }

    @Test("reads everything anew where the receive buffer overflowed, and ends as the kernel is")
    func storm() throws {
        try House.lend(configuration: "[discover]\nreceive-buffer = 4096\n") { house in
            try house.bridge("br0", "10.1.0.1/16")
            for name in ["web", "app"] { try house.plug(name, into: "br0", "10.1.0.\(name == "web" ? 2 : 3)/16") }
            var batch = ""
            for round in 0..<300 {
                batch += "addr add 10.1.1.\(round % 250)/16 dev eth0\naddr del 10.1.1.\(round % 250)/16 dev eth0\n"
            }
            for number in 0..<20 { batch += "addr add 10.1.2.\(number)/16 dev eth0\n" }
            let stormed = try house.run(in: "web", ["ip", "-batch", "-"], input: batch)
            #expect(stormed.status == 0, "\(stormed)")
            let expected = (["10.1.0.2"] + (0..<20).map { "10.1.2.\($0)" }).sorted()
            #expect(try eventually { try house.dig("app", "+tcp", "web").data == expected })
            #expect(said(house, "netlink receive buffer overflowed") > 0, "there was an overflow")
        }
    }

    @Test("hears each namespace by a socket of its own where none may hear them all")
    func deafToOthers() throws {
        try House.lend { house in
            _ = house.stopDaemon()
            try house.startDaemon(
                "", under: ["setpriv", "--bounding-set=-net_broadcast", "--inh-caps=-net_broadcast"])
            let pid = try #require(house.daemon?.processIdentifier)
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            let mask = try #require(status.split(separator: "\n").first { $0.hasPrefix("CapEff:") })
            let capabilities = try #require(UInt64(mask.split(separator: "\t")[1], radix: 16))
            #expect(capabilities & (1 << 11) == 0, "it has no CAP_NET_BROADCAST")

            try house.bridge("br0", "10.1.0.1/24")
            try house.plug("web", into: "br0", "10.1.0.2/24")
            try house.plug("app", into: "br0", "10.1.0.3/24")
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] }, "\(house.log)")
            try house.ip(in: "web", "addr add 10.1.0.22/24 dev eth0")
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2", "10.1.0.22"] })
            try house.ip(in: "web", "link set eth0 down")
            #expect(try eventually { try house.dig("app", "web").data == [] })
            try house.deleteNamespace("web")
            #expect(try eventually { try house.dig("app", "web").status == "NXDOMAIN" })
        }
    }

    @Test("knows machines behind a VXLAN by what is declared of them")
    func vxlan() throws {
        try House.lend { house in
            try house.bridge("br0", "10.1.0.1/24")
            try house.ip("link add vx0 type vxlan id 77 dstport 4789 local 127.0.0.1 dev lo")
            try house.ip("link set vx0 master br0 up")
            try house.plug("web", into: "br0", "10.1.0.2/24")
            #expect(try eventually { try house.dig("web", "web").data == ["10.1.0.2"] })
            try house.mustCtl("container", "add", "far", "--network", "br0,ip=10.1.0.77,alias=store")
            #expect(try house.dig("web", "far.br0").data == ["10.1.0.77"])
            #expect(try house.dig("web", "store").data == ["10.1.0.77"])
            #expect(try house.dig("web", "-x", "10.1.0.77").data == ["far.br0.internal."])
            try house.mustCtl("container", "rm", "far")
            #expect(try house.dig("web", "far").status == "NXDOMAIN")
        }
    }

    @Test("follows namespaces that come and go, and leaves nothing behind")
    func churn() throws {
        try House.lend { house in
            try house.bridge("br0", "10.1.0.1/16")
            for name in ["web", "app"] { try house.plug(name, into: "br0", "10.1.0.\(name == "web" ? 2 : 3)/16") }
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] })
            let pid = try #require(house.daemon?.processIdentifier)
            func held() throws -> [Int] {
                try ["fd", "task"].map {
                    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/\($0)").count
                }
            }
            let before = try held()
            let script = """
                for n in $(seq 1 150); do
                    ip netns add t$n && ip -n house link add v$n type veth peer name eth0 netns t$n &&
                    ip -n house link set v$n master br0 up && ip -n t$n link set eth0 up &&
                    ip -n t$n addr add 10.1.1.$n/16 dev eth0 || exit 1
                    [ $n -gt 10 ] && ip netns del t$((n - 10))
                    [ $((n % 3)) = 0 ] && ip -n t$n link set eth0 down
                    [ $((n % 5)) = 0 ] && ip -n t$n addr add 10.1.2.$n/16 dev eth0
                done
                true
                """
            try house.command("bash", "-c", script)
            for number in 141...150 {
                let expected =
                    number % 3 == 0 ? [] : ["10.1.1.\(number)"] + (number % 5 == 0 ? ["10.1.2.\(number)"] : [])
                #expect(try eventually { try house.dig("app", "t\(number)").data == expected }, "t\(number)")
            }
            #expect(try house.dig("app", "t140").status == "NXDOMAIN")
            #expect(try house.ctl("container", "ls").lines.count == 13)
            try house.command("bash", "-c", "for n in $(seq 141 150); do ip netns del t$n; done")
            #expect(try eventually { try held() == before }, "\(before)")
        }
    }
}
