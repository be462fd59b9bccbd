// Policies over the control socket: in force when a call returns, shown, kept, removed; and what is denied by them.

import ControlAPI
import DNSWire
import Foundation
import Testing

@testable import ClientCommand
@testable import IntercomServer

@Suite("A container with a policy")
struct PolicyPlaneTests {
    /// `app`, `web` and `free` are on `front`; nothing listens at the upstream.
    private static let town = """
        host-names = ["host.docker.internal"]

        [forward]
        upstreams = ["127.0.0.1:1"]

        [[policy]]
        name = "fixed"
        allow = ["up.test", "*.up.test"]
        deny = ["bad.up.test"]
        types = ["A", "AAAA", "PTR"]

        [[network]]
        name = "front"
        subnets = ["10.1.0.0/24"]
        host = ["10.1.0.1"]

        [[container]]
        name = "app"
        policy = "fixed"
        networks = [{ name = "front", ip = ["10.1.0.3"], alias = ["www.web.up.test"] }]

        [[container]]
        name = "free"
        networks = [{ name = "front", ip = ["10.1.0.4"] }]

        [[record]]
        name = "rec.test"
        type = "A"
        data = "10.9.0.7"

        [[record]]
        name = "rec.up.test"
        type = "A"
        data = "10.9.0.8"

        """

    @Test("is denied every name that no rule allows, and is told by which rule")
    func denied() throws {
        try Plane.lend(Self.town) { plane in
            for (name, type, answer, text) in [
                ("evil.test", "A", "NXDOMAIN", "policy fixed: default deny"),
                ("EVIL.test", "TYPE65280", "NXDOMAIN", "policy fixed: default deny"),
                ("bad.up.test", "A", "NXDOMAIN", "policy fixed: deny bad.up.test"),
                ("com", "DS", "NXDOMAIN", "policy fixed: default deny"),
                ("com", "DNSKEY", "NXDOMAIN", "policy fixed: default deny"),
                ("single", "A", "NXDOMAIN", "policy fixed: default deny"),
                ("_dmarc.free", "TXT", "NXDOMAIN", "policy fixed: default deny"),
                ("x.local", "A", "NXDOMAIN", "policy fixed: default deny"),
                ("rec.test", "A", "NXDOMAIN", "policy fixed: default deny"),
                ("host.docker.internal", "A", "NXDOMAIN", "policy fixed: default deny"),
                ("HOST.docker.INTERNAL", "AAAA", "NXDOMAIN", "policy fixed: default deny"),
                ("gateway.front.internal", "A", "NXDOMAIN", "policy fixed: default deny"),
                ("9.0.1.10.in-addr.arpa", "PTR", "NXDOMAIN", "policy fixed: default deny"),
                ("1.0.1.10.in-addr.arpa", "PTR", "NXDOMAIN", "policy fixed: default deny"),
                ("8.8.8.8.in-addr.arpa", "PTR", "NXDOMAIN", "policy fixed: default deny"),
                ("rec.up.test", "TXT", "NOERROR", "policy fixed: types, without TXT"),
                ("a.up.test", "MX", "NOERROR", "policy fixed: types, without MX"),
            ] {
                let answer = (answer, text)
                let found = try plane.call(Resolve.self, .init(name: name, type: type, container: "app")).answer
                #expect((found.rcode, found.source) == (answer.0, "denied by \(answer.1)"), "\(name)")
                #expect(found.answers.isEmpty)
                #expect(found.extendedErrors.map(\.code) == [15] && found.extendedErrors.map(\.text) == [answer.1])
            }
        }
    }

    @Test("has names of containers on its networks, and what is its own, without a rule")
    func own() throws {
        try Plane.lend(Self.town) { plane in
            let rows: [(name: String, type: String, answer: String)] = [
                ("free", "A", "10.1.0.4"), ("free.front.internal", "A", "10.1.0.4"),
                ("4.0.1.10.in-addr.arpa", "PTR", "free.front.internal."), ("localhost", "A", "127.0.0.1"),
                ("1.0.0.127.in-addr.arpa", "PTR", "localhost."), ("www.web.up.test", "A", "10.1.0.3"),
                ("rec.up.test", "A", "10.9.0.8"), ("internal", "A", "NOERROR"), ("front.internal", "A", "NOERROR"),
                ("web.up.test", "MX", "NOERROR"),
            ]
            for (name, type, answer) in rows {
                let found = try plane.resolve(name, type, from: "app")
                #expect(found == [answer], "\(name)")
            }
            // What it allows is asked of the upstream, which is not there.
            #expect(try plane.resolve("other.up.test", from: "app") == ["SERVFAIL"])
            // Another container is not concerned.
            #expect(try plane.resolve("rec.test", from: "free") == ["10.9.0.7"])
            #expect(try plane.resolve("host.docker.internal", from: "free") == ["10.1.0.1"])
            #expect(try plane.resolve("evil.test", from: "free") == ["SERVFAIL"])
        }
    }

