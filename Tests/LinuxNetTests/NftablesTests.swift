// Rules of nftables: as they are sent, as the kernel takes them, and what it notifies of.

import Foundation
import Testing

@testable import LinuxNet

@Suite("Rules of nftables")
struct NftablesTests {
    private static let resolver = SocketAddress(v4: 0x7F00_000B, port: 53)

    private static let redirection = PortRedirection(
        PortRedirection(of: resolver, to: 40_000).translations
            + [
                PortTranslation(
                    of: SocketAddress(v4: 0x0A00_0001, port: 53), .tcp, to: resolver.withPort(40_000),
                    exceptMark: 0x1C0),
                PortTranslation(
                    of: SocketAddress(v6: 0xFD00 << 112 | 1, port: 53), .udp,
                    to: SocketAddress(v6: 1, port: 40_000)),
            ].compactMap(\.self))

    // MARK: - As they are sent

    @Test("are sent as nft sends them; but a table of that name is made without flags before it is deleted")
    func recorded() {
        let ours = Self.redirection.batch.messages(from: 0)
        #expect(ours.count == NftablesRecording.messages.count)
        for (number, (message, recorded)) in zip(ours, NftablesRecording.messages).enumerated() {
            var message = message
            // nft asks for no acknowledgement: it waits for errors.
            message.flags.remove(.acknowledge)
            var expected = recorded.filter { !$0.isWhitespace }
            // The attribute NFTA_TABLE_FLAGS with the value 0, which would wake up a table that is dormant.
            let flags = "0800020000000000"
            if Self.makesTableToDelete(number), expected.hasSuffix(flags) {
                expected.removeLast(flags.count)
                expected.replaceSubrange(
                    expected.startIndex..<expected.index(expected.startIndex, offsetBy: 2), with: "24")
            }
            #expect(message.bytes.map { String(format: "%02x", $0) }.joined() == expected, "message \(number)")
        }
    }

    /// The first message of each family.
    private static func makesTableToDelete(_ number: Int) -> Bool { number == 1 || number == 8 }

    @Test("are acknowledged once, by the last request, and are numbered in order")
    func acknowledgement() {
        let messages = Self.redirection.batch.messages(from: .max)
        #expect(messages.map(\.sequence).prefix(3) == [.max, 0, 1])
        #expect(messages.indices.filter { messages[$0].flags.contains(.acknowledge) } == [messages.count - 2])
    }

    @Test("lead to no address of another family")
    func families() {
        let v6 = SocketAddress(v6: 1, port: 53)
        #expect(PortTranslation(of: Self.resolver, .udp, to: v6) == nil)
        #expect(PortTranslation(of: v6, .udp, to: Self.resolver) == nil)
    }

    // MARK: - In a namespace

    @Test("are in force as nft lists them, are written anew whatever is there, and are removed", .needsRoot)
    func live() throws {
        try Scratch.lend(namespaces: 1) { names in
            let namespace = try NetworkNamespace(path: "/run/netns/\(names[0])")
            func list() throws -> String { try Scratch.run(in: names[0], "nft", "--stateless", "list", "ruleset") }
            let monitor = try Self.redirection.set(in: namespace)
            let listed = try list()
            for line in NftablesRecording.commands.split(separator: "\n") where line.contains("dnat") {
                let rule = line.drop { $0 == " " }.replacing("0x1c0", with: "0x000001c0")
                #expect(listed.contains(rule), "\(listed)")
            }
            #expect(listed.contains("type nat hook output priority -101; policy accept;"), "\(listed)")

            for change in [
                "flush ruleset", "delete table ip intercom", "flush chain ip intercom output",
                "add rule ip intercom output accept", "add table ip intercom { flags dormant; }",
                "add set ip intercom s { type ipv4_addr; }", "add chain ip intercom c", "add table ip6 intercom",
            ] {
                try Scratch.run(in: names[0], "nft", change)
                let isNoticed = monitor.takeChanges(of: PortRedirection.table)
                // A table that is there is not changed by being added.
                #expect(isNoticed == (change != "add table ip6 intercom"), "\(change)")
                try Self.redirection.write(by: monitor.writer)
                #expect(try list() == listed, "after \(change)")
                let isOurs = monitor.takeChanges(of: PortRedirection.table)
                #expect(!isOurs, "what we write is nobody else's change")
            }
            try Scratch.run(
                in: names[0], "nft", "add table ip other; add chain ip other intercom; delete table ip other")
            let isAnother = monitor.takeChanges(of: PortRedirection.table)
            #expect(!isAnother)

            try Scratch.run(in: names[0], "nft", "add table ip other")
            try Self.redirection.remove(by: monitor.writer)
            #expect(try list() == "table ip other {\n}\n")
            try Self.redirection.remove(by: monitor.writer)
        }
    }

