// Each cause from the facts that show it, with its sentence and its cure.

import Attachment
import Foundation
import Testing

@testable import Diagnosis

extension ResolverFile.Attempt {
    /// `web` with a search domain behind it.
    fileprivate static func corp(_ code: String, _ data: String...) -> Self {
        Self("web.corp.example", in: "corp.example", code: code, data: data, source: "upstream 10.0.0.1:53")
    }
}

/// Facts, and the finding that they lead to.
private struct Case: CustomTestStringConvertible, Sendable {
    let cause: Cause
    let text: String
    let cure: String?
    let facts: Facts

    init(_ cause: Cause, _ text: String, cure: String?, _ facts: Facts) {
        (self.cause, self.text, self.cure, self.facts) = (cause, text, cure, facts)
    }

    var testDescription: String { "\(cause.rawValue): \(text)" }
}

@Suite("An explanation")
struct CauseTests {
    private static let onContainer = [
        Case(
            .noSuchContainer, "no container is called app; web is", cure: "intercomctl explain web --from web",
            facts { $0.asker = .absent(nil, near: "web") }),
        Case(
            .noSuchContainer, "no container is called app", cure: "intercomctl container ls --all",
            facts { $0.asker = .absent(nil, near: nil) }),
        Case(
            .ended, "app ended 7 s ago: its process has exited", cure: "start app again at pid 4711",
            facts {
                $0.asker = .absent(.ended(why: "its process has exited", seconds: 7, place: "pid 4711"), near: nil)
            }),
        Case(
            .waiting, "app waits for its namespace: there is none", cure: "start app; it is attached by itself",
            facts { $0.asker = .absent(.waiting(why: "there is none"), near: nil) }),
        Case(
            .excluded, "/run/netns/app is excluded by [discover] in /etc/intercom/intercom.toml",
            cure: "intercomctl container add app --netns /run/netns/app",
            facts { $0.asker = .absent(.excluded(path: "/run/netns/app"), near: nil) }),
        Case(
            .discoveryOff,
            "nobody declared /run/netns/app, and [discover] enabled = false in /etc/intercom/intercom.toml",
            cure: "intercomctl container add app --netns /run/netns/app",
            facts { $0.asker = .absent(.undiscovered(path: "/run/netns/app"), near: nil) }),
        Case(
            .openerDown, "/run/netns/app: the opener does not answer", cure: "systemctl start intercom-opener.socket",
            facts {
                let failure = Failure(.openerAway, "the opener does not answer")
                $0.asker = .absent(.unattached(path: "/run/netns/app", failure), near: nil)
            }),
    ]

    /// A container `web` that is on no network, because of a link; it would be on `front`.
    private static func linked(_ trouble: LinkFacts.Trouble, into bridge: String? = "br0") -> Facts {
        facts {
            $0.outcome = .denied
            let link = LinkFacts("eth0", into: bridge, network: bridge == "br0" ? "front" : nil, trouble: trouble)
            $0.holders = [Holder(.named("web", on: [], link), on: nil, isVisible: false)]
        }
    }

    private static let onLinks = [
        Case(.linkDown, "link eth0 of web is down", cure: "ip -n web link set dev eth0 up", linked(.down)),
        Case(
            .peerDown, "web0, the host's end of link eth0 of web, is down", cure: "ip link set dev web0 up",
            linked(.peerDown("web0"))),
        Case(
            .notPlugged, "web0, the host's end of link eth0 of web, is in no bridge",
            cure: "ip link set dev web0 master br0", linked(.notPlugged("web0"), into: nil)),
        Case(
            .excluded,
            "link eth0 of web is in docker0, which [discover] in /etc/intercom/intercom.toml excludes",
            cure: "intercomctl network create docker0 --interface docker0",
            linked(.excluded("docker0"), into: "docker0")),
        Case(
            .networkDown, "br0, the bridge of link eth0 of app, is down", cure: "ip link set dev br0 up",
            facts {
                var app = Member.app
                app.links[0].trouble = .networkDown("br0")
                $0.asker = .present(app, .ready)
            }),
        Case(
            .noNetwork, "web is on no network", cure: "intercomctl network connect front web --ip ADDRESS",
            facts {
                $0.outcome = .denied
                $0.holders = [Holder(.named("web", on: []), on: nil, isVisible: false)]
            }),
        Case(
            .disconnected, "web was taken off front by 'network disconnect'",
            cure: "intercomctl network connect front web",
            facts {
                $0.outcome = .denied
                $0.holders = [Holder(.named("web", on: [], left: ["front"]), on: nil, isVisible: false)]
            }),
        Case(
            .disconnected, "app was taken off back by 'network disconnect'",
            cure: "intercomctl network connect back app",
            facts("db") {
                var app = Member.app
                app.left = ["back"]
                $0.asker = .present(app, .ready)
                $0.outcome = .denied
                $0.holders = [Holder(.named("db", on: ["back"]), on: "back", isVisible: false)]
            }),
    ]

    private static func state(_ state: State) -> Facts { facts { $0.asker = .present(.app, state) } }

    private static let shop = Program(pid: 4711, name: "nginx", container: RuntimeContainer(.lxc, "shop"))
    private static let web = Program(pid: 4711, name: "nginx", container: RuntimeContainer(.docker, "3f2a9b1c0d2e"))

    private static let onFiles = [
        Case(
            .begunBefore,
            "nginx (pid 4711) of app began before /etc/netns/app/resolv.conf was there: it asks 192.0.2.1",
            cure: "kill 4711, and start that program again: ip netns exec app COMMAND",
            facts {
                var file = ResolverFile("/etc/netns/app/resolv.conf", servers: ["127.0.0.11"], leadsHere: true)
                file.elsewhere = .init(Program(pid: 4711, name: "nginx"), servers: ["192.0.2.1"])
                $0.resolver = file
            })
    ]

