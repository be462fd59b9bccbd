// Sources publish containers: their names are answered, their namespaces entered, and all of it outlives the daemon.

import Foundation
import Testing

@Suite("A source", .needsRoot)
struct PublishTests {
    /// Nothing is said of the namespace that plays the host.
    private static let configuration = "[server]\nworkers = 2\n[discover]\nexclude = [\"house\"]\n"

    /// A bridge with `app` on it, found, and with `web`, which a source is to tell of.
    private func lend(_ body: (House) throws -> Void) throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.bridge("br0", "10.1.0.1/24")
            try house.plug("app", into: "br0", "10.1.0.3/24")
            try house.plug("web", into: "br0", "10.1.0.2/24")
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] }, "\(house.log)")
            try body(house)
        }
    }

    @Test("names a container that was found, by path and by pid, and leaves it as it was found in the end")
    func names() throws {
        try lend { house in
            let process = try house.start(in: "web", ["sleep", "600"], log: "sleep")
            let pid = process.processIdentifier
            for way in [#""netns":"\#(house.path("web"))""#, #""pid":\#(pid)"#] {
                try house.publish(
                    #"{"source":"docker","networks":[{"name":"shop_front","interface":"br0"}],"containers":[{"id":"0123456789abcdef","name":"shop.web.1",\#(way),"hostname":"www.example","networks":[{"name":"shop_front","addresses":["10.1.0.2"],"aliases":["api"]}],"ports":[{"port":80,"service":"http"}]}]}"#
                )
                for name in ["shop.web.1", "shop.web.1.shop_front.internal", "www.example", "0123456789ab", "api"] {
                    #expect(try house.dig("app", name).data == ["10.1.0.2"], "\(name)")
                }
                #expect(try house.dig("app", "-x", "10.1.0.2").data == ["shop.web.1.shop_front.internal."])
                #expect(try house.dig("app", "_http._tcp.api", "SRV").data.count == 1)
                #expect(try house.dig("app", "web").status == "NXDOMAIN")
                #expect(try house.dig("web", "app").data == ["10.1.0.3"], "its listener answers")
                #expect(try eventually { try house.state(of: "shop.web.1") == "ready" }, "\(house.log)")
                let facts = try house.ctl("container", "inspect", "shop.web.1").out
                #expect(facts.contains("docker") && facts.contains("kernel (eth0)"), "\(facts)")
                try house.mustCtl("source", "rm", "docker")
                #expect(try house.dig("app", "web").data == ["10.1.0.2"])
                #expect(try house.dig("app", "shop.web.1").data == [], "a name with dots is forwarded like any other")
                #expect(try house.dig("web", "app").data == ["10.1.0.3"], "its listener answers")
            }
            let refusal = try house.ctl("source", "rm", "docker")
            #expect(refusal.status == 1 && refusal.err.contains("no source docker"))
        }
    }

    @Test("gives a container hosts of its own, which no other container sees, over a restart, too")
    func extraHosts() throws {
        try lend { house in
            try house.publish(
                #"{"source":"docker","containers":[{"id":"aaa","name":"web","netns":"\#(house.path("web"))","networks":[{"name":"br0"}],"hosts":[{"name":"api.example","address":"192.0.2.9"},{"name":"gate","address":"host-gateway"}]},{"id":"bbb","name":"bad","networks":[{"name":"br0"}],"hosts":[{"name":"x","address":"nobody"}]}]}"#
            )
            func check() throws {
                #expect(try house.dig("web", "api.example").data == ["192.0.2.9"])
                #expect(try house.dig("web", "gate").data == ["10.1.0.1"])
                #expect(try house.dig("app", "gate").status == "NXDOMAIN")
                #expect(try house.ctl("container", "inspect", "web").out.contains("api.example=192.0.2.9"))
            }
            try check()
            let status = try house.ctl("status").out
            #expect(status.contains("container bad of source docker is left out"), "\(status)")
            try house.crashDaemon()
            #expect(try eventually { try house.dig("web", "gate").data == ["10.1.0.1"] }, "\(house.log)")
            try check()
        }
    }

    @Test("that says the same again changes nothing; updates change some, renames at once, without an outage")
    func updates() throws {
        try lend { house in
            let web = #"{"id":"aaa","name":"web","netns":"\#(house.path("web"))","networks":[{"name":"br0"}]}"#
            let vm = #"{"id":"bbb","name":"vm","networks":[{"name":"br0","addresses":["10.1.0.9"],"aliases":["api"]}]}"#
            try house.publish(#"{"source":"docker","containers":[\#(web),\#(vm)]}"#)
            #expect(try house.dig("web", "api").data == ["10.1.0.9"])
            let lines = house.log.split(separator: "\n").count
            try house.publish(#"{"source":"docker","containers":[\#(vm),\#(web)],"later":{"x":[1]}}"#)
            #expect(house.log.split(separator: "\n").count == lines, "\(house.log)")
            let renamed = web.replacingOccurrences(of: #""name":"web""#, with: #""name":"www""#)
            try house.call(#"Update {"source":"docker","put":[\#(renamed)],"gone":["bbb","nobody"]}"#)
            #expect(try house.dig("app", "www").data == ["10.1.0.2"])
            #expect(try house.dig("app", "web").status == "NXDOMAIN")
            #expect(try house.dig("app", "vm").status == "NXDOMAIN")
            #expect(try house.dig("web", "app").data == ["10.1.0.3"])
            #expect(!house.log.contains("ended"), "\(house.log)")
            let list = try house.call("ListSources")
            #expect(list.first?.contains(#""containers": 1"#) == true)
        }
    }

    /// A call that publishes one container in a part.
    private func part(_ part: String, _ id: String, source: String = "docker") -> String {
        #"Publish {"source":"\#(source)","part":"\#(part)","containers":[{"id":"\#(id)","name":"c-\#(id)","networks":[{"name":"br0","addresses":["10.1.0.9"]}]}]}"#
    }

    @Test("publishes in parts, all or nothing: a connection that ends, and a part that cannot be, change nothing")
    func parts() throws {
        try lend { house in
            let begun = try house.call(part("first", "a"), part("middle", "b"))
            #expect(begun == ["{}", "{}"])
            #expect(try house.dig("app", "c-a").status == "NXDOMAIN")
            #expect(
                try house.call(part("last", "a")).first?.hasPrefix("InvalidValue") == true, "its first part is missing")
            #expect(try house.call(part("first", "a"), part("last", "a")).last?.hasPrefix("InvalidValue") == true)
            #expect(
                try house.call(part("first", "a"), part("last", "b", source: "podman")).last?.contains("docker") == true
            )
            #expect(try house.call(part("some", "a")).first?.hasPrefix("InvalidParameter") == true)
            #expect(try house.dig("app", "c-a").status == "NXDOMAIN")
            #expect(try house.call(part("first", "a"), part("middle", "b"), part("last", "c")) == ["{}", "{}", "{}"])
            for id in ["a", "b", "c"] { #expect(try house.dig("app", "c-\(id)").data == ["10.1.0.9"]) }
        }
    }

    @Test("is refused what cannot be, and told why; a container that cannot be is left out, and the rest holds")
    func refusals() throws {
        try lend { house in
            for name in [
                "kernel", "configuration", "control", "cluster", "", "Docker", "a_b", String(repeating: "a", count: 33),
            ] {
                #expect(
                    try house.call(#"Forget {"source":"\#(name)"}"#).first?.hasPrefix("InvalidName") == true, "\(name)")
            }
            try house.publish(
                #"{"source":"docker","containers":[{"id":"aaa","name":"good","networks":[{"name":"br0","addresses":["10.1.0.9"]}]},{"id":"bbb","name":"bad","networks":[{"name":"br0","addresses":["10.1.0"]}]},{"id":"","name":"none"}]}"#
            )
            #expect(try house.dig("app", "good").data == ["10.1.0.9"])
            let warnings = try house.ctl("status").out
            #expect(warnings.contains("container bad of source docker is left out"), "\(warnings)")
            let removal = try house.ctl("container", "rm", "good")
            #expect(removal.status == 1 && removal.err.contains("source docker tells of it"), "\(removal)")
            let long = String(repeating: "a", count: 3 << 20)
            let replies = try house.call(#"Publish {"source":"docker","x":"\#(long)"}"#, "ListSources")
            #expect(
                replies.first
                    == "MessageTooLong the call is longer than 2 MiB; send it in parts: part first, middle, last")
            #expect(replies.last?.contains("docker") == true, "the connection goes on")
        }
    }

    @Test("that dies leaves what it said, over a restart and a crash; a namespace that is gone does not come back")
    func restart() throws {
        try lend { house in
            let process = try house.start(in: "web", ["sleep", "600"], log: "sleep")
            try house.plug("db", into: "br0", "10.1.0.4/24")
            try house.publish(
                #"{"source":"docker","networks":[{"name":"front","interface":"br0"}],"containers":[{"id":"aaa","name":"w.1","pid":\#(process.processIdentifier),"networks":[{"name":"front","aliases":["api"]}]},{"id":"bbb","name":"d.1","netns":"\#(house.path("db"))"},{"id":"ccc","name":"vm","networks":[{"name":"front","addresses":["10.1.0.9"]}]},{"id":"ddd","name":"side","namespaceOf":"aaa"}]}"#
            )
            try house.mustCtl("container", "drain", "w.1")
            #expect(try eventually { try house.state(of: "w.1") == "draining" && house.state(of: "d.1") == "ready" })
            for isCrash in [false, true] {
                if isCrash {
                    try house.crashDaemon()
                } else {
                    #expect(house.stopDaemon() == 0)
                    try house.startDaemon(Self.configuration)
                }
                for (name, address) in [
                    ("w.1", "10.1.0.2"), ("side", "10.1.0.2"), ("d.1", "10.1.0.4"), ("vm.front", "10.1.0.9"),
                ] {
                    #expect(try eventually { try house.dig("app", name).data == [address] }, "\(name)")
                }
                #expect(try eventually { try house.state(of: "w.1") == "draining" }, "\(house.log)")
            }
            #expect(house.stopDaemon() == 0)
            House.kill(process)
            try house.deleteNamespace("db")
            try house.plug("db", into: "br0", "10.1.0.5/24")
            try house.startDaemon(Self.configuration)
            #expect(try eventually { try house.dig("app", "db").data == ["10.1.0.5"] })
            for name in ["w.1", "d.1", "side"] {
                #expect(try eventually { try house.dig("app", name).data == [] }, "\(name)")
            }
            #expect(try house.dig("app", "vm").data == ["10.1.0.9"])
        }
    }

    @Test("tells of a container whose process ends: its names go; and one that waits is attached by itself")
    func endsAndWaits() throws {
        try lend { house in
            let process = try house.start(in: "web", ["sleep", "600"], log: "sleep")
            try house.publish(
                #"{"source":"docker","containers":[{"id":"aaa","name":"job","pid":\#(process.processIdentifier)},{"id":"bbb","name":"late","netns":"\#(house.path("late"))","networks":[{"name":"br0","addresses":["10.1.0.8"]}]}]}"#
            )
            #expect(try eventually { try house.dig("app", "job").data == ["10.1.0.2"] })
            #expect(try house.dig("app", "late").data == ["10.1.0.8"], "its name is known before its namespace")
            #expect(try eventually { try house.state(of: "late") == "no listener" })
            House.kill(process)
            #expect(try eventually { try house.dig("app", "job").status == "NXDOMAIN" })
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] }, "it is a found one again")
            try house.plug("late", into: "br0", "10.1.0.8/24")
            #expect(try eventually { try house.state(of: "late") == "ready" }, "\(house.log)")
            #expect(try eventually { try house.dig("late", "app").data == ["10.1.0.3"] })
        }
    }

    @Test(
        "tells of a container whose namespace ends: it is ended, not waited for; a path that is there again has its names"
    )
    func ended() throws {
        try lend { house in
            let process = try house.start(in: "web", ["sleep", "600"], log: "sleep")
            try house.plug("db", into: "br0", "10.1.0.4/24")
            try house.publish(
                #"{"source":"docker","containers":[{"id":"aaa","name":"job","pid":\#(process.processIdentifier)},{"id":"bbb","name":"d.1","netns":"\#(house.path("db"))"},{"id":"ccc","name":"side.1","namespaceOf":"bbb"}]}"#
            )
            #expect(try eventually { try house.dig("app", "side.1").data == ["10.1.0.4"] })
            func row() throws -> [Substring] {
                try house.ctl("source", "ls").lines.first { $0.hasPrefix("docker") }?.split(separator: " ") ?? []
            }
            #expect(try row().prefix(4) == ["docker", "3", "0", "0"], "CONTAINERS, WAITING, ENDED")
            House.kill(process)
            try house.deleteNamespace("db")
            #expect(try eventually { try row().prefix(4) == ["docker", "3", "0", "2"] })
            #expect(try house.state(of: "job") == "ended")
            #expect(try house.ctl("container", "ls", "--all").out.contains("ended"))
            try house.plug("db", into: "br0", "10.1.0.5/24")
            for name in ["d.1", "side.1"] {
                #expect(try eventually(within: 40) { try house.dig("app", name).data == ["10.1.0.5"] }, "\(name)")
            }
            #expect(try row().prefix(4) == ["docker", "3", "0", "1"])
        }
    }

    @Test("gives a container DNS servers of its own: they are asked from where it is, not from the host")
    func ownServers() throws {
        try lend { house in
            // The same address is another server in the container than on the host.
            try house.startUpstream("127.0.0.53")
            try house.ip(in: "web", "addr add 10.9.0.53/32 dev lo")
            try house.ip("addr add 10.9.0.53/32 dev lo")
            try house.startUpstream("10.9.0.53", in: "web", as: "web")
            try house.startUpstream("10.9.0.53", as: "host")
            try house.publish(
                #"{"source":"docker","containers":[{"id":"aaa","name":"w.1","netns":"\#(house.path("web"))","upstreams":["10.9.0.53"]}]}"#
            )
            for transport in ["+notcp", "+tcp"] {
                #expect(try house.dig("web", "www.example", "TXT", transport).data == ["\"from web\""], "\(transport)")
            }
            let groups = try house.ctl("status").lines.filter { $0.contains("10.9.0.53:53") }
            #expect(groups.contains { $0.contains("namespace") }, "\(groups)")
        }
    }

    @Test("and another one, or somebody by hand, may tell of the same container: names add up")
    func several() throws {
        try lend { house in
            let process = try house.start(in: "web", ["sleep", "600"], log: "sleep")
            let pid = process.processIdentifier
            // A hook has the process, an adapter has the name: both have the id.
            #expect(
                try house.call(
                    #"Update {"source":"podman","put":[{"id":"aaa","name":"www","networks":[{"name":"br0","aliases":["api"]}]}]}"#
                ) == ["{}"])
            let start = ContinuousClock.now
            #expect(
                try house.call(#"Update {"source":"oci","wait":true,"put":[{"id":"aaa","pid":\#(pid)}]}"#) == ["{}"])
            let took = ContinuousClock.now - start
            // The reply waits until then, and 100 ms at most: a runtime waits for it.
            let isReady = try house.state(of: "aaa") == "ready"
            #expect(isReady || took >= .milliseconds(100), "the reply has waited \(took)")
            #expect(try eventually { try house.state(of: "aaa") == "ready" }, "\(house.log)")
            for name in ["www", "api", "aaa"] { #expect(try house.dig("app", name).data == ["10.1.0.2"], "\(name)") }
            try house.mustCtl("container", "add", "site", "--netns", house.path("web"))
            for name in ["site", "www", "api", "aaa"] {
                #expect(try house.dig("app", name).data == ["10.1.0.2"], "\(name)")
            }
            #expect(
                try house.dig("app", "-x", "10.1.0.2").data == ["site.br0.internal."], "the declared name comes first")
            try house.mustCtl("source", "rm", "podman", "oci")
            #expect(try house.dig("app", "site").data == ["10.1.0.2"])
            #expect(try house.dig("app", "www").status == "NXDOMAIN")
            #expect(try house.dig("web", "app").data == ["10.1.0.3"])
        }
    }
}

extension House {
    /// Makes calls of the control socket on one connection, each `METHOD JSON`.
    /// - Returns: a line for each reply: JSON, or the error's name and its message.
    @discardableResult
    func call(_ lines: String...) throws -> [String] {
        try Command.run(
            ["python3", Self.kit("calls.py"), socket], input: lines.joined(separator: "\n") + "\n"
        ).lines
    }

    /// Publishes, which has to succeed.
    func publish(_ parameters: String) throws {
        let replies = try call("Publish \(parameters)")
        guard replies == ["{}"] else {
            throw CommandFailure(command: "Publish", output: Output(status: 1, out: "\(replies)", err: log))
        }
    }

    /// State of a container; nil where there is none of this name.
    func state(of container: String) throws -> String? {
        let output = try ctl("container", "inspect", container, "--json").out
        let object = try? JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
        return (object?["container"] as? [String: Any])?["state"] as? String
    }
}
