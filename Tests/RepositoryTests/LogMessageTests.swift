// Messages of the daemon and the opener in the log, each with its situation: all in one place, to be read in one go.

import Foundation
import Testing

@Suite("A message in the log")
struct LogMessageTests {
    /// Messages by their level, each with the situation in which it is said; … is what is said of the one case.
    ///
    /// Without `debug` and `trace`, which are off by default. What refuses a call is in ControlAPITests/MessageTests, what
    /// refuses a configuration in IntercomServerTests/ConfigurationErrorTests.
    static let messages: [String: [(message: String, situation: String)]] = [
        "error": errors, "warning": warnings, "info": news,
    ]

    private static let errors: [(message: String, situation: String)] = [
        (
            "container …, which was declared before: …",
            "a container that the state keeps cannot be attached at the start; it is tried again"
        ),
        ("container …: its end will not be noticed: …", "neither its process nor its path can be watched"),
        (
            "container …: port 53 is not redirected any more, and that is tried again: …",
            "rules that somebody removed cannot be set again"
        ),
        ("control calls cannot be taken: …", "the control socket cannot be watched when the daemon begins to answer"),
        ("default routes cannot be read: …", "a dump of the host's routes fails again and again"),
        (
            "links and addresses of … cannot be read: …",
            "a dump of one namespace fails; it is tried again for that namespace alone"
        ),
        ("namespaces are not looked for: …", "no inotify descriptor can be had at the start or on reload"),
        ("namespaces cannot be looked for: …", "events of the directories of namespaces cannot be read"),
        (
            "no namespace can be entered: this is not root, and there is no opener; run it as root, or start intercom-opener.service and name its socket by --opener-socket",
            "intercomd is started by hand, as somebody else than root"
        ),
        (
            "nothing can be declared through the control socket: the state cannot be kept: …",
            "the state directory cannot be made or locked at the start"
        ),
        ("paths of namespaces cannot be watched: …", "events of paths that containers came by cannot be read"),
        ("the kernel cannot be observed: …", "a netlink socket fails"),
        ("the opener cannot be reached: …", "nobody listens at the opener's socket; requests are tried again"),
        ("the state cannot be kept: …", "the state file cannot be written anew at the start"),
        ("the state is not on the disk: …", "fsync(2) of the state file fails"),
        ("what was declared is not kept: …", "a declaration cannot be appended to the state file"),
        ("…", "SIGHUP, and the configuration has mistakes: each with its place"),
        ("… cannot be watched: …", "the host's resolv.conf cannot be watched"),
        (
            "… of … workers do not answer",
            "workers have not turned within the time of the watchdog, which is not told then"
        ),
        (
            "…, which was declared before: …",
            "a call that the state keeps is refused at the start; it is tried again at the next"
        ),
        ("…: …", "a network or container of the configuration cannot be had"),
        ("…; that is tried again", "networks and containers are not discovered, and why"),
    ]

    private static let warnings: [(message: String, situation: String)] = [
        ("[discover] receive-buffer: takes effect at a restart", "reload with another receive-buffer"),
        ("a TCP connection cannot be accepted yet: …", "a listener's accept(2) fails for a shortage"),
        ("a call cannot be accepted: …", "the opener's accept(2) fails"),
        ("a call cannot be answered: …", "the opener's caller does not take its reply"),
        ("a call cannot be carried out: …", "the opener has no thread for a call"),
        ("a removed redirection has to wait for the next change: …", "no timer can be had for setting rules again"),
        ("a thread is not limited to the system calls that it needs: …", "the kernel refuses a seccomp filter"),
        (
            "container …: a socket of its listener was destroyed inside its namespace (as 'ss -K' does); the listener serves again",
            "its root destroyed our sockets"
        ),
        ("container …: it is not noticed if its redirection is removed: …", "its nftables changes cannot be observed"),
        ("container …: its links are not known: …", "no netlink socket of its namespace can be had; it is tried again"),
        (
            "container …: somebody removed the redirection of port 53, or changed it; it is set again",
            "its root or a firewall changed the rules of table intercom"
        ),
        (
            "container …: upstreams cannot be asked from its namespace: …",
            "--forward-from namespace, and no socket can be made there"
        ),
        ("container …: …", "its resolv.conf cannot be written"),
        ("control connection cannot be accepted: …", "the control socket's accept(2) fails"),
        (
            "control connection closed: … MiB are held for clients that do not read",
            "clients of the control socket do not read their replies"
        ),
        ("control connection refused: … are open and none is idle", "512 clients of the control socket are busy"),
        (
            "default routes are not known, so that reverse names of the LAN are not forwarded from a bridge into it: …",
            "no netlink socket for the host's routes can be had"
        ),
        ("descriptors of the service manager cannot be taken over: …", "what the last daemon left cannot be read"),
        (
            "mounts cannot be watched, so namespaces are not noticed that appear at a path: …",
            "/proc/self/mountinfo cannot be polled"
        ),
        ("namespaces cannot be looked for: …", "one directory of namespaces cannot be watched"),
        ("network … stays as it was: …", "reload, and a network cannot be changed under its containers"),
        ("the service manager cannot be notified: …", "sd_notify(3) fails"),
        (
            "the service manager's control socket does not listen, and is not used",
            "a unit hands over a socket of another kind"
        ),
        ("the state waits for the disk: …", "no thread for fsync(2) can be had"),
        (
            "upstream …… asks us in turn, which would never end; it is not asked until the configuration is loaded again or the host's resolv.conf changes",
            "the probe found a loop"
        ),
        (
            "upstreams of … on the host's loopback cannot be asked from a container's namespace; give [forward] or its network others",
            "--forward-from namespace beside upstreams of the host's loopback"
        ),
        ("user … may not call the opener", "a caller of the opener that is neither root nor its daemon"),
        (
            "…",
            "a container or a found path has no listener: the reason, and what to do; or something of the configuration or the host's resolv.conf that is not in force"
        ),
        ("… is not kept over a restart: …", "the service manager does not take a listener's sockets"),
        ("… is the namespace of …, which is attached", "a second path to one namespace"),
        ("… may be kept for ever: …", "the service manager does not let go of a listener's sockets"),
        ("… names no DNS server: …", "the host's resolv.conf has no usable nameserver"),
        ("… stays: the opener does not answer", "a resolv.conf of ours cannot be removed without the opener"),
        ("… stays: …", "a resolv.conf of ours cannot be removed"),
        ("…: …", "something of the configuration cannot be had: what, and why"),
        (
            "…: …; it is … now, and … declarations of it hold",
            "the state file is damaged or of a later version, and set aside"
        ),
        ("…: …; … declarations of it hold (…)", "it is damaged, and cannot even be set aside"),
    ]

