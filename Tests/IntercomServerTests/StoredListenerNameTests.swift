// The names under which the service manager keeps listeners.

import Testing

@testable import IntercomServer

@Suite("A stored listener's name")
struct StoredListenerNameTests {
    @Test(
        "is its namespace's inode, counted from the first that the kernel gives",
        arguments: [
            (0xF000_0000, "0"), (4_026_531_840, "0"), (4_026_532_201, "a1"), (0xF000_0000 + 60_466_175, "zzzzz"),
            // Another kernel may count otherwise.
            (1, "3w5e110bjhwxt"),
        ] as [(UInt64, String)])
    func names(inode: UInt64, text: String) {
        let name = StoredListenerName(inode: inode)
        #expect("\(name)" == text)
        #expect(StoredListenerName(text) == name)
    }

    @Test("is none of these", arguments: ["", "-1", "A1", "01", "a b", "netns-1", "zzzzzzzzzzzzzzzz"])
    func others(text: String) {
        #expect(StoredListenerName(text) == nil)
    }

    @Test("is short: those of 10,000 listeners fit into one string of the environment, which is handed down")
    func room() {
        // As many namespaces as one million objects of the kernel leave inodes for; a UDP and a TCP socket each.
        let inodes = (0..<10_000).map { 0xF000_0000 + 1_000_000 + UInt64($0) }
        let names = inodes.map { StoredListenerName(inode: $0).description }.flatMap { [$0, $0] }
        let maximumString = 32 * 4096
        #expect("LISTEN_FDNAMES=\(names.joined(separator: ":"))".utf8.count < maximumString)
    }
}