    @Test("gets what the policy says as soon as a call returns, and after a restart")
    func life() throws {
        try Plane.lend(Self.town) { plane in
            _ = try plane.call(SetPolicy.self, .init(name: "gate", allow: ["rec.test"]))
            _ = try plane.call(AddContainer.self, .init(name: "box", networks: [.init(name: "front")], policy: "gate"))
            #expect(try plane.container("box").policy == "gate")
            func check(_ expected: [String]) throws {
                #expect(
                    try ["rec.test", "rec.up.test", "free"].map { try plane.resolve($0, from: "box")[0] } == expected)
            }
            try check(["10.9.0.7", "NXDOMAIN", "10.1.0.4"])
            _ = try plane.call(AllowNames.self, .init(policy: "gate", names: ["*.test"]))
            try check(["10.9.0.7", "10.9.0.8", "10.1.0.4"])
            _ = try plane.call(DenyNames.self, .init(policy: "gate", names: ["*.up.test", "rec.test"]))
            _ = try plane.call(SetPolicy.self, .init(name: "gate", ownNames: false))
            try check(["NXDOMAIN", "NXDOMAIN", "NXDOMAIN"])
            plane.stop()
            try plane.start()
            try check(["NXDOMAIN", "NXDOMAIN", "NXDOMAIN"])
            _ = try plane.call(AllowNames.self, .init(policy: "gate", names: ["free"]))
            _ = try plane.call(RemovePolicy.self, .init(name: "gate", names: ["*.up.test"]))
            try check(["NXDOMAIN", "10.9.0.8", "10.1.0.4"])
            let policy = try plane.call(InspectPolicy.self, Named(name: "gate")).policy
            #expect(policy.allow == ["free", "*.test"] && policy.deny == ["rec.test"] && !policy.ownNames)
            #expect(policy.containers == 1 && policy.source == "control" && policy.default == "deny")
            _ = try plane.call(SetPolicy.self, .init(name: "gate", audit: true))
            try check(["10.9.0.7", "10.9.0.8", "10.1.0.4"])
            let all = try plane.list(ListPolicies.self, Nothing()).flatMap(\.policies)
            #expect(all.map(\.name) == ["fixed", "gate"] && all.map(\.rules) == [3, 3])
            #expect(
                try plane.refusal(RemovePolicy.self, .init(name: "gate"))?.hasPrefix(
                    "policy gate is in use by container box") == true)
            _ = try plane.call(RemoveContainer.self, Named(name: "box"))
            _ = try plane.call(RemovePolicy.self, .init(name: "gate"))
            plane.stop()
            try plane.start()
            #expect(try plane.list(ListPolicies.self, Nothing()).flatMap(\.policies).map(\.name) == ["fixed"])
        }
    }

    @Test("is denied everything where a source names a policy that is not there, and doctor says so")
    func lost() throws {
        try Plane.lend(Self.town) { plane in
            let published = PublishedContainer(
                id: "0123456789ab", name: "box", networks: [.init(name: "front", addresses: ["10.1.0.8"])],
                policy: "lost")
            _ = try plane.call(
                Publish.self, .init(source: "docker", networks: [], containers: [published]))
            for name in ["free", "rec.test", "evil.test"] {
                let answer = try plane.call(Resolve.self, .init(name: name, container: "box")).answer
                #expect(answer.source == "denied by policy lost: nobody has declared it", "\(name)")
            }
            let finding = try #require(
                try plane.call(Doctor.self, .init(containers: nil)).findings.first { $0.cause == "policy-missing" })
            #expect(finding.text.contains("policy lost of container box") && finding.cure?.contains("set") == true)
            _ = try plane.call(SetPolicy.self, .init(name: "lost", default: "allow"))
            #expect(try plane.resolve("rec.test", from: "box") == ["10.9.0.7"])
        }
    }

    @Test("cannot be declared with what is not there, or cannot be")
    func refusals() throws {
        try Plane.lend(Self.town) { plane in
            for (parameters, reason) in [
                (SetPolicy.Parameters(name: "a b"), "letters, digits"), (.init(name: ""), "letters, digits"),
                (.init(name: "x", default: "maybe"), "expected deny or allow"),
                (.init(name: "x", allow: ["*"]), "default of the policy"),
                (.init(name: "x", deny: ["a..b"]), "empty label"), (.init(name: "x", types: ["NONE"]), "a record type"),
                (.init(name: "x", privateAddresses: "drop"), "expected deny or allow"),
                (.init(name: "x", addresses: true, cidrs: ["10.0.0.0/33"]), "10.0.0.0/33"),
                (.init(name: "fixed"), "of the configuration; change it in that file"),
            ] {
                let refusal = try plane.refusal(SetPolicy.self, parameters)
                #expect(refusal?.contains(reason) == true, "\(refusal ?? "taken")")
            }
            #expect(
                try plane.refusal(AddContainer.self, .init(name: "b", policy: "none"))?.hasPrefix("no policy none")
                    == true)
            #expect(
                try plane.refusal(CreateNetwork.self, .init(name: "n", policy: "none"))?.hasPrefix("no policy none")
                    == true)
            #expect(
                try plane.refusal(AllowNames.self, .init(policy: "none", names: ["a"]))?.hasPrefix("no policy none")
                    == true)
            #expect(
                try plane.refusal(DenyNames.self, .init(policy: "fixed", names: ["a"]))?.contains("configuration")
                    == true)
            _ = try plane.call(SetPolicy.self, .init(name: "own", allow: ["b"], types: ["A", "MX", "A"]))
            #expect(
                try plane.refusal(AllowNames.self, .init(policy: "own", names: ["a..b"]))?.contains("label") == true)
            #expect(
                try plane.refusal(RemovePolicy.self, .init(name: "own", names: ["c"]))?.contains(
                    "policy own has no such rule") == true)
            #expect(try plane.refusal(InspectPolicy.self, Named(name: "none"))?.hasPrefix("no policy none") == true)
            let own = try plane.call(InspectPolicy.self, Named(name: "own")).policy
            #expect(own.allow == ["b"] && own.types == ["A", "MX"] && own.gate == nil)
        }
    }

    @Test("for addresses is told none where its gate cannot be set: each way to look at it says why")
    func gate() throws {
        try Plane.lend(Self.town) { plane in
            _ = try plane.call(SetPolicy.self, .init(name: "gated", allow: ["*.test"], addresses: true))
            _ = try plane.call(
                AddContainer.self,
                .init(name: "box", networks: [.init(name: "front", addresses: ["10.1.0.9"])], policy: "gated"))
            let reason = "intercom sees none of its links"
            let gate = try #require(try plane.call(InspectPolicy.self, Named(name: "gated")).policy.gate)
            #expect(gate == Gate(state: "failed", reason: reason, open: 0, admitted: 0, madeRoom: 0))
            let explained = try plane.call(Explain.self, .init(name: "rec.test", type: "A", container: "box"))
            #expect(explained.cause == "gate-failed" && explained.text?.contains(reason) == true)
            let finding = try plane.call(Doctor.self, .init(containers: nil)).findings.first {
                $0.cause == "gate-failed"
            }
            #expect(finding?.text.contains("box is told no address, as the gate of policy gated") == true)
            // Without the wish for a gate it is told all.
            _ = try plane.call(SetPolicy.self, .init(name: "gated", addresses: false))
            #expect(try plane.call(InspectPolicy.self, Named(name: "gated")).policy.gate == nil)
            #expect(try plane.resolve("rec.test", from: "box") == ["10.9.0.7"])
        }
    }

    @Test(
        "of the configuration, of a network and of all: a reload changes them, and one that is gone denies everything")
    func reload() throws {
        try Plane.lend(Self.town) { plane in
            let all = Self.town.replacingOccurrences(of: "host-names", with: "policy = 'fixed'\nhost-names")
            try plane.configure(all)
            _ = try plane.call(Reload.self, Nothing())
            #expect(try plane.container("free").policy == "fixed")
            #expect(try plane.resolve("rec.test", from: "free") == ["NXDOMAIN"])
            try plane.configure(all.replacingOccurrences(of: "\"up.test\"", with: "\"rec.test\""))
            _ = try plane.call(Reload.self, Nothing())
            #expect(try plane.resolve("rec.test", from: "free") == ["10.9.0.7"])
            try plane.configure(Self.town)
            _ = try plane.call(Reload.self, Nothing())
            #expect(try plane.container("free").policy == nil)
            try plane.configure(Self.town.replacingOccurrences(of: "policy = \"fixed\"", with: "policy = \"fixd\""))
            #expect(
                try plane.refusal(Reload.self, Nothing())?.contains(
                    "no [[policy]] is named 'fixd'; did you mean 'fixed'")
                    == true)
        }
    }
}
