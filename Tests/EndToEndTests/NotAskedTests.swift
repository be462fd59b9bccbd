// Containers whose programs ask other servers: each resolver address is asked for the proof, and none is shown as ready that
// its own resolv.conf leads elsewhere.

import Foundation
import Testing

@Suite("A container whose resolv.conf names other servers", .needsRoot)
struct NotAskedTests {
    private static let configuration = House.undiscovered + "[server]\nworkers = 1\n[[network]]\nname = \"n\"\n"

    /// A field of `container inspect --json`; state with its reason.
    private func inspected(_ name: String, _ field: String, _ house: House) throws -> String {
        let text = try house.ctl("container", "inspect", name, "--json").out
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let container = object?["container"] as? [String: Any]
        let value = container?[field] as? String ?? ""
        guard field == "state", let reason = container?["reason"] as? String else { return value }
        return "\(value): \(reason)"
    }

    private func state(_ house: House) throws -> String { try inspected("job", "state", house) }

    /// A namespace `web` with a link, whose default route leads to nobody.
    private func lend(
        _ configuration: String = configuration, resolver: String? = nil, _ body: (House) throws -> Void
    ) throws {
        try House.lend(configuration: configuration, resolver: resolver) { house in
            _ = try house.namespace("web")
            for line in ["link add e0 type veth peer name e1", "addr add 192.0.2.2/24 dev e0", "link set e0 up"] {
                try house.ip(in: "web", line)
            }
            try body(house)
        }
    }

    /// Writes the resolv.conf of the program in `web`, in place: it is mounted.
    private func write(_ resolver: String, _ house: House) throws {
        try resolver.write(toFile: "\(house.directory)/resolv.conf", atomically: false, encoding: .utf8)
    }

    /// A program in `web` with a resolv.conf of its own; gives its pid.
    private func program(_ resolver: String, _ house: House) throws -> String {
        try write(resolver, house)
        let script = "mount --bind \(house.directory)/resolv.conf /etc/resolv.conf && echo in && exec sleep 600"
        let process = try house.start(in: "web", ["unshare", "--mount", "sh", "-c", script], log: "program")
        let log = "\(house.directory)/program"
        #expect(eventually { (try? String(contentsOfFile: log, encoding: .utf8)) == "in\n" })
        return "\(process.processIdentifier)"
    }

    @Test("is not asked, with what to do; typed, that makes it ready: --replace --intercept, or 127.0.0.11 in the file")
    func otherServers() throws {
        try lend { house in
            let pid = try program("nameserver 192.0.2.53\n", house)
            let added = try house.ctl("container", "add", "job", "--pid", pid, "--network", "n")
            #expect(added.status == 0)
            let line = "intercomctl: container job is added, but not asked: its resolv.conf names 192.0.2.53"
            #expect(added.err.hasPrefix(line), "\(added)")
            #expect(try state(house) == "not asked: its resolv.conf names 192.0.2.53")
            #expect(try inspected("job", "cure", house).contains("--intercept (and --replace if it is declared)"))
            #expect(try house.ctl("status").out.contains("1 not asked"))
            #expect(
                house.log.contains("container job does not ask here: its resolv.conf names 192.0.2.53; add it with"))

            try write("nameserver 127.0.0.11\n", house)
            #expect(try eventually { try state(house) == "ready" }, "the file is read again, by itself")
            #expect(house.log.contains("container job is heard now"))
            try write("nameserver 192.0.2.54\n", house)
            #expect(try state(house) == "not asked: its resolv.conf names 192.0.2.54", "and when somebody looks")

            let led = try house.ctl(
                "container", "add", "job", "--pid", pid, "--network", "n", "--replace", "--intercept")
            #expect(led.status == 0 && led.err.isEmpty, "\(led)")
            #expect(try state(house) == "ready")
        }
    }

    @Test("beside 127.0.0.11 is asked at each of them: a libc may ask any, and each answers as it likes")
    func mixed() throws {
        try lend { house in
            try house.ip(in: "web", "addr add 192.0.2.53/32 dev lo")
            try house.ip(in: "web", "link set lo up")
            try house.startDNSMasq(in: "web", at: "192.0.2.53", "--address=/#/192.0.2.9")
            let pid = try program("nameserver 127.0.0.11\nnameserver 192.0.2.53\n", house)
            try house.mustCtl("container", "add", "job", "--pid", pid, "--network", "n")
            let reason = "its resolv.conf names 192.0.2.53:53, too: 192.0.2.53:53 is answered by another server"
            #expect(try state(house) == "unheard: \(reason)")
            #expect(try inspected("job", "cure", house).contains("remove 192.0.2.53:53 from its resolv.conf"))
            try write("nameserver 127.0.0.11\n", house)
            #expect(try eventually { try state(house) == "ready" })
        }
    }

    @Test("is led to other servers when it is changed while it is intercepted, and asks the new ones here")
    func changedWhileIntercepted() throws {
        try lend { house in
            let pid = try program("nameserver 192.0.2.53\n", house)
            try house.mustCtl("container", "add", "job", "--pid", pid, "--network", "n,ip=10.0.0.2", "--intercept")
            #expect(try state(house) == "ready")
            try write("nameserver 192.0.2.54\n", house)
            // Somebody looks: the file is read.
            _ = try state(house)
            #expect(
                try eventually {
                    try house.run(
                        in: "web", ["dig", "@192.0.2.54", "+short", "+timeout=1", "+tries=1", "job", "A"]
                    ).text == "10.0.0.2"
                })
            #expect(try eventually { try state(house) == "ready" })
            #expect(try house.ctl("container", "inspect", "job").out.contains("intercepted  127.0.0.11, 192.0.2.54"))
        }
    }

    @Test("is not asked where that file is the host's, as its process has no root of its own; the reason says so")
    func hostsFile() throws {
        try lend(resolver: "nameserver 192.0.2.60\n") { house in
            let pid = try program("nameserver 192.0.2.60\n", house)
            try house.mustCtl("container", "add", "job", "--pid", pid, "--network", "n")
            #expect(try state(house) == "not asked: it has the host's resolv.conf, which names 192.0.2.60")
        }
    }

    /// Namespaces by their paths: whom their programs ask is known where `ip netns exec` mounts a file for them.
    @Test(
        "for programs of ip netns exec alone is not asked; a namespace without such a file is taken to ask here",
        arguments: [
            ("nameserver 192.0.2.53\n", "not asked: its resolv.conf names 192.0.2.53"),
            ("nameserver 127.0.0.11\n", "ready"), ("# nobody\n", "ready"), (nil, "ready"),
        ] as [(String?, String)])
    func namespaceFile(text: String?, state expected: String) throws {
        // Discovery would write a file where there is none.
        try lend(Self.configuration, resolver: "nameserver 192.0.2.60\n") { house in
            if let text {
                try house.command("mkdir", "-p", "/etc/netns/web")
                try text.write(toFile: house.file("/etc/netns/web/resolv.conf"), atomically: true, encoding: .utf8)
            }
            try house.mustCtl("container", "add", "job", "--netns", house.path("web"), "--network", "n")
            #expect(try state(house) == expected)
        }
    }
}
