// doctor: whatever is not well, and one line where everything is.

import Foundation
import Testing

@Suite("doctor", .needsRoot)
struct DoctorTests {
    @Test("says one line and exits with 0 where everything is well, and 1 where something is not")
    func well() throws {
        try House.lend(configuration: "[discover]\nexclude = [\"house\"]\n", resolver: "nameserver 127.0.0.61\n") {
            house in
            try house.bridge("front", "10.1.0.1/24")
            try house.plug("web", into: "front", "10.1.0.2/24")
            #expect(try eventually { try house.dig("web", "web").data == ["10.1.0.2"] })
            let well = try house.ctl("doctor")
            #expect(well.status == 0 && well.out == "Everything is well: 1 container looked at.\n", "\(well)")
            try "[discover]\nexclude = [\"house\"]\nnonsense = 1\n"
                .write(toFile: house.configuration, atomically: true, encoding: .utf8)
            let bad = try house.doctor()
            #expect(bad.findings?.map(\.cause) == ["bad-configuration"], "\(bad)")
            try "[discover]\nexclude = [\"house\"]\n[server]\nttl = 9\n"
                .write(toFile: house.configuration, atomically: true, encoding: .utf8)
            let unread = try #require(try house.doctor().findings?.first)
            #expect(unread.cause == "not-in-force" && unread.cure == "intercomctl reload", "\(unread)")
            try house.mustCtl("reload")
            #expect(try house.ctl("doctor").status == 0)
            try house.mustCtl("container", "add", "one", "--network", "front,ip=10.1.0.2")
            #expect(try house.doctor().findings?.map(\.cause) == ["duplicate-address"])
            #expect(try house.ctl("doctor").status == 1)
            #expect(try house.ctl("doctor", "nobody").err.contains("no container nobody"))
        }
    }

    @Test("looks at a thousand containers within a second")
    func thousand() throws {
        try House.lend(configuration: "[discover]\nexclude = [\"house\"]\n[[network]]\nname = \"n\"\n") { house in
            try house.command(
                "bash", "-c", "for n in $(seq 1 1000); do ip netns add c$n || exit 1; done")
            defer { try? house.command("bash", "-c", "for n in $(seq 1 1000); do ip netns del c$n; done") }
            #expect(
                try eventually(within: 60) {
                    try house.ctl("status").lines.contains { $0.hasPrefix("of these") && $0.contains("1000 ready") }
                })
            let start = ContinuousClock.now
            let output = try house.ctl("doctor")
            #expect(ContinuousClock.now - start < .seconds(1), "\(ContinuousClock.now - start)")
            #expect(output.out.contains("1000 containers") || output.status == 1, "\(output)")
        }
    }
}
