// Checkups: each thing that is not well has one finding, and a machine that is well has none.

import Attachment
import Testing

@testable import Diagnosis

@Suite("A checkup")
struct CheckupTests {
    private func checkup(_ change: (inout MachineFacts) -> Void) -> [String] {
        var facts = MachineFacts(configurationPath: "/c")
        change(&facts)
        return Checkup(facts).findings.map { "\($0.cause.rawValue) \($0.container ?? "-"): \($0.text)" }
    }

    @Test("finds nothing on a machine that is well: containers that are ready, draining, elsewhere or on their way")
    func well() {
        let findings = checkup {
            for state in [State.ready, .draining, .elsewhere, .starting, .proving] {
                $0.members.append((.app, state))
            }
            $0.servers = [Server("10.0.0.1:53")]
        }
        #expect(findings == [])
    }

    @Test("names each container that is not ready, after what is wrong with the machine")
    func containers() {
        let findings = checkup {
            $0.members = [
                (.named("web"), .noListener(Failure(.portTaken, ""))),
                (.named("app"), .unheard(Unheard(at: "127.0.0.11:53", .loopbackDown))),
                (.named("late"), .noListener(Failure(.notThere, "no file"))),
            ]
            $0.servers = [Server("10.0.0.1:53", failures: 3, trouble: .silent, isResting: true)]
            $0.undiscovered = ["/run/netns/a", "/run/netns/b"]
        }
        #expect(
            findings == [
                "upstream-silent -: 10.0.0.1:53: no reply, 3 times",
                "discovery-off -: nobody declared /run/netns/a and 1 more, and [discover] enabled = false",
                "port-taken web: another program has port 53 of web",
                "loopback-down app: the loopback interface of app is down",
                "waiting late: late waits for its namespace: no file",
            ])
    }

    @Test("names a program that began before its container's resolv.conf was there")
    func begunBefore() {
        var facts = MachineFacts(configurationPath: "/c")
        facts.members = [(.app, .ready), (.named("web"), .ready)]
        for name in ["app", "web"] {
            var file = ResolverFile("/etc/netns/\(name)/resolv.conf", servers: ["127.0.0.11"], leadsHere: true)
            if name == "app" { file.elsewhere = .init(Program(pid: 7, name: "nginx"), servers: ["192.0.2.1"]) }
            facts.resolvers[name] = file
        }
        #expect(
            Checkup(facts).findings == [
                Finding(
                    .begunBefore,
                    "nginx (pid 7) of app began before /etc/netns/app/resolv.conf was there: it asks 192.0.2.1",
                    cure: "kill 7, and start that program again: ip netns exec app COMMAND", of: "app")
            ])
    }

    @Test("says once that the opener is down, and once that a bridge is, however many containers have it")
    func once() {
        let findings = checkup {
            $0.openerFailure = "connection refused"
            $0.lacksUpstreams = true
            for number in 1...3 {
                let link = LinkFacts("eth0", into: "br0", network: "front", trouble: .networkDown("br0"))
                $0.members.append((.named("c\(number)", link), .noListener(Failure(.openerAway, ""))))
            }
        }
        #expect(
            findings == [
                "opener-down -: the opener does not answer: connection refused",
                "no-upstream -: there is no upstream to ask",
                "network-down c1: br0, the bridge of link eth0 of c1, is down",
            ])
    }

    @Test("names a runtime once whose containers have no intercom, adapters that are silent, and who has port 53")
    func runtimes() {
        let docker = RuntimeContainer(.docker, "3f2a9b1c0d2e")
        let findings = checkup {
            $0.unserved =
                (1...3).map { Program(pid: $0, name: "sh", container: docker) }
                + [Program(pid: 9, name: "init", container: RuntimeContainer(.lxc, "shop"))]
            $0.silentAdapters = [(.podman, 2)]
            $0.members = [(.app, .noListener(Failure(.portTaken, "")))]
            $0.holders = ["app": Program(pid: 7, name: "dnsmasq")]
        }
        #expect(
            findings == [
                "adapter-away -: intercom-podman.service has not called since the start; its 2 containers are as it told "
                    + "of them before",
                "not-attached -: docker runs 3 containers (pid 1 (docker 3f2a9b1c0d2e) and 2 more) that have no intercom",
                "not-attached -: pid 9 (lxc shop) has no intercom",
                "port-taken app: dnsmasq (pid 7) has port 53 of app",
            ])
    }

    @Test(
        "warns of a limit when less than a tenth is left, with what raises it",
        arguments: [
            (
                LimitUse.Kind.openFiles, "open files of the daemon",
                "raise LimitNOFILE= by: systemctl edit intercom.service; then: systemctl restart intercom.service"
            ),
            (.inotifyWatches, "inotify watches of the daemon's user", "sysctl fs.inotify.max_user_watches=2000"),
            (.inotifyInstances, "inotify instances of the daemon's user", "sysctl fs.inotify.max_user_instances=2000"),
            (
                .storedSockets, "sockets that systemd keeps over a restart",
                "raise FileDescriptorStoreMax= by: systemctl edit intercom.service; then: systemctl restart intercom.service"
            ),
        ])
    func limits(kind: LimitUse.Kind, noun: String, cure: String) {
        #expect(checkup { $0.limits = [LimitUse(kind, 900, of: 1000)] } == [])
        #expect(
            checkup { $0.limits = [LimitUse(kind, 901, of: 1000)] } == ["limit-near -: 901 of 1000 \(noun) are in use"])
        #expect(checkup { $0.limits = [LimitUse(kind, 5, of: 0)] } == [])
        var facts = MachineFacts(configurationPath: "/c")
        facts.limits = [LimitUse(kind, .max, of: 1000)]
        #expect(Checkup(facts).findings.map(\.cure) == [cure])
    }

    @Test("names once the containers of a runtime that were found without a name, and the unit that tells it")
    func unnamed() {
        var facts = MachineFacts(configurationPath: "/c")
        facts.unnamed = ["/run/docker/netns/3f2a9b1c0d2e", "/srv/netns/1", "/run/docker/netns/aa", "/srv/netns/it's"]
        #expect(
            Checkup(facts).findings == [
                Finding(
                    .unnamed, "2 containers have no name (/srv/netns/1 and 1 more)",
                    cure: "intercomctl container add NAME --netns /srv/netns/1"),
                Finding(
                    .unnamed, "2 containers of docker have no name (/run/docker/netns/3f2a9b1c0d2e and 1 more)",
                    cure: "systemctl enable --now intercom-docker.service"),
            ])
    }

    @Test("leaves alone a link that is down while its container is on a network by another one")
    func links() {
        let idle = LinkFacts("eth1", into: nil, trouble: .notPlugged("x"))
        #expect(checkup { $0.members = [(.named("web", idle), .ready)] } == [])
        let findings = checkup { $0.members = [(.named("web", on: [], idle), .ready)] }
        #expect(findings == ["not-plugged web: x, the host's end of link eth1 of web, is in no bridge"])
    }

    @Test("shows a thousand findings, and counts the others")
    func bounded() {
        var facts = MachineFacts(configurationPath: "/c")
        for number in 0..<1500 { facts.members.append((.named("c\(number)"), .noListener(Failure(.portTaken, "")))) }
        let checkup = Checkup(facts)
        #expect(checkup.findings.count == Checkup.limit && checkup.further == 500)
    }
}
