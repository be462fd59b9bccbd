// Loops: an upstream that asks us again, as a container that serves DNS and was given us for its own.

import Foundation
import Testing

@Suite("An upstream that asks us in turn", .needsRoot)
struct LoopTests {
    @Test("is found out, said in the log, and asked no more", arguments: ["dnsmasq", "unbound"])
    func loop(server: String) throws {
        let configuration = "[forward]\nupstreams = [\"10.8.0.2\"]\n[[network]]\nname = \"n\"\n"
        try House.lend(configuration: configuration) { house in
            try house.container("app", "--network", "n")
            try house.container("dns", "--network", "n")
            try house.ip("link add peer type veth peer name eth0 netns dns")
            for (namespace, link, address) in [(house.host, "peer", "10.8.0.1/24"), ("dns", "eth0", "10.8.0.2/24")] {
                try house.ip(in: namespace, "addr add \(address) dev \(link)")
                try house.ip(in: namespace, "link set \(link) up")
            }
            if server == "dnsmasq" {
                try house.startDNSMasq(in: "dns", at: "10.8.0.2", "--server=127.0.0.11")
            } else {
                try house.startUnbound(
                    in: "dns", at: "10.8.0.2", ["module-config: iterator", "do-not-query-localhost: no"],
                    "forward-zone:\n  name: \".\"\n  forward-addr: 127.0.0.11")
            }
            let first = try house.dig("app", "first.example")
            #expect(first.status == "SERVFAIL" || first.status == "REFUSED", "\(first)")
            #expect(eventually { house.log.contains("upstream 10.8.0.2:53 asks us in turn") }, "\(house.log)")
            let start = ContinuousClock.now
            let second = try house.dig("app", "second.example")
            #expect(second.status == "SERVFAIL" && second.output.out.contains("EDE: 22"), "\(second)")
            #expect(ContinuousClock.now - start < .seconds(1))
            #expect(house.log.components(separatedBy: "asks us in turn").count == 2)
            #expect(
                try house.ctl("status").lines.contains {
                    $0.hasPrefix("10.8.0.2:53 ") && $0.hasSuffix("asks us in turn")
                })

            // Another one beside it is asked, and the first one again after a reload.
            try house.startUpstream("127.0.0.5")
            let both = configuration.replacingOccurrences(of: "\"10.8.0.2\"", with: "\"10.8.0.2\", \"127.0.0.5\"")
            try both.write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            #expect(try house.dig("app", "third.example").data == ["192.0.2.1"])
        }
    }
    @Test("in the namespace of a container is found out there, and others ask it on")
    func namespace() throws {
        let configuration = "[[network]]\nname = \"n\"\nupstreams = [\"127.0.0.1\"]\nfrom = \"namespace\"\n"
        try House.lend(configuration: configuration) { house in
            for container in ["app", "dns"] { try house.container(container, "--network", "n") }
            try house.startDNSMasq(in: "dns", at: "127.0.0.1", "--server=127.0.0.11")
            try house.startUpstream("127.0.0.1", in: "app")
            #expect(try house.dig("dns", "first.example").status == "SERVFAIL")
            let message = "upstream 127.0.0.1:53 in the namespace of container dns asks us in turn"
            #expect(eventually { house.log.contains(message) }, "\(house.log)")
            let start = ContinuousClock.now
            let second = try house.dig("dns", "second.example")
            #expect(second.status == "SERVFAIL" && second.output.out.contains("EDE: 22"), "\(second)")
            #expect(ContinuousClock.now - start < .seconds(1))
            #expect(house.log.components(separatedBy: "asks us in turn").count == 2)
            #expect(try house.dig("app", "third.example").data == ["192.0.2.1"])
        }
    }
}
