// The lines of ours in the host's resolv.conf.

import ControlAPI
import Testing

@Suite("The lines in the host's resolv.conf")
struct HostResolverTextTests {
    @Test(
        "come first and go without a trace",
        arguments: ["", "\n", "nameserver 192.0.2.1\n", "search a\nnameserver ::1", "\u{FEFF}nameserver 192.0.2.1\r\n"])
    func roundTrip(text: String) {
        let old = Array(text.utf8)
        let new = HostResolverText.enabled(old)
        #expect(String(decoding: new, as: UTF8.self).contains("nameserver 127.0.0.11\n"))
        #expect(HostResolverText.enabled(new) == new, "twice is once")
        #expect(HostResolverText.disabled(new) == old)
        #expect(HostResolverText.disabled(old) == old)
    }

    @Test("are found wherever a tool has moved them, and nowhere else")
    func places() {
        let lines = HostResolverText.lines
        let moved = "search a\n" + lines + "nameserver ::1\n" + lines.dropLast()
        #expect(HostResolverText.hasLines(moved))
        #expect(HostResolverText.disabled(Array(moved.utf8)) == Array("search a\nnameserver ::1\n".utf8))
        for text in ["nameserver 127.0.0.11\n", "x" + lines, String(lines.dropLast(3)), "# intercom host\n"] {
            #expect(!HostResolverText.hasLines(text), "\(text)")
        }
    }
}