    private static let onUnserved = [
        Case(
            .notAttached, "pid 4711 (docker 3f2a9b1c0d2e) has no intercom",
            cure: "systemctl enable --now intercom-docker.service",
            facts { $0.asker = .absent(.unserved(web), near: nil) }),
        Case(
            .notAttached, "pid 4711 (lxc shop) has no intercom", cure: "intercomctl container add app --pid 4711",
            facts { $0.asker = .absent(.unserved(shop), near: nil) }),
        Case(
            .notAttached, "pid 4711 (nginx) has no intercom", cure: "intercomctl container add NAME --pid 4711",
            facts {
                $0.question.asker = "4711"
                $0.asker = .absent(.unserved(Program(pid: 4711, name: "nginx")), near: nil)
            }),
        Case(
            .notAttached,
            "no container is called app; docker runs 2 containers (pid 4711 (docker 3f2a9b1c0d2e) and 1 more) that have no intercom",
            cure: "systemctl enable --now intercom-docker.service",
            facts { $0.asker = .absent(.perhapsUnserved([web, web]), near: nil) }),
        Case(
            .unnamed,
            "no container is called app; /run/docker/netns/3f2a9b1c0d2e is a container of docker without a name",
            cure: "systemctl enable --now intercom-docker.service",
            facts { $0.asker = .absent(.perhapsUnnamed(["/run/docker/netns/3f2a9b1c0d2e"]), near: nil) }),
        Case(
            .unnamed, "nobody is called web; /srv/netns/1 is a container without a name",
            cure: "intercomctl container add NAME --netns /srv/netns/1",
            facts { ($0.outcome, $0.unnamed) = (.denied, ["/srv/netns/1"]) }),
        Case(
            .hostProcess, "pid 4711 (nginx) runs in the namespace of the host, which is no container",
            cure: "intercomctl host enable",
            facts { $0.asker = .absent(.onHost(Program(pid: 4711, name: "nginx")), near: nil) }),
    ]

    private static let onListener = [
        Case(
            .portTaken, "dnsmasq (pid 4711) has port 53 of app",
            cure: "kill 4711, or declare app with --listen redirect",
            facts {
                $0.asker = .present(.app, .noListener(Failure(.portTaken, "taken")))
                $0.holder = Program(pid: 4711, name: "dnsmasq")
            }),
        // Others need it: nobody is told to end it.
        Case(
            .portTaken, "dockerd (pid 812) has port 53 of app", cure: "declare app with --listen redirect",
            facts {
                $0.asker = .present(.app, .noListener(Failure(.portTaken, "taken")))
                $0.holder = Program(pid: 812, name: "dockerd", isOutside: true)
            }),
        Case(
            .answeredByAnother, "app: 127.0.0.11:53 is answered by another server, dockerd (pid 812)",
            cure: Unheard(at: "127.0.0.11:53", .answeredByAnother).cure,
            facts {
                $0.asker = .present(.app, .unheard(Unheard(at: "127.0.0.11:53", .answeredByAnother)))
                $0.holder = Program(pid: 812, name: "dockerd")
            }),
        Case(
            .answeredByAnother,
            "app: 127.0.0.11:53 is answered by another server: NAT leads questions to 127.0.0.11:41000, dockerd (pid 812)",
            cure: Unheard(at: "127.0.0.11:53", .answeredByAnother).cure,
            facts {
                $0.asker = .present(.app, .unheard(Unheard(at: "127.0.0.11:53", .answeredByAnother)))
                ($0.holder, $0.leadsTo) = (Program(pid: 812, name: "dockerd"), "127.0.0.11:41000")
            }),
        Case(
            .unheard,
            "app: nobody listens where questions to 127.0.0.11:53 are led: NAT leads questions to 10.9.0.1:53",
            cure: Unheard(at: "127.0.0.11:53", .refused).cure
                + "; the rules: nsenter --net=/run/netns/app nft list ruleset",
            facts {
                $0.asker = .present(.app, .unheard(Unheard(at: "127.0.0.11:53", .refused)))
                $0.leadsTo = "10.9.0.1:53"
            }),
        Case(
            .portTaken, "another program has port 53 of app",
            cure:
                "end that program, or declare app with --listen redirect; this shows it: "
                + "nsenter --net=/run/netns/app ss -Hlnptu 'sport = 53'",
            state(.noListener(Failure(.portTaken, "taken")))),
        Case(
            .openerDown, "app: the opener does not answer", cure: "systemctl start intercom-opener.socket",
            state(.noListener(Failure(.openerAway, "the opener does not answer")))),
        Case(.noListener, "app has no listener: no", cure: nil, state(.noListener(Failure(.refused, "no")))),
        Case(
            .loopbackDown, "the loopback interface of app has no address",
            cure: "ip -n app addr add 127.0.0.1/8 dev lo",
            state(.unheard(Unheard(at: "127.0.0.11:53", .loopbackBare)))),
        Case(
            .loopbackDown, "the loopback interface of app is down", cure: "ip -n app link set lo up",
            state(.unheard(Unheard(at: "127.0.0.11:53", .loopbackDown)))),
        Case(
            .answeredByAnother, "app: 127.0.0.11:53 is answered by another server",
            cure: Unheard(at: "127.0.0.11:53", .answeredByAnother).cure,
            state(.unheard(Unheard(at: "127.0.0.11:53", .answeredByAnother)))),
        Case(
            .unheard, "app: questions to 127.0.0.11:53 get no reply",
            cure: Unheard(at: "127.0.0.11:53", .noReply).cure
                + "; the rules: nsenter --net=/run/netns/app nft list ruleset",
            state(.unheard(Unheard(at: "127.0.0.11:53", .noReply)))),
        Case(
            .unheard, "questions of app do not come here: no nftables", cure: nil,
            state(.notIntercepted(Failure(.refused, "no nftables")))),
        Case(
            .unproved, "app: it is not known whether its questions reach its listener: EPERM", cure: nil,
            state(.untried(Failure(.refused, "EPERM")))),
        Case(
            .foreignResolver, "app: its resolv.conf names 192.0.2.1",
            cure: OtherServers("192.0.2.1").cure,
            state(.notAsked(OtherServers("192.0.2.1")))),
    ]

