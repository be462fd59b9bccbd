// What nfnetlink tells of nftables, as the kernel wrote it: `nft flush ruleset`, recorded.

import Testing

@testable import LinuxNet

@Suite("News of nftables")
struct NftablesTests {
    /// `struct nlmsghdr`, `struct nfgenmsg`, and the table's name as the first attribute.
    private func message(_ type: UInt8, _ table: String) -> [UInt8] {
        let name = Array(table.utf8) + [0]
        let padding = [UInt8](repeating: 0, count: (4 - name.count % 4) % 4)
        let length = 16 + 4 + 4 + name.count + padding.count
        return [UInt8(length), 0, 0, 0, type, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 3]
            + [UInt8(4 + name.count), 0, 1, 0] + name + padding
    }

    @Test("tell of a table's end, a chain's and a rule's; of no other table's, and of nothing that is added")
    func removals() {
        let cases: [([(type: UInt8, table: String)], Bool)] = [
            ([(2, "intercom")], true), ([(5, "intercom")], true), ([(8, "intercom")], true),
            ([(0, "intercom"), (3, "intercom"), (6, "intercom"), (15, "intercom")], false),
            ([(2, "nat"), (5, "filter"), (8, "intercom2")], false),
            ([(8, "nat"), (8, "intercom"), (2, "nat")], true), ([], false),
        ]
        for (messages, isRemoval) in cases {
            let datagram = messages.flatMap { message($0.type, $0.table) }
            let isTold = NftablesMonitor.tellsOfRemoval(datagram.span, from: "intercom")
            #expect(isTold == isRemoval, "\(messages)")
        }
    }

    @Test("that are damaged may be about anything")
    func damage() {
        let datagram = message(2, "intercom")
        for end in 1..<datagram.count {
            let cut = Array(datagram[..<end])
            let isTold = NftablesMonitor.tellsOfRemoval(cut.span, from: "intercom")
            #expect(isTold, "cut at \(end)")
        }
    }
}