    private static let news: [(message: String, situation: String)] = [
        ("configuration reloaded", "reload"),
        ("container … added…", "container add; with its namespace"),
        ("container … attached: its namespace has appeared", "a container of the configuration was waited for"),
        ("container … connected to network …", "network connect"),
        ("container … disconnected from network …", "network disconnect"),
        ("container … ended: …", "its process exited, or its path is gone"),
        ("container … found at …", "a namespace appeared where namespaces are looked for"),
        ("container … has its listener now", "one that had none, or lost its own"),
        ("container … is …", "container drain, container ready"),
        ("container … removed", "container rm"),
        ("container … …", "a container that the state keeps ended while the daemon was away"),
        (
            "container …: … is somebody else's and stays as it is",
            "a resolv.conf that intercom did not write is in the place of its own"
        ),
        ("ending on …", "a signal ends the daemon"),
        ("listening for control calls at …", "start"),
        (
            "netlink receive buffer overflowed; all links and addresses were read again (raise [discover] receive-buffer if this repeats)",
            "more changes than fit into the socket's buffer"
        ),
        ("network … created", "network create"),
        ("network … removed", "network rm"),
        ("ready: …, … workers", "everything that was there before answers again"),
        ("… has changed: the host's upstreams are …", "the host's resolv.conf has changed"),
        ("… kept answers forgotten on demand", "cache flush"),
    ]

    @Test(
        "has a row here with its situation, and each row is said by the sources",
        arguments: ["error", "warning", "info"])
    func complete(level: String) throws {
        let rows = Self.messages[level] ?? []
        #expect(Set(rows.map(\.message)).count == rows.count && rows.allSatisfy { !$0.situation.isEmpty })
        let said = Set(Repository.sources(below: ["Sources"]).flatMap { LogCalls.messages(in: $0, level: level) })
        let shown = Set(rows.map(\.message))
        #expect(said.subtracting(shown) == [], "without a row")
        #expect(shown.subtracting(said) == [], "said nowhere")
    }

    @Test("is read from a call of the logger as people read it")
    func reading() {
        let source = #"""
            logger.info("one \(a(b, "c\(d)")) two")
            self.logger.warning(
                "a \"quoted\" \(word)", metadata: .about(x))
            logger.info(
                """
                long \(x) \
                line
                """)
            logger.error("no")
            """#
        #expect(LogCalls.messages(in: source, level: "info") == ["one … two", "long … line"])
        #expect(LogCalls.messages(in: source, level: "warning") == [#"a "quoted" …"#])
    }
}

/// Reads the messages of calls like `logger.info("…")` in Swift sources.
enum LogCalls {
    /// Messages of one level, with … for each interpolation.
    static func messages(in source: String, level: String) -> [String] {
        source.components(separatedBy: "ogger.\(level)(").dropFirst().compactMap { rest in
            var characters = Array(rest.drop(while: \.isWhitespace))[...]
            guard characters.first == "\"" else { return nil }
            let text = literal(&characters)
            return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
    }

    /// Takes a string literal off the front.
    private static func literal(_ rest: inout ArraySlice<Character>) -> String {
        let quote = rest.starts(with: ["\"", "\"", "\""]) ? "\"\"\"" : "\""
        rest = rest.dropFirst(quote.count)
        var text = ""
        while let character = rest.first, !rest.starts(with: quote) {
            rest = rest.dropFirst()
            guard character == "\\" else {
                text.append(character)
                continue
            }
            let escaped = rest.popFirst()
            if escaped == "(" {
                skipInterpolation(&rest)
                text += "…"
            } else if let escaped, !escaped.isNewline {
                text.append(escaped)
            }
        }
        rest = rest.dropFirst(quote.count)
        return text
    }

    /// Passes over an interpolation, with the literals and parentheses in it.
    private static func skipInterpolation(_ rest: inout ArraySlice<Character>) {
        var depth = 1
        while depth > 0, let character = rest.first {
            switch character {
            case "\"": _ = literal(&rest)
            case "(": depth += 1; rest = rest.dropFirst()
            case ")": depth -= 1; rest = rest.dropFirst()
            default: rest = rest.dropFirst()
            }
        }
    }
}