    private static let onPrograms = [
        Case(
            .foreignResolver, "/etc/netns/app/resolv.conf of app names 192.0.2.1",
            cure: "echo nameserver 127.0.0.11 >/etc/netns/app/resolv.conf",
            facts {
                $0.resolver = ResolverFile("/etc/netns/app/resolv.conf", servers: ["192.0.2.1"], leadsHere: false)
            }),
        Case(
            .foreignResolver, "/etc/resolv.conf of app, written by Docker, names 192.0.2.1",
            cure: "declare it with --intercept, or name 127.0.0.11 in its resolv.conf",
            facts {
                $0.resolver = ResolverFile(
                    "/etc/resolv.conf", isOnHost: false, writer: "Docker", servers: ["192.0.2.1"], leadsHere: false)
            }),
        Case(
            .foreignResolver, "/etc/resolv.conf of app names no server",
            cure: "declare it with --intercept, or name 127.0.0.11 in its resolv.conf",
            facts { $0.resolver = ResolverFile("/etc/resolv.conf", isOnHost: false, servers: [], leadsHere: false) }),
        Case(
            .hostsFile, "programs of app take 10.9.9.9 for web from /etc/netns/app/hosts, and ask nobody",
            cure: "remove web from /etc/netns/app/hosts",
            facts {
                $0.resolver = ResolverFile("/etc/netns/app/resolv.conf", servers: ["127.0.0.11"], leadsHere: true)
                $0.hosts = HostsFacts("/etc/netns/app/hosts", addresses: ["10.9.9.9"])
            }),
        Case(
            .nameServiceSwitch,
            "libc asks no DNS server for programs of app (dig does): 'hosts:' in /etc/netns/app/nsswitch.conf has files, myhostname and no dns",
            cure: "sed -i 's/^\\s*hosts:[^#]*/& dns /' /etc/netns/app/nsswitch.conf",
            facts {
                $0.resolver = ResolverFile("/etc/netns/app/resolv.conf", servers: ["127.0.0.11"], leadsHere: true)
                $0.nameServices = NameServices("/etc/netns/app/nsswitch.conf", text: "hosts: files myhostname")
            }),
        Case(
            .searchDomain,
            "its programs ask for web.corp.example first (search in /etc/netns/app/resolv.conf, ndots:1), and get 192.0.2.9",
            cure: "echo options ndots:0 >>/etc/netns/app/resolv.conf",
            facts {
                $0.resolver = ResolverFile(
                    "/etc/netns/app/resolv.conf", servers: ["127.0.0.11"], leadsHere: true, search: ["corp.example"],
                    attempts: [.corp("NOERROR", "192.0.2.9")])
            }),
        Case(
            .answeredBySearch,
            "web is answered by the search domain corp.example in /etc/resolv.conf, as web.corp.example (192.0.2.9) from upstream 10.0.0.1:53; no container is called web",
            cure: "intercomctl container ls", searched { _ in }),
        Case(
            .answeredBySearch,
            "web is answered by the search domain corp.example in /etc/resolv.conf, as web.corp.example (192.0.2.9) from upstream 10.0.0.1:53; no container is called web; wep is",
            cure: "intercomctl explain wep --from app", searched { $0.near = "wep" }),
        // An upstream that has no such name itself is no fault then.
        Case(
            .answeredBySearch,
            "web is answered by the search domain corp.example in /etc/resolv.conf, as web.corp.example (192.0.2.9) from upstream 10.0.0.1:53; no container is called web",
            cure: "intercomctl container ls",
            searched { ($0.outcome, $0.servers) = (.forwarded("NXDOMAIN"), [Server("10.0.0.1:53")]) }),
        Case(
            .renamed, "nobody is called web; frontend was called web until 14:05",
            cure: "intercomctl explain frontend --from app",
            searched { $0.formerly = FormerName("frontend", until: "14:05") }),
    ]

    /// Nobody is called `web`, and a search domain of the container has the name.
    private static func searched(_ change: (inout Facts) -> Void) -> Facts {
        facts {
            $0.outcome = .denied
            $0.resolver = ResolverFile(
                "/etc/resolv.conf", servers: ["127.0.0.11"], leadsHere: true, search: ["corp.example"],
                attempts: [.corp("NOERROR", "192.0.2.9")])
            change(&$0)
        }
    }

    private static let onName = [
        Case(
            .mistyped, "10.1.0.2 is an address, and no name", cure: "intercomctl resolve -x 10.1.0.2 --from app",
            facts("10.1.0.2") { ($0.outcome, $0.isAddress) = (.forwarded("NXDOMAIN"), true) }),
        Case(
            .mistyped, "nobody is called wbe; web is", cure: "intercomctl explain web --from app",
            facts("wbe") { ($0.outcome, $0.near) = (.denied, "web") }),
        Case(
            .oddCharacter, "the name ends with a carriage return (\\013), and nobody is called so",
            cure: "intercomctl explain web --from app", facts("web\r") { $0.outcome = .denied }),
        Case(
            .oddCharacter, "the name has a zero-width space (U+200B) behind 'www', and nobody is called so",
            cure: "intercomctl explain www.example --from app",
            facts("www\u{200B}.example") {
                ($0.outcome, $0.servers) = (.forwarded("NXDOMAIN"), [Server("10.0.0.1:53")])
            }),
        Case(
            .renamed, "nobody is called web; frontend was called web until 14:05",
            cure: "intercomctl explain frontend --from app",
            facts {
                ($0.outcome, $0.near) = (.denied, "wep")
                $0.formerly = FormerName("frontend", until: "14:05")
            }),
        Case(
            .otherNetwork, "db is on network back, and app is not", cure: "intercomctl network connect back app",
            facts("db") {
                $0.outcome = .denied
                $0.holders = [Holder(.named("db", on: ["back"]), on: "back", isVisible: false)]
            }),
        Case(
            .duplicateName, "2 containers on front are called web: /run/netns/web, /srv/netns/web",
            cure: "rename one, or remove it",
            facts {
                let other = Member("web", at: .path("/srv/netns/web"), on: ["front"])
                $0.holders = [
                    Holder(.named("web"), on: "front", isVisible: true), Holder(other, on: "front", isVisible: true),
                ]
            }),
        Case(
            .duplicateAddress, "10.1.0.2 on front is the address of web and of old: packets go to either",
            cure: "ip -n old addr del 10.1.0.2/24 dev eth0",
            facts {
                var link = LinkFacts("eth0", into: "br0", network: "front")
                link.addresses = ["10.1.0.2/24", "10.1.0.20/24"]
                $0.holders = [Holder(.named("web"), on: "front", isVisible: true, addresses: ["10.1.0.2"])]
                $0.holders[0].shared = .init("10.1.0.2", others: [.named("old", link)])
            }),
        Case(
            .duplicateAddress, "10.1.0.2 on front is the address of web and of vm: packets go to either",
            cure: "give one of them another address",
            facts {
                $0.holders = [Holder(.named("web"), on: "front", isVisible: true, addresses: ["10.1.0.2"])]
                $0.holders[0].shared = .init("10.1.0.2", others: [Member("vm", at: nil, on: ["front"])])
            }),
        Case(
            .drained, "one is left out: 'container drain'", cure: "intercomctl container ready one",
            facts("site") {
                $0.holders = [
                    Holder(.named("one"), on: "front", isVisible: true, isAlias: true, isDraining: true),
                    Holder(.named("two"), on: "front", isVisible: true, isAlias: true),
                ]
            }),
        Case(
            .noAddress, "web has no address on front", cure: "ip -n web addr add ADDRESS/LENGTH dev eth0",
            facts {
                $0.outcome = .empty
                let link = LinkFacts("eth0", into: "br0", network: "front", hasAddress: false)
                $0.holders = [Holder(.named("web", link), on: "front", isVisible: true)]
            }),
        Case(
            .otherType, "web has no A record; web is at fd00::2", cure: nil,
            facts {
                $0.outcome = .empty
                $0.holders = [Holder(.named("web"), on: "front", isVisible: true, addresses: ["fd00::2"])]
            }),
        Case(
            .otherType, "_http._tcp.web has no A record; web is at 10.1.0.2", cure: nil,
            facts("_http._tcp.web") {
                $0.outcome = .empty
                $0.holders = [
                    Holder(.named("web"), on: "front", isVisible: true, isService: true, addresses: ["10.1.0.2"])
                ]
            }),
        Case(
            .singleLabel, "nobody is called web, and names of one label are not forwarded",
            cure: "set [forward] single-labels = true in /etc/intercom/intercom.toml, then: intercomctl reload",
            facts { $0.outcome = .denied }),
        Case(
            .noSuchName, "nobody is called x.internal, and names under the domain are never forwarded", cure: nil,
            facts("x.internal") { $0.outcome = AnswerFacts(.domain, source: "", code: "NXDOMAIN") }),
        Case(
            .noSuchName, "x.invalid does not exist: special-use name (RFC 6761)", cure: nil,
            facts("x.invalid") {
                $0.outcome = AnswerFacts(.settled, source: "special-use name (RFC 6761)", code: "NXDOMAIN")
            }),
        Case(
            .noSuchName, "api.test is an alias of shop, which does not exist",
            cure: "intercomctl explain shop --from app",
            facts("api.test") {
                $0.outcome = AnswerFacts(.settled, source: "record", code: "NXDOMAIN", data: ["shop."])
            }),
        Case(
            .noSuchAddress, "nobody has this address on the container's networks", cure: nil,
            facts("9.0.1.10.in-addr.arpa") { $0.outcome = AnswerFacts(.subnet, source: "", code: "NXDOMAIN") }),
        Case(
            .multicast, "tv.local is under local, a domain of multicast DNS, and is not forwarded",
            cure: "set [forward] local = true in /etc/intercom/intercom.toml, then: intercomctl reload",
            facts("tv.local") { $0.outcome = AnswerFacts(.multicast, source: "", code: "NXDOMAIN") }),
    ]

