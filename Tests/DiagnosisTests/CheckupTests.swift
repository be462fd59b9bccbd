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
