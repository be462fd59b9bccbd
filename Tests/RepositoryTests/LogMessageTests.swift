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
            "cannot remove a gate: …",
            "the kernel or the opener refuses to remove the gate of a container; it is tried again"
        ),
        (
            "cannot remove a gate: the opener does not reply",
            "the opener has not removed the gate of a container in time"
        ),
        ("cannot look for namespaces: …", "directories of namespaces cannot be watched, or their events not read"),
        ("cannot read netlink notifications: …", "a netlink socket fails"),
        (
            "bridges to other hosts cannot attach: … (under systemd: enable intercom-cluster.socket, restart intercom)",
            "networks are shared, and the cluster socket cannot be made or watched"
        ),
        (
            "cannot save declarations, so control calls that declare are refused: …",
            "the state directory cannot be made or locked at the start"
        ),
        ("cannot save declarations: …", "the state file cannot be written"),
        ("cannot sync declarations to the disk: …", "fsync(2) of the state file fails"),
        (
            "cannot watch paths of namespaces; containers whose path is removed stay: …",
            "events of paths that containers came by cannot be read"
        ),
        ("cannot watch …; its changes are not noticed: …", "the host's resolv.conf cannot be watched"),
        ("cannot watch hosts file …: …", "no inotify instance for a file of the key `hosts` can be had"),
        ("systemd-resolved cannot ask: …", "the socket of its hook cannot be used"),
        ("container … of source …, from before: …", "a container that the state keeps cannot be"),
        ("network … of source …, from before: …", "a network that the state keeps cannot be"),
        ("network … of source …: …", "the registry refuses a network that was checked before: a fault of ours"),
        (
            "container … is not back yet: …",
            "container add --replace failed, and the container before cannot be attached either; it is tried again"
        ),
        (
            "container …, which was declared before: …",
            "a container that the state keeps cannot be attached at the start; it is tried again"
        ),
        (
            "container …: cannot be watched; its names stay when it ends: …",
            "neither its process nor its path can be watched"
        ),
        (
            "container …: cannot restore the redirection of port 53, retrying: …",
            "rules that somebody removed cannot be set again"
        ),
        ("control calls cannot be taken: …", "the control socket cannot be watched when the daemon begins to answer"),
        ("default routes cannot be read: …", "a dump of the host's routes fails again and again"),
        (
            "links and addresses of … cannot be read: …",
            "a dump of one namespace fails; it is tried again for that namespace alone"
        ),
        ("the opener cannot be reached: …", "nobody listens at the opener's socket; requests are tried again"),
        ("the state cannot be kept: …", "the state file cannot be written anew at the start"),
        ("…", "SIGHUP, and the configuration has mistakes: each with its place"),
        (
            "no reply of … of …",
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
        (
            "container …: no address can be told to it, as its gate is not in force: …",
            "the policy of a container has addresses, and its gate cannot be set or has no place; it is tried again"
        ),
        (
            "container …: it was told more than … addresses; those whose time ends first cannot be reached any more",
            "the sets of a container's gate are full, and the addresses that would be gone the soonest make room for those it is told"
        ),
        (
            "the gates of policies were removed from the host's nftables; setting them again",
            "somebody has removed a table intercom-policy, for example by loading all rules of the host anew"
        ),
        (
            "changes of the host's nftables are not noticed; gates that somebody removes stay removed: …",
            "the opener cannot subscribe to changes of nftables"
        ),
        (
            "network …: guests cannot be answered at …: …",
            "a gateway's listener cannot be made, as another program has the port; it is tried again"
        ),
        (
            "the service manager does not store the listener at …, so queries fail during a restart: …",
            "systemd refuses a descriptor of a gateway's listener"
        ),
        (
            "no bridge has attached for … s: … of other hosts forgotten",
            "[cluster] forget-after has passed since the bridge to other hosts has gone"
        ),
        ("session … of … is over: …", "the bridge to other hosts has gone, or another has attached in its place"),
        ("refused …", "a bridge tells of a host or a container elsewhere that cannot be"),
        (
            "queries are not logged: no dnstap reader at … (…); start one there, or set [log] queries to another way",
            "nobody listens at the socket of [log] dnstap, or the reader ended; it is tried again each second"
        ),
        ("hosts file …: …", "a line of it is no record, it is too long, or it is not there: which, and what holds"),
        ("… of source … is left out: …", "a source tells of a network or container that cannot be"),
        (
            "the daemon is not limited to the files that it needs: … (boot with Landlock, as lsm=landlock,…)",
            "the daemon's unit passes it the host's root, and the kernel has no Landlock"
        ),
        ("[discover] receive-buffer: takes effect at a restart", "reload with another receive-buffer"),
        ("a TCP connection cannot be accepted yet: …", "a listener's accept(2) fails for a shortage"),
        ("a call cannot be accepted: …", "the opener's accept(2) fails"),
        ("a call cannot be answered: …", "the opener's caller does not take its reply"),
        ("a call cannot be carried out: …", "the opener has no thread for a call"),
        ("cannot install the system call filter of a thread: …", "the kernel refuses a seccomp filter"),
        ("cannot look for namespaces: …", "one directory of namespaces cannot be watched"),
        (
            "cannot read default routes; reverse names of a LAN bridge are not forwarded: …",
            "no netlink socket for the host's routes can be had"
        ),
        ("cannot remove …: the opener does not reply", "a resolv.conf of ours cannot be removed without the opener"),
        ("cannot remove …: …", "a resolv.conf of ours cannot be removed"),
        ("cannot restore a redirection before the next change: …", "no timer can be had for setting rules again"),
        ("cannot sync declarations to the disk for now: …", "no thread for fsync(2) can be had"),
        ("cannot take over descriptors of the service manager: …", "what the last daemon left cannot be read"),
        (
            "cannot watch mounts; a namespace that is mounted over a path is not noticed: …",
            "/proc/self/mountinfo cannot be polled"
        ),
        (
            "container …: a socket of its listener was destroyed inside its namespace (as 'ss -K' does); the listener serves again",
            "its root destroyed our sockets"
        ),
        (
            "container …: cannot subscribe to its nftables changes; a removed redirection stays removed: …",
            "no nftables socket of its namespace can be had"
        ),
        (
            "container …: questions to its resolver addresses do not come here: …",
            "the kernel refuses the rules that would lead them here; it is tried again"
        ),
        (
            "container … does not ask here: …; …",
            "its programs ask other servers, and their questions are not led to its listener"
        ),
        (
            "container … is not heard: …; …",
            "a question from inside its namespace does not arrive at its listener: why, and what to do"
        ),
        (
            "container …: cannot see whether it is heard: …",
            "no question can be sent from its namespace; it is tried again"
        ),
        (
            "container …: its resolv.conf cannot be read; name its servers with --intercept ADDR: …",
            "it is a pipe or too long, or a file system of the container's own hangs"
        ),
        ("container …: its links are not known: …", "no netlink socket of its namespace can be had; it is tried again"),
        (
            "container …: the ports of its former server at 127.0.0.11 cannot be found: …",
            "its namespace cannot be entered to look for dockerd's sockets; that is done again when they are missed"
        ),
        (
            "container …: the redirection of port 53 was changed or removed in its namespace; setting it again",
            "its root or a firewall changed the rules of table intercom"
        ),
        (
            "container …: upstreams cannot be asked from its namespace: …",
            "--forward-from namespace, and no socket can be made there"
        ),
        ("container …: …", "its resolv.conf cannot be written"),
        ("control connection cannot be accepted: …", "the control socket's accept(2) fails"),
        (
            "control connection closed: replies that clients do not read take … MiB",
            "clients of the control socket do not read their replies"
        ),
        ("control connection refused: … are open, and none is idle", "512 clients of the control socket are busy"),
        ("network … stays as it was: …", "reload, and a network cannot be changed under its containers"),
        ("the service manager cannot be notified: …", "sd_notify(3) fails"),
        (
            "the service manager passed a … socket that does not listen; using an own one",
            "a unit hands over a socket of another kind"
        ),
        (
            "the host itself cannot be served at 127.0.0.11: …",
            "host enable, and another program of the host has the port"
        ),
        ("the host's listener at 127.0.0.11 failed, and is made anew: …", "its sockets cannot serve any more"),
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
        ("… is the namespace of …, which is attached", "a second path to one namespace"),
        ("… names no DNS server: …", "the host's resolv.conf has no usable nameserver"),
        (
            "…: cannot remove the listener from the service manager's store: …",
            "the service manager does not let go of a listener's sockets"
        ),
        (
            "…: the service manager does not store the listener, so queries fail during a restart: …",
            "the service manager does not take a listener's sockets"
        ),
        ("…: …", "something of the configuration cannot be had: what, and why"),
        (
            "…: …; moved to …, and … of its declarations are in force",
            "the state file is damaged or of a later version, and set aside"
        ),
        (
            "…: …; … of its declarations are in force; cannot move it away: …",
            "it is damaged, and cannot even be set aside"
        ),
    ]

    private static let news: [(message: String, situation: String)] = [
        (
            "removing … gates that no container needs any more",
            "the daemon before has left gates of containers that are gone"
        ),
        ("network …: guests are answered at …", "a gateway's listener has been made"),
        (
            "network …: guests are not answered at … any more",
            "the host has lost the address, or the network has no gateway listener any more"
        ),
        ("… … has attached as host … (session …)", "a bridge to other hosts attaches"),
        ("all hosts are known: … elsewhere", "a bridge has told everything for the first time"),
        ("bridge …: …", "a bridge says that it is otherwise with its store"),
        ("configuration reloaded", "reload"),
        (
            "source …: containers new or different: …, gone: …; networks changed: …",
            "a source has published, updated or was forgotten, and something is different"
        ),
        ("container … added…", "container add; with its namespace"),
        ("container … attached: its namespace has appeared", "a container of the configuration was waited for"),
        ("container … connected to network …", "network connect"),
        ("container … disconnected from network …", "network disconnect"),
        ("container … ended: …", "its process exited, or its path is gone"),
        ("container … found at …", "a namespace appeared where namespaces are looked for"),
        ("container … has a listener again", "one that had none, or lost its own"),
        ("container … is heard now", "its questions arrive at its listener, and did not before"),
        ("container … is …", "container drain, container ready"),
        ("container … removed", "container rm"),
        ("container … …", "a container that the state keeps ended while the daemon was away"),
        (
            "container …: … was not written by intercom; leaving it unchanged",
            "a resolv.conf of somebody else is in the place of its own"
        ),
        ("ending on …", "a signal ends the daemon"),
        ("listening for … calls at …", "start; cluster calls: where networks are shared, also after a reload"),
        (
            "netlink receive buffer overflowed; re-read all links and addresses (raise [discover] receive-buffer if this repeats)",
            "more changes than fit into the socket's buffer"
        ),
        ("network … created", "network create"),
        ("policy … …", "policy set: declared or changed"),
        ("… … … to … by policy …: …", "a policy denies a question of a container, or would deny it (audit); limited"),
        ("… more questions were denied by policies", "more than a worker notes; limited"),
        ("policy … changed", "policy allow, policy deny, policy rm of rules"),
        ("policy … removed", "policy rm"),
        ("record … … added", "record add"),
        ("records of … removed", "record rm"),
        ("network … removed", "network rm"),
        ("ready: …, …", "everything that was there before answers again"),
        ("… has changed: the upstreams of the host are …", "the host's resolv.conf has changed"),
        ("the host itself is served at 127.0.0.11", "host enable, or a start after it"),
        ("the host itself is not served any more", "host disable, or somebody else wrote the host's resolv.conf anew"),
        ("cache flush: … removed", "cache flush"),
        ("… asked … over …: …, … µs, …", "a question of a container, with [log] queries = \"journal\""),
        ("queries are logged to … again", "a dnstap reader is there, and was not before"),
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
