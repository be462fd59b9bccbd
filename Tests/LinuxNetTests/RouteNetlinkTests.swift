// Sockets of rtnetlink: questions about the namespace that the tests run in, and changes of one of the tests' own.

import Foundation
import Testing

@testable import LinuxNet

@Suite("A socket of rtnetlink")
struct RouteNetlinkTests {
    @Test("answers what links and addresses there are")
    func questions() throws {
        var netlink = try RouteNetlink()
        var buffer = RouteNetlink.makeBuffer()
        var links: [LinkMessage] = []
        #expect(try netlink.ask(.links(), using: &buffer) { if case .link(let link) = $0 { links.append(link) } })
        let loopback = try #require(links.first { $0.flags.contains(.loopback) })
        #expect(loopback.name == "lo" && loopback.index == 1 && loopback.kind == nil)
        var again: [LinkMessage] = []
        try netlink.ask(.link(1), using: &buffer) { if case .link(let link) = $0 { again.append(link) } }
        #expect(again.map(\.name) == ["lo"])
        var addresses: [AddressMessage] = []
        try netlink.ask(.addresses(), using: &buffer) {
            if case .address(let address) = $0 { addresses.append(address) }
        }
        let isUp = loopback.flags.contains(.up)
        #expect(addresses.contains { $0.address == .v4(0x7F00_0001) && $0.scope == .host } == isUp)
    }

    @Test("says why it refuses, and answers again then")
    func refusal() throws {
        var netlink = try RouteNetlink()
        var buffer = RouteNetlink.makeBuffer()
        let error = #expect(throws: LinuxError.self) { try netlink.ask(.link(0x7FFF_FFFF), using: &buffer) }
        #expect(error?.description == "RTM_GETLINK: No such device")
        #expect(try netlink.ask(.link(1), using: &buffer))
    }

    @Test("is read in parts; a rest that nobody wants is taken off before the next question is asked", .needsRoot)
    func parts() throws {
        try Scratch.lend(namespaces: 1) { names in
            // 40 links make several datagrams.
            for number in 0..<40 { try Scratch.ip("-n", names[0], "link", "add", "br\(number)", "type", "bridge") }
            let namespace = try NetworkNamespace(path: "/run/netns/\(names[0])")
            var netlink = try NamespaceEntry.run(in: namespace) { () throws(LinuxError) in try RouteNetlink() }
            var buffer = RouteNetlink.makeBuffer()
            var count = 0
            let request = NetlinkRequest.links()
            try netlink.begin(request, using: &buffer)
            var turns = 1
            while try netlink.read(request.name, atMost: 1, using: &buffer, { _ in count += 1 }) == .unfinished {
                turns += 1
            }
            #expect(count == 41 && turns > 1)
            try netlink.begin(request, using: &buffer)
            let progress = try netlink.read(request.name, atMost: 1, using: &buffer) { _ in }
            #expect(progress == .unfinished)
            var again = 0
            #expect(try netlink.ask(request, using: &buffer) { _ in again += 1 })
            #expect(again == 41)
        }
    }

    @Test("notifies of the namespaces that have a number here, and says which", .needsRoot)
    func allNamespaces() throws {
        try Scratch.lend(namespaces: 2) { names in
            let host = try NetworkNamespace(path: "/run/netns/\(names[0])")
            let other = try NetworkNamespace(path: "/run/netns/\(names[1])")
            var buffer = RouteNetlink.makeBuffer()
            let netlink = try NamespaceEntry.run(in: host) { () throws(LinuxError) in
                try RouteNetlink.subscribed(allNamespaces: true, receiveBuffer: 1 << 20)
            }
            var asking = try NamespaceEntry.run(in: host) { () throws(LinuxError) in try RouteNetlink() }
            let id = try asking.number(of: other, using: &buffer)
            #expect(try asking.number(of: other, using: &buffer) == id, "it keeps its number")
            try Scratch.ip("-n", names[0], "link", "add", "br0", "type", "bridge")
            try Scratch.ip("-n", names[1], "link", "add", "br1", "type", "bridge")
            var changed: [String] = []
            while try netlink.receive(
                using: &buffer,
                { message, namespace in
                    if case .link(let link) = message {
                        changed.append("\(link.name) \(namespace.map { "\($0)" } ?? "here")")
                    }
                }) == .received
            {}
            #expect(Set(changed) == ["br0 here", "br1 \(id)"])
        }
    }

    @Test("says so when it had no room for something", .needsRoot)
    func overflow() throws {
        try Scratch.lend(namespaces: 1) { names in
            let namespace = try NetworkNamespace(path: "/run/netns/\(names[0])")
            var buffer = RouteNetlink.makeBuffer()
            let netlink = try NamespaceEntry.run(in: namespace) { () throws(LinuxError) in
                // The kernel makes it a little more: there is room for a message or two.
                try RouteNetlink.subscribed(allNamespaces: false, receiveBuffer: 1)
            }
            for number in 0..<8 { try Scratch.ip("-n", names[0], "link", "add", "br\(number)", "type", "bridge") }
            var receptions: Set<RouteNetlink.Reception> = []
            repeat {
                receptions.insert(try netlink.receive(using: &buffer) { _, _ in })
            } while !receptions.contains(.empty)
            #expect(receptions.contains(.overflowed))
        }
    }
}