    private static let outside = [
        Case(
            .gateFailed, "app is told no address, as the gate of policy gate is not in force: no nftables",
            cure: "mend that; or let it reach all: intercomctl policy set gate --no-addresses",
            facts { $0.gate = GateFailure(policy: "gate", reason: "no nftables") }),
        Case(
            .deniedByPolicy, "www.example is denied by policy gate: default deny",
            cure: "intercomctl policy allow gate www.example",
            facts("www.example") {
                $0.outcome = AnswerFacts(
                    .policy, source: "", code: "NXDOMAIN", details: ["policy gate: default deny"])
            }),
        Case(
            .deniedByPolicy, "www.example is denied by policy gate: types, without A",
            cure: "intercomctl policy inspect gate",
            facts("www.example") {
                $0.outcome = AnswerFacts(
                    .policy, source: "", code: "NOERROR", details: ["policy gate: types, without A"])
            }),
        Case(
            .deniedByPolicy, "web is denied by policy gate: nobody has declared it",
            cure: "intercomctl policy set gate --default allow",
            facts {
                $0.outcome = AnswerFacts(
                    .policy, source: "", code: "NXDOMAIN", details: ["policy gate: nobody has declared it"])
                ($0.isPolicyStrict, $0.near) = (true, "wab")
            }),
        Case(
            .internalNetwork, "app is on internal networks alone (front)",
            cure: "intercomctl network connect lan app",
            facts("www.example") {
                $0.outcome = AnswerFacts(.blocked, source: "", code: "NXDOMAIN")
                $0.openNetwork = "lan"
            }),
        Case(
            .internalNetwork, "app is on internal networks alone (front)",
            cure: "intercomctl network create outside && intercomctl network connect outside app",
            facts("www.example") { $0.outcome = AnswerFacts(.blocked, source: "", code: "NXDOMAIN") }),
        Case(
            .noUpstream, "there is no upstream to ask",
            cure:
                "name an upstream that answers in [forward] upstreams of /etc/intercom/intercom.toml, then: intercomctl reload",
            facts("www.example") { $0.outcome = .forwarded("SERVFAIL") }),
        failing(
            .upstreamSilent, "10.0.0.1:53: no reply, 4 times", Server("10.0.0.1:53", failures: 4, trouble: .silent)),
        failing(
            .upstreamRefused, "10.0.0.1:53: connection refused, 1 time since 14:05",
            Server("10.0.0.1:53", failures: 1, trouble: .refused, since: "14:05")),
        failing(
            .upstreamLying,
            "10.0.0.1:53: 7 replies with another id or question than was asked, and no other since 14:05",
            Server("10.0.0.1:53", failures: 2, trouble: .silent, since: "14:05", wrongReplies: 7)),
        failing(
            .upstreamUnreachable, "10.0.0.1:53: cannot be reached, 1 time",
            Server("10.0.0.1:53", failures: 1, trouble: .unreachable)),
        Case(
            .upstreamLoop, "10.0.0.1:53 asks us in turn, and is not asked",
            cure: "have 10.0.0.1:53 ask somebody else, or name another upstream; then: intercomctl reload",
            facts("www.example") {
                ($0.outcome, $0.servers) = (.forwarded("SERVFAIL"), [Server("10.0.0.1:53", isLooping: true)])
            }),
        Case(
            .upstreamFailing, "10.0.0.1:53 says REFUSED",
            cure:
                "mend that server, or name an upstream that answers in [forward] upstreams of /etc/intercom/intercom.toml, then: intercomctl reload",
            facts("www.example") { ($0.outcome, $0.servers) = (.forwarded("REFUSED"), [Server("10.0.0.1:53")]) }),
        Case(
            .upstreamResting, "10.0.0.1:53: no reply, 5 times", cure: "mend 10.0.0.1:53; it is tried again by itself",
            facts("www.example") {
                $0.outcome = .forwarded("NOERROR", "192.0.2.1")
                $0.servers = [
                    Server("10.0.0.1:53", failures: 5, trouble: .silent, isResting: true), Server("10.0.0.2:53"),
                ]
            }),
        Case(
            .upstreamSilent,
            "www.example has an answer for A, and none for AAAA (10.0.0.1:53: no reply, 2 times): programs ask for both, and wait",
            cure:
                "mend 10.0.0.1:53, or name an upstream that answers in [forward] upstreams of /etc/intercom/intercom.toml, then: intercomctl reload",
            facts("www.example") {
                $0.outcome = .forwarded("NOERROR", "192.0.2.1")
                $0.other = .forwarded("SERVFAIL")
                $0.servers = [Server("10.0.0.1:53", failures: 2, trouble: .silent)]
            }),
        Case(
            .upstreamFailing, "SERVFAIL is 2 s old, and kept for 3 s more",
            cure:
                "mend that server, or name an upstream that answers in [forward] upstreams of /etc/intercom/intercom.toml, then: intercomctl reload",
            facts("www.example") {
                ($0.outcome, $0.servers) = (.forwarded("SERVFAIL"), [Server("10.0.0.1:53")])
                $0.kept = KeptFacts(age: 2, left: 3)
            }),
        Case(
            .unknownOutside,
            "www.example does not exist, as an upstream said 40 s ago: that is kept for 260 s more",
            cure: "intercomctl cache flush www.example",
            facts("www.example") {
                ($0.outcome, $0.servers) = (.forwarded("NXDOMAIN"), [Server("10.0.0.1:53")])
                $0.kept = KeptFacts(age: 40, left: 260)
            }),
        Case(
            .unknownOutside, "10.0.0.1:53 says that www.example does not exist", cure: "ask for a name that exists",
            facts("www.example") { ($0.outcome, $0.servers) = (.forwarded("NXDOMAIN"), [Server("10.0.0.1:53")]) }),
        Case(
            .unknownOutside, "10.0.0.1:53 has no A record for www.example, and says why: Blocked",
            cure: "ask who runs that server, or give the name yourself: intercomctl record add www.example A ADDRESS",
            facts("www.example") {
                ($0.outcome, $0.servers) = (.forwarded("NOERROR"), [Server("10.0.0.1:53")])
                $0.outcome?.details = ["Blocked"]
            }),
        Case(
            .otherType, "10.0.0.1:53 has no A record for www.example", cure: nil,
            facts("www.example") { ($0.outcome, $0.servers) = (.forwarded("NOERROR"), [Server("10.0.0.1:53")]) }),
        Case(
            .answerCutOff,
            "the answer is not whole: it is too long for UDP, and 10.0.0.1:53 does not give it over TCP",
            cure: "let TCP from this host to 10.0.0.1:53 through, or have that server answer over TCP",
            facts("www.example") {
                ($0.outcome, $0.servers) = (.forwarded("NOERROR", "192.0.2.1"), [Server("10.0.0.1:53")])
                $0.outcome?.isTruncated = true
            }),
    ]