    private static let untracked = """
        table ip intercom {
        \tchain raw {
        \t\ttype filter hook output priority raw; policy accept;
        \t\tip saddr 127.0.0.11 udp sport 53 notrack accept
        \t\tip daddr 127.0.0.11 udp dport 53 meta mark != 0x000001c0 notrack accept
        \t\tip saddr 127.0.0.11 tcp sport 53 notrack accept
        \t\tip daddr 127.0.0.11 tcp dport 53 meta mark != 0x000001c0 notrack accept
        \t}
        }

        """

    @Test(
        "of a listener at the address that is asked leave it untracked, unless others are led to it, too", .needsRoot)
    func untracked() throws {
        try Scratch.lend(namespaces: 1) { names in
            let namespace = try NetworkNamespace(path: "/run/netns/\(names[0])")
            func list() throws -> String { try Scratch.run(in: names[0], "nft", "--stateless", "list", "ruleset") }
            func leading(_ addresses: SocketAddress...) -> PortRedirection {
                PortRedirection(
                    leading: addresses, to: Self.resolver, v6Port: 40_053, exceptMark: 0x1C0, isLocked: false)
            }
            let monitor = try leading(Self.resolver).set(in: namespace)
            #expect(try list() == Self.untracked)
            let gateway = SocketAddress(v4: 0x0A00_0001, port: 53)
            let v6 = SocketAddress(v6: 0xFD00 << 112 | 1, port: 53)
            for (rules, isTracked, others) in [
                (leading(Self.resolver, gateway), true, false), (leading(Self.resolver, v6), false, true),
                (leading(Self.resolver), false, false), (leading(gateway), true, false),
            ] {
                try rules.write(by: monitor.writer)
                let listed = try list()
                #expect(listed.hasPrefix(Self.untracked.dropLast()) == !isTracked, "\(listed)")
                #expect(listed.contains("type nat hook output priority -101") == (isTracked || others), "\(listed)")
                #expect(listed.contains("notrack") == !isTracked && listed.contains("table ip6") == others, "\(listed)")
            }
            try leading(Self.resolver).write(by: monitor.writer)
            _ = monitor.takeChanges(of: PortRedirection.table)
            try Scratch.run(in: names[0], "nft", "flush chain ip intercom raw")
            let isNoticed = monitor.takeChanges(of: PortRedirection.table)
            #expect(isNoticed)
            try leading(Self.resolver).write(by: monitor.writer)
            #expect(try list() == Self.untracked)
            try leading(Self.resolver).remove(by: monitor.writer)
            #expect(try list() == "")
        }
    }

    private static let lock = """
        table inet intercom {
        \tchain output {
        \t\ttype filter hook output priority filter; policy accept;
        \t\tmeta mark 0x00001c53 accept
        \t\tmeta oiftype loopback accept
        \t\tip daddr 127.0.0.0/8 accept
        \t\tip6 daddr ::1 accept
        \t\tudp dport 53 reject with icmpx admin-prohibited
        \t\ttcp dport 53 reject with icmpx admin-prohibited
        \t\tudp dport 853 reject with icmpx admin-prohibited
        \t\ttcp dport 853 reject with icmpx admin-prohibited
        \t}

        \tchain forward {
        \t\ttype filter hook forward priority filter; policy accept;
        \t\tudp dport 53 reject with icmpx admin-prohibited
        \t\ttcp dport 53 reject with icmpx admin-prohibited
        \t\tudp dport 853 reject with icmpx admin-prohibited
        \t\ttcp dport 853 reject with icmpx admin-prohibited
        \t}
        }

        """

