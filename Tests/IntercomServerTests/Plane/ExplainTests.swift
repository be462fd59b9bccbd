// Explain, doctor and metrics of a daemon that needs no root.

import ControlAPI
import Foundation
import LinuxNet
import Testing

@testable import ClientCommand
@testable import IntercomServer

@Suite("An explanation over the control socket")
struct ExplainPlaneTests {
    private static let town = """
        [forward]
        upstreams = ["127.0.0.1:1"]

        [[network]]
        name = "front"

        [[network]]
        name = "back"
        internal = true

        [[policy]]
        name = "fixed"
        allow = ["a.example"]

        [[container]]
        name = "web"
        networks = [{ name = "front", ip = ["10.1.0.2"], alias = ["api"] }]

        [[container]]
        name = "app"
        networks = [{ name = "front", ip = ["10.1.0.3"] }]

        [[container]]
        name = "db"
        networks = [{ name = "back", ip = ["10.2.0.2"] }]

        [[container]]
        name = "bound"
        policy = "fixed"
        networks = [{ name = "front", ip = ["10.1.0.4"] }]

        [[container]]
        name = "late"
        netns = "/nonexistent/late"
        networks = ["front"]

        [[record]]
        name = "web"
        type = "A"
        data = "10.9.0.1"

        """

    @Test("names what keeps a name from resolving, and the answer that the container would get")
    func table() throws {
        try Plane.lend(Self.town) { plane in
            for (name, asker, code, text) in [
                ("web", "app", "NOERROR", "network front"), ("api.front", "app", "NOERROR", "10.1.0.2"),
                ("wbe", "app", "NXDOMAIN", "web"), ("db", "app", "NXDOMAIN", "back"),
                ("late", "app", "NXDOMAIN", "/nonexistent/late"), ("app", "db", "NXDOMAIN", "front"),
                ("web", "db", "NOERROR", "record"),
                ("a.example", "db", "NXDOMAIN", "internal"), ("a.example", "app", "SERVFAIL", "127.0.0.1"),
                ("b.example", "bound", "NXDOMAIN", "fixed"), ("localhost", "app", "NOERROR", "127.0.0.1"),
                ("10.1.0.2", "app", "SERVFAIL", "is an address, and no name"),
                ("http://web/", "app", "NXDOMAIN", "web"),
                ("web:8080", "app", "NXDOMAIN", "web"),
            ] {
                let reply = try plane.call(Explain.self, .init(name: name, container: asker))
                let all = reply.steps.map { "\($0.step) \($0.state) \($0.text) \($0.cure ?? "")" }
                #expect(reply.answer?.rcode == code, "\(name) from \(asker): \(all)")
                let said = (all + [reply.text, reply.cure, reply.answer?.source].compactMap(\.self)).joined(
                    separator: "\n")
                #expect(said.contains(text), "\(name) from \(asker): \(said)")
                #expect(reply.fault == (code != "NOERROR"), "\(name) from \(asker): \(said)")
            }
        }
    }

    @Test(
        "of a container that is not there says what is known of it: that it is waited for, misspelled, or a process's")
    func absent() throws {
        try Plane.lend(Self.town) { plane in
            func explain(_ container: String) throws -> Explain.Reply {
                try plane.call(Explain.self, .init(name: "web", container: container))
            }
            let late = try explain("late")
            #expect(late.fault && late.answer == nil && late.text?.contains("/nonexistent/late") == true)
            let near = try explain("appp")
            #expect(near.fault && near.cure?.contains("app") == true)
            let own = try explain("\(ProcessDescriptor.own)")
            #expect(own.fault && own.answer == nil)
            let nobody = try explain("4194304")
            #expect(nobody.fault && nobody.answer == nil && nobody.text != own.text)
            let unknown = try explain("zzzzzzzzzz")
            #expect(unknown.fault && unknown.answer == nil)
        }
    }