    private static let onRecords = [
        Case(
            .recordShadowed, "the record web A 10.9.0.1 is not answered: web is called so",
            cure: "rename one: intercomctl record ls",
            facts {
                $0.shadowedRecord = "A 10.9.0.1"
                $0.holders = [Holder(.named("web"), on: "front", isVisible: true, addresses: ["10.1.0.2"])]
            })
    ]

    private static func failing(_ cause: Cause, _ text: String, _ server: Server) -> Case {
        Case(
            cause, text,
            cure:
                "mend 10.0.0.1:53, or name an upstream that answers in [forward] upstreams of /etc/intercom/intercom.toml, then: intercomctl reload",
            facts("www.example") { ($0.outcome, $0.servers) = (.forwarded("SERVFAIL"), [server]) })
    }

    private static func service(
        _ listens: [String]?, _ reach: Service.Reach? = nil, ledTo: String? = nil
    ) -> Facts {
        facts {
            $0.question.port = 80
            var service = Service(.named("web"), address: "10.1.0.2", listens: listens, reach: reach)
            service.ledTo = ledTo
            $0.services = [service]
        }
    }

    /// A service on the asker's bridge, where both links have an MTU of 1500 if it is not said otherwise.
    private static func wired(_ reach: Service.Reach, _ change: (inout WiringFacts) -> Void) -> Facts {
        var facts = service(["0.0.0.0"], reach)
        var wiring = WiringFacts(
            bridge: "br0", bridgeMTU: 1500, asker: .init("eth0", mtu: 1500, peer: "app0", peerMTU: 1500),
            service: .init("eth0", mtu: 1500, peer: "web0", peerMTU: 1500))
        change(&wiring)
        facts.services?[0].wiring = wiring
        return facts
    }