    @Test("of a lock refuse port 53 and 853 of other servers, beside those that lead questions or alone", .needsRoot)
    func lock() throws {
        try Scratch.lend(namespaces: 1) { names in
            let namespace = try NetworkNamespace(path: "/run/netns/\(names[0])")
            func list() throws -> String { try Scratch.run(in: names[0], "nft", "--stateless", "list", "ruleset") }
            let leading = PortRedirection(of: Self.resolver, to: 40_000).translations
            let monitor = try PortRedirection(leading, isLocked: true).set(in: namespace)
            let both = try list()
            #expect(both.hasSuffix(Self.lock) && both.contains("table ip intercom"), "\(both)")
            for (rules, isLocked) in [
                (PortRedirection([], isLocked: true), true), (PortRedirection(leading), false),
                (PortRedirection(leading, isLocked: true), true), (PortRedirection([], isLocked: true), true),
            ] {
                try rules.write(by: monitor.writer)
                let listed = try list()
                #expect(listed.contains("table ip intercom") == !rules.translations.isEmpty, "\(listed)")
                #expect(listed.hasSuffix(Self.lock) == isLocked && listed.contains("inet") == isLocked, "\(listed)")
                let isOurs = monitor.takeChanges(of: PortRedirection.table)
                #expect(!isOurs)
            }
            for change in ["flush ruleset", "flush chain inet intercom output", "delete table inet intercom"] {
                try Scratch.run(in: names[0], "nft", change)
                let isNoticed = monitor.takeChanges(of: PortRedirection.table)
                #expect(isNoticed, "\(change)")
                try PortRedirection([], isLocked: true).write(by: monitor.writer)
                #expect(try list() == Self.lock)
            }
            try PortRedirection([], isLocked: true).remove(by: monitor.writer)
            #expect(try list() == "")
        }
    }

    // MARK: - Notifications

    /// `struct nlmsghdr` with the sender's port, `struct nfgenmsg`, and the table's name as the first attribute.
    private func message(_ type: UInt8, _ table: String, family: UInt8 = 2, by port: UInt8 = 0) -> [UInt8] {
        let name = Array(table.utf8) + [0]
        let padding = [UInt8](repeating: 0, count: (4 - name.count % 4) % 4)
        let length = 16 + 4 + 4 + name.count + padding.count
        return [UInt8(length), 0, 0, 0, type, 0x0A, 0, 0, 0, 0, 0, 0, port, 0, 0, 0, family, 0, 0, 3]
            + [UInt8(4 + name.count), 0, 1, 0] + name + padding
    }

    @Test("are changed by others where a notification is about a table of ours, and was not caused by us")
    func changes() {
        // NEWTABLE 0, DELTABLE 2, NEWCHAIN 3, DELCHAIN 5, NEWRULE 6, DELRULE 8, NEWSET 9, NEWSETELEM 12, NEWGEN 15, NEWOBJ 18
        let cases: [(String, [[UInt8]], Bool)] = [
            ("a table is deleted", [message(2, "intercom")], true),
            ("a chain is deleted", [message(5, "intercom")], true),
            ("a rule is deleted", [message(8, "intercom")], true),
            ("a rule is added", [message(6, "intercom")], true),
            ("a table is changed", [message(0, "intercom")], true),
            ("a set, an element, an object are added", [message(9, "intercom")], true),
            ("an element is added", [message(12, "intercom")], true),
            ("an object is added", [message(18, "intercom")], true),
            ("among others", [message(8, "nat"), message(8, "intercom"), message(2, "nat")], true),
            ("of IPv6", [message(2, "intercom", family: 10)], true),
            ("by us", [message(2, "intercom", by: 9), message(0, "intercom", by: 9)], false),
            ("by us and by others", [message(0, "intercom", by: 9), message(2, "intercom", by: 8)], true),
            ("of other tables", [message(2, "nat"), message(5, "filter"), message(8, "intercom2")], false),
            ("of both families", [message(2, "intercom", family: 1)], true),
            ("of another family", [message(2, "intercom", family: 7)], false),
            ("the end of a transaction", [message(15, "intercom")], false),
            ("nothing", [], false),
        ]
        for (what, messages, isChange) in cases {
            let datagram = messages.flatMap(\.self)
            let found = NftablesMonitor.isChange(datagram.span, of: "intercom", except: 9)
            #expect(found == isChange, "\(what)")
        }
    }

    @Test("may have been changed where a notification is damaged")
    func damage() {
        let datagram = message(2, "intercom")
        for end in 1..<datagram.count {
            let cut = Array(datagram[..<end])
            let found = NftablesMonitor.isChange(cut.span, of: "intercom", except: 9)
            #expect(found, "cut at \(end)")
        }
    }
}
