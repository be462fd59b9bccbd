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

    @Test("warns of open files when less than a tenth of them is left")
    func openFiles() {
        #expect(checkup { $0.openFiles = (900, 1000) } == [])
        #expect(
            checkup { $0.openFiles = (901, 1000) } == [
                "limit-near -: 901 of 1000 open files of the daemon are in use"
            ])
        #expect(checkup { $0.openFiles = (5, 0) } == [])
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