    private static let onWires = [
        Case(
            .portsIsolated,
            "app0 and web0, the host's ends of the links of app and web, are isolated ports of br0: nothing passes between them",
            cure: "bridge link set dev web0 isolated off",
            wired(.silent) { ($0.asker.isIsolated, $0.service.isIsolated) = (true, true) }),
        Case(
            .serviceUnreachable,
            "port 80 of web is open at 10.1.0.2, but a connection from app gets no reply: a firewall drops it, or no packet gets there",
            cure:
                "let TCP to port 80 of 10.1.0.2 through; this shows the rules: nsenter --net=/run/netns/web nft list ruleset",
            wired(.silent) { $0.service.isIsolated = true }),
        Case(
            .duplicateAddress, "10.1.0.2 is the address of web and of old: packets of app go to old",
            cure: "give one of them another address, or unplug it: ip link set dev old0 down",
            wired(.open) { $0.neighbor = .init("02:00:00:00:00:07", port: "old0", owner: "old") }),
        Case(
            .duplicateAddress,
            "10.1.0.2 is the address of web and of 02:00:00:00:00:07 behind x0 of br0: packets of app go to 02:00:00:00:00:07 behind x0 of br0",
            cure: "give one of them another address, or unplug it: ip link set dev x0 down",
            wired(.refused) { $0.neighbor = .init("02:00:00:00:00:07", port: "x0", owner: nil) }),
        Case(
            .duplicateMAC,
            "web and old have the same hardware address on br0, 02:00:00:00:00:07: packets go to whichever of them spoke last",
            cure: "ip -n old link set dev eth1 address 02:55:00:00:00:07",
            wired(.open) {
                $0.twin = .init(
                    "02:00:00:00:00:07", other: "02:55:00:00:00:07", owner: "old", at: .path("/run/netns/old"),
                    link: "eth1", isOfAsker: false)
            }),
        Case(
            .duplicateMAC,
            "app and old have the same hardware address on br0, 02:00:00:00:00:07: packets go to whichever of them spoke last",
            cure: "ip -n old link set dev eth1 address 02:55:00:00:00:07",
            wired(.silent) {
                $0.twin = .init(
                    "02:00:00:00:00:07", other: "02:55:00:00:00:07", owner: "old", at: .path("/run/netns/old"),
                    link: "eth1", isOfAsker: true)
            }),
        Case(
            .mtuDiffers,
            "packets over 1400 octets are lost on the way, as the links have other MTUs: eth0 of app 1500, app0 1500, br0 1400, web0 1400, eth0 of web 1400",
            cure: "ip -n app link set dev eth0 mtu 1400",
            wired(.open) { ($0.bridgeMTU, $0.service.peerMTU, $0.service.mtu) = (1400, 1400, 1400) }),
        Case(
            .mtuDiffers,
            "packets over 1400 octets are lost on the way, as the links have other MTUs: eth0 of app 1400, app0 ?, br0 1400, web0 1500, eth0 of web 1500",
            cure: "ip -n web link set dev eth0 mtu 1400",
            wired(.open) { ($0.asker.mtu, $0.asker.peerMTU, $0.bridgeMTU) = (1400, nil, 1400) }),
        // A bridge of larger packets loses none.
        Case(
            .serviceUnreachable,
            "port 80 of web is open at 10.1.0.2, but a connection from app is refused: a firewall rejects it",
            cure:
                "let TCP to port 80 of 10.1.0.2 through; this shows the rules: nsenter --net=/run/netns/web nft list ruleset",
            wired(.refused) { $0.bridgeMTU = 9000 }),
    ]