    @Test(
        "looks for the service behind a name where a port is given, and says that a machine elsewhere cannot be looked at"
    )
    func port() throws {
        try Plane.lend(Self.town) { plane in
            let reply = try plane.call(Explain.self, .init(name: "web", container: "app", port: 80))
            #expect(reply.answer?.answers.map(\.data) == ["10.1.0.2"])
            for (port, reason) in [(0, "1 to 65535"), (65_536, "1 to 65535")] {
                let refusal = try plane.refusal(Explain.self, .init(name: "web", container: "app", port: port))
                #expect(refusal?.contains(reason) == true)
            }
            #expect(
                try plane.refusal(Explain.self, .init(name: "a..b", container: "app"))?.hasPrefix("bad name") == true)
            #expect(
                try plane.refusal(Explain.self, .init(name: "a", type: "?", container: "app"))?.contains("record type")
                    == true)
        }
    }

    @Test("is joined by doctor's: each container that is not well, some or all, and a configuration that was changed")
    func doctor() throws {
        try Plane.lend(Self.town) { plane in
            let all = try plane.call(Doctor.self, .init(containers: nil))
            #expect(all.containerCount == 5)
            #expect(all.findings.contains { $0.container == "late" && $0.text.contains("/nonexistent/late") })
            let one = try plane.call(Doctor.self, .init(containers: ["late"]))
            #expect(one.containerCount == 1 && one.findings.map(\.container) == ["late"])
            #expect(try plane.call(Doctor.self, .init(containers: ["web", "app"])).containerCount == 2)
            #expect(try plane.refusal(Doctor.self, .init(containers: ["x"]))?.hasPrefix("no container x") == true)
            try plane.configure(Self.town + "[[network]]\nname = 'more'\n")
            let changed = try plane.call(Doctor.self, .init(containers: nil)).findings
            #expect(changed.contains { $0.cause == "not-in-force" && $0.cure == "intercomctl reload" })
            try plane.configure(Self.town + "nonsense = 1\n")
            let bad = try plane.call(Doctor.self, .init(containers: nil)).findings
            #expect(bad.contains { $0.cause == "bad-configuration" && $0.text.contains("nonsense") })
        }
    }

    @Test("is backed by metrics: each family once, in one order, with what the daemon has and has done")
    func metrics() throws {
        let text = "[metrics]\nper-container = true\n[log]\nqueries = 'journal'\n" + Self.town
        try Plane.lend(text) { plane in
            for _ in 1...3 { _ = try plane.resolve("a.example", from: "app") }
            let families = try plane.list(Metrics.self, Nothing()).flatMap(\.families)
            let names = families.map(\.name)
            #expect(names.first == "intercom_build" && Set(names).count == names.count)
            for family in families {
                #expect(family.name.hasPrefix("intercom_") && !family.help.isEmpty, "\(family.name)")
                #expect(["counter", "gauge", "histogram", "info"].contains(family.kind), "\(family.name)")
                // OpenMetrics: a counter's samples end with _total.
                if family.kind == "counter" {
                    #expect(family.samples.allSatisfy { $0.suffix == "_total" }, "\(family.name)")
                }
            }
            func value(_ name: String, _ label: String? = nil) -> [Double] {
                families.filter { $0.name == name }.flatMap(\.samples).filter { sample in
                    label == nil || sample.labels.contains { $0.value == label }
                }.map(\.value)
            }
            #expect(value("intercom_containers", "elsewhere") == [4])
            #expect(value("intercom_listeners") == [0])
            #expect(value("intercom_forward_requests", "127.0.0.1:1").count == 1)
            // In one reply they come by their names.
            let whole = try plane.call(Metrics.self, Nothing()).families.map(\.name)
            #expect(whole == names.sorted())
            let version = families.first?.samples.first?.labels.first?.value
            #expect(try version == plane.call(Status.self, Nothing()).version)
        }
    }
}