    @Test(
        "finds no fault in a service outside that is reached, or by a family of addresses that has no route beside it")
    func outsideIsReached() {
        for facts in [
            Self.outside(("192.0.2.1", .open)), Self.outside(("192.0.2.1", .open), ("2001:db8::1", .noRoute)),
            Self.outside(("192.0.2.1", nil)),
        ] {
            #expect(Explanation(facts).steps.last?.finding == nil, "\(facts.services ?? [])")
        }
        #expect(
            Explanation(Self.outside(("192.0.2.1", .open))).steps.last?.text
                == "port 80 is open: git.example at 192.0.2.1")
    }

    @Test("notes other MTUs beside a fault of the service")
    func notes() {
        let step = Explanation(Self.wired(.refused) { $0.bridgeMTU = 1400 }).steps.last
        #expect(step?.finding?.cause == .serviceUnreachable)
        #expect(step?.text.contains("a firewall rejects it; packets over 1400 octets are lost") == true)
    }

    /// A service with an address of each family, and the ends of attempts to connect to them.
    private static func families(_ listens: [String], _ v4: Service.Reach?, _ v6: Service.Reach?) -> Facts {
        facts {
            $0.question.port = 80
            $0.services = [
                Service(.named("web"), address: "10.1.0.2", listens: listens, reach: v4),
                Service(.named("web"), address: "fd00::2", listens: listens, reach: v6),
            ]
        }
    }

    private static func host(_ listens: [String]?, _ reach: Service.Reach? = nil) -> Facts {
        facts("host.docker.internal") {
            $0.question.port = 80
            $0.services = [Service(ofHostAt: "10.1.0.1", listens: listens, reach: reach)]
        }
    }

    /// A name that an upstream gives addresses for.
    private static func outside(
        _ services: (address: String, reach: Service.Reach?)..., overlap: Bool = false, forwards: Bool? = nil
    ) -> Facts {
        facts("git.example") {
            $0.outcome = .forwarded("NOERROR", services.map(\.address).joined(separator: ", "))
            $0.question.port = 80
            $0.services = services.map { Service(outside: "git.example", at: $0.address, reach: $0.reach) }
            for place in services.indices { $0.services?[place].hostForwards = forwards }
            if overlap { $0.services?[0].overlap = .init("front", "172.17.0.0/16", gateway: "172.17.0.1") }
        }
    }

    private static let onPort = [
        Case(
            .subnetOverlaps,
            "172.17.40.20 of git.example is within 172.17.0.0/16 of front, where nobody has it: packets of app for it stay on that network",
            cure: "ip -n app route add 172.17.40.20 via 172.17.0.1",
            outside(("172.17.40.20", .unreachable("No route to host")), overlap: true)),
        // Somebody is there all the same.
        Case(
            .serviceUnreachable,
            "git.example is at 172.17.40.20, and of a connection from app to port 80 there: it is refused",
            cure:
                "see whether this host gets through: nc -zv -w 3 172.17.40.20 80; this shows the way of app: nsenter --net=/run/netns/app ip route get 172.17.40.20",
            outside(("172.17.40.20", .refused), overlap: true)),
        Case(
            .serviceUnreachable,
            "git.example is at 192.0.2.1, and of a connection from app to port 80 there: nothing comes back, and this host forwards no packets (net.ipv4.ip_forward = 0)",
            cure: "sysctl -w net.ipv4.ip_forward=1", outside(("192.0.2.1", .silent), forwards: false)),
        Case(
            .serviceUnreachable,
            "git.example is at 2001:db8::1, and of a connection from app to port 80 there: nothing comes back, and this host forwards no packets (net.ipv6.conf.all.forwarding = 0)",
            cure: "sysctl -w net.ipv6.conf.all.forwarding=1", outside(("2001:db8::1", .silent), forwards: false)),
        // Who refuses has been reached.
        Case(
            .serviceUnreachable,
            "git.example is at 192.0.2.1, and of a connection from app to port 80 there: it is refused",
            cure:
                "see whether this host gets through: nc -zv -w 3 192.0.2.1 80; this shows the way of app: nsenter --net=/run/netns/app ip route get 192.0.2.1",
            outside(("192.0.2.1", .refused), forwards: false)),
        Case(
            .serviceUnreachable,
            "git.example is at 192.0.2.1, and of a connection from app to port 80 there: nothing comes back",
            cure:
                "see whether this host gets through: nc -zv -w 3 192.0.2.1 80; this shows the way of app: nsenter --net=/run/netns/app ip route get 192.0.2.1",
            outside(("192.0.2.1", .silent))),
        Case(
            .serviceNotRunning, "nothing listens on port 80 of web",
            cure: "start the service in web; this shows what listens: nsenter --net=/run/netns/web ss -Hlnpt",
            service([])),
        Case(
            .serviceOnLoopback, "port 80 of web is open at 127.0.0.1, not at 10.1.0.2",
            cure: "have its program listen at 0.0.0.0", service(["127.0.0.1"])),
        Case(
            .serviceUnreachable,
            "port 80 of web is open at 10.1.0.2, but a connection from app gets no reply: a firewall drops it, or no packet gets there",
            cure:
                "let TCP to port 80 of 10.1.0.2 through; this shows the rules: nsenter --net=/run/netns/web nft list ruleset",
            service(["0.0.0.0"], .silent)),
        Case(
            .serviceElsewhere, "port 80 of web is open at 10.1.0.9, not at 10.1.0.2",
            cure: "have its program listen at 0.0.0.0", service(["10.1.0.9"])),
        Case(
            .noWayBack, "port 80 of web is open at 10.1.0.2, but web has no route back to 10.1.0.130 of app",
            cure:
                "give web an address with the prefix length of its network, or a route; these show them: nsenter --net=/run/netns/web ip addr, and ip route there",
            service(["0.0.0.0"], .noWayBack("10.1.0.130"))),
        Case(
            .serviceUnreachable, "port 80 of web is open at 10.1.0.2, but app has no route to 10.1.0.2",
            cure:
                "give app an address in the network of 10.1.0.2, or a route; this shows the routes: nsenter --net=/run/netns/app ip route",
            service(["0.0.0.0"], .noRoute)),
        Case(
            .oneFamilySilent,
            "port 80 of web is open by IPv4 (10.1.0.2), and not by IPv6 (fd00::2): a connection from app gets no reply: a firewall drops it, or no packet gets there; programs that try IPv6 first wait",
            cure:
                "let TCP to port 80 of fd00::2 through; this shows the rules: nsenter --net=/run/netns/web nft list ruleset",
            families(["::"], .open, .silent)),
        Case(
            .oneFamilySilent,
            "port 80 of web is open by IPv6 (fd00::2), and not by IPv4 (10.1.0.2): web has no route back to 10.1.0.130 of app; programs that try IPv4 first wait",
            cure:
                "give web an address with the prefix length of its network, or a route; these show them: nsenter --net=/run/netns/web ip addr, and ip route there",
            families(["::"], .noWayBack("10.1.0.130"), .open)),
        Case(
            .oneFamilyRefused,
            "port 80 of web is open by IPv4 (10.1.0.2), and not by IPv6 (fd00::2): a connection from app is refused: a firewall rejects it; programs have to fall back to IPv4",
            cure:
                "let TCP to port 80 of fd00::2 through; this shows the rules: nsenter --net=/run/netns/web nft list ruleset",
            families(["0.0.0.0", "::"], .open, .refused)),
        Case(
            .oneFamilyRefused,
            "port 80 of web is open by IPv4 (10.1.0.2), and not by IPv6 (fd00::2): its program listens at 0.0.0.0; programs have to fall back to IPv4",
            cure: "have its program listen at ::", families(["0.0.0.0"], .open, .refused)),
        Case(
            .oneFamilyRefused,
            "port 80 of web is open by IPv4 (10.1.0.2), and not by IPv6 (fd00::2): app has no route to it; programs have to fall back to IPv4",
            cure:
                "give app an address in the network of fd00::2, or a route; this shows the routes: nsenter --net=/run/netns/app ip -6 route",
            families(["::"], .open, .noRoute)),
        // Neither family: one sentence about the first is enough.
        Case(
            .serviceOnLoopback, "port 80 of web is open at 127.0.0.1, not at 10.1.0.2",
            cure: "have its program listen at 0.0.0.0", families(["127.0.0.1"], nil, nil)),
        Case(
            .serviceUnreachable,
            "port 80 of web is open at 10.1.0.2, but address translation in app leads a connection to 127.0.0.1:15001, where it is refused",
            cure:
                "remove that rule in app, or start what it leads to; this shows the rules: nsenter --net=/run/netns/app nft list ruleset",
            service(["0.0.0.0"], .refused, ledTo: "127.0.0.1:15001")),
        Case(
            .serviceNotRunning, "nothing listens on port 80 of the host",
            cure: "start the service on the host; this shows what listens: ss -Hlnpt", host([])),
        Case(
            .serviceOnLoopback, "port 80 of the host is open at 127.0.0.1, not at 10.1.0.1",
            cure: "have its program listen at 10.1.0.1 or 0.0.0.0", host(["127.0.0.1", "::1"])),
        Case(
            .serviceUnreachable,
            "port 80 of the host is open at 10.1.0.1, but a connection from app is refused: a firewall rejects it",
            cure: "let TCP to port 80 of 10.1.0.1 through; this shows the rules: nft list ruleset",
            host(["::"], .refused)),
        Case(
            .serviceUnreachable,
            "port 80 of the host is open at 10.1.0.1, but a connection from app cannot be made: No route to host",
            cure: "let TCP to port 80 of 10.1.0.1 through; this shows the rules: nft list ruleset",
            host(["10.1.0.1"], .unreachable("No route to host"))),
    ]

    @Test(
        "names the cause, says it in one sentence, and gives the cure",
        arguments: onContainer + onUnserved + onFiles + onLinks + onListener + onPrograms + onName + onRecords + outside
            + onPort + onWires)
    private func cause(_ row: Case) {
        let explanation = Explanation(row.facts)
        #expect(explanation.finding?.cause == row.cause, "\(explanation.steps)")
        #expect(explanation.finding?.text == row.text)
        #expect(explanation.finding?.cure == row.cure)
        #expect(explanation.hasFault == !row.cause.isRemark)
        let kinds = explanation.steps.map(\.kind)
        let order = kinds.compactMap { Step.Kind.allCases.firstIndex(of: $0) }
        #expect(order == order.sorted(), "the steps are in the order of the way: \(kinds)")
    }

    @Test("shows in their order the names that programs ask for, each with its answer")
    func asked() {
        func shown(_ change: (inout Facts) -> Void) -> String? {
            Explanation(
                facts {
                    $0.resolver = ResolverFile("/r", servers: ["127.0.0.11"], leadsHere: true)
                    change(&$0)
                }
            ).steps.first { $0.kind == .programs }?.text
        }
        #expect(shown { _ in } == "/r names 127.0.0.11")
        #expect(
            shown { $0.resolver?.attempts = [.corp("NXDOMAIN")] }
                == "/r names 127.0.0.11; asked in order: web.corp.example (NXDOMAIN), web")
        #expect(
            shown {
                $0.outcome = .denied
                $0.resolver?.later = [.corp("NOERROR")]
            }
                == "/r names 127.0.0.11; asked in order: web, web.corp.example (no data)")
        // One of our own domains: it is the same container.
        #expect(
            shown { $0.resolver?.attempts = [.corp("NOERROR", "10.1.0.2")] }
                == "/r names 127.0.0.11; asked in order: web.corp.example (10.1.0.2)")
    }

    @Test("says how old a kept answer is, and for how long it holds, or that nobody answers any more")
    func kept() {
        func shown(_ kept: KeptFacts?) -> String? {
            Explanation(
                facts("www.example") {
                    ($0.outcome, $0.servers) = (.forwarded("NOERROR", "192.0.2.1"), [Server("10.0.0.1:53")])
                    $0.kept = kept
                }
            ).steps.first { $0.kind == .upstreams }?.text
        }
        #expect(shown(nil) == "10.0.0.1:53")
        let flush = "'intercomctl cache flush www.example' drops it"
        #expect(
            shown(KeptFacts(age: 12, left: 288))
                == "10.0.0.1:53; the answer is 12 s old, and kept for 288 s more: \(flush)")
        #expect(
            shown(KeptFacts(age: 400, left: 0))
                == "10.0.0.1:53; the answer is 400 s old, and given because nobody answers: \(flush)")
    }

    @Test(
        "reads entries of hosts files as libc does: names in any case, comments, several addresses",
        arguments: [
            ("10.9.9.9 web\n", ["10.9.9.9"]), ("10.9.9.9\tdb WEB # web\nfd00::9 web\n", ["10.9.9.9", "fd00::9"]),
            ("# 10.9.9.9 web\n10.9.9.9 webs web.front\nweb\n\n10.9.9.9 # web\n", nil), ("", nil),
        ] as [(String, [String]?)])
    func hostsFiles(text: String, addresses: [String]?) {
        #expect(HostsFacts("/h", text: text, name: "Web.")?.addresses == addresses)
        #expect(Set(addresses ?? []).isEmpty || HostsFacts("/h", text: text, name: "shop") == nil)
    }

    @Test(
        "reads nsswitch.conf as libc does: the last line for hosts, comments, actions in brackets",
        arguments: [
            ("hosts: files dns\n", ["files", "dns"], true), (" hosts :\tfiles  # dns\n", ["files"], false),
            (
                "passwd: files\nhosts: files mymachines resolve [!UNAVAIL=return] dns",
                ["files", "mymachines", "resolve", "dns"], true
            ),
            ("hosts: files [ NOTFOUND = dns ] myhostname\n", ["files", "myhostname"], false),
            ("hosts: dns\nhosts: files\n", ["files"], false), ("hosts:\n", [], false), ("hosts\n", nil, true),
            ("# hosts: files\nghosts: files\n", nil, true), ("", nil, true),
        ] as [(String, [String]?, Bool)])
    func nameServices(text: String, names: [String]?, askDNS: Bool) {
        let services = NameServices("/n", text: text)
        #expect(services?.names == names)
        #expect(services?.askDNS ?? true == askDNS)
    }

    @Test("says when a listener is tried again, beside what is wrong with it")
    func nextTry() {
        for (seconds, note) in [(7, "it is tried again in 7 s"), (0, "it is tried again now")] {
            let explanation = Explanation(
                facts {
                    $0.asker = .present(.app, .noListener(Failure(.portTaken, "taken")))
                    ($0.holder, $0.nextTry) = (Program(pid: 7, name: "dnsmasq"), seconds)
                })
            let step = explanation.steps.first { $0.kind == .listener }
            #expect(step?.text == "dnsmasq (pid 7) has port 53 of app; \(note)")
            #expect(explanation.finding?.text == "dnsmasq (pid 7) has port 53 of app")
        }
    }

    @Test("has no finding where all is in order, and says so in each step")
    func order() {
        let explanation = Explanation(
            facts {
                $0.question.port = 80
                $0.resolver = ResolverFile(
                    "/etc/netns/app/resolv.conf", isOurs: true, servers: ["127.0.0.11"], leadsHere: true)
                $0.holders = [Holder(.named("web"), on: "front", isVisible: true, addresses: ["10.1.0.2"])]
                $0.services = [Service(.named("web"), address: "10.1.0.2", listens: ["0.0.0.0"])]
            })
        #expect(explanation.finding == nil)
        #expect(
            explanation.steps.map { "\($0.kind.rawValue): \($0.text)" } == [
                "container: app at /run/netns/app", "links: on front (eth0)", "listener: 127.0.0.11:53",
                "heard: a question from inside has arrived",
                "programs: /etc/netns/app/resolv.conf, written by intercom, names 127.0.0.11", "name: network front",
                "answer: 10.1.0.2", "port: port 80 is open: web at 10.1.0.2; whether packets pass is not tried",
            ])
        #expect(explanation.steps.allSatisfy { $0.state == .ok })
    }

    @Test("Every cause but those of the daemon and of the checkup is in the tables above")
    func complete() {
        let shown = Set(
            (Self.onContainer + Self.onUnserved + Self.onFiles + Self.onLinks + Self.onListener + Self.onPrograms
                + Self.onName + Self.onRecords
                + Self.outside
                + Self.onPort + Self.onWires).map(\.cause))
        let others: Set<Cause> = [
            .daemonDown, .adapterAway, .limitNear, .duplicateNetwork, .badName, .networkMissing,
            .policyMissing, .gateFull,
            .limit,
            .notInForce,
            .badConfiguration, .warning,
        ]
        #expect(Set(Cause.allCases).subtracting(shown) == others)
    }

    @Test("Every cause has its line in the table of intercomctl(1), and every line is one")
    func manual() throws {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 1...3 { root.deleteLastPathComponent() }
        let page = try String(contentsOf: root.appendingPathComponent("config/man/intercomctl.1"), encoding: .utf8)
        let table = try #require(page.components(separatedBy: ".Sh CAUSES\n").last).components(separatedBy: ".El\n")[0]
        let lines = table.split(separator: "\n").filter { $0.hasPrefix(".It ") }.map { String($0.dropFirst(4)) }
        #expect(lines == Cause.allCases.map(\.rawValue))
    }
}
