// One bridge on a store that does what it is told: records of networks, the lag, and rights that are lost.

import ControlAPI
import EtcdWire
import Testing

@testable import Clustering

/// A bridge of host `a` with a daemon that takes a while for each call.
private struct Desk {
    var store = FakeStore()
    var bridge: Bridge
    var now = Duration.seconds(1)
    /// Revision from which the watch goes on.
    private var watch: Int64?
    private var events: [BridgeEvent] = []
    /// Names of the containers that the daemon has.
    private(set) var names: Set<String> = []
    private(set) var reports: [(state: Report.State, message: String?, lag: Int?)] = []
    private(set) var warnings: [String] = []
    /// Time that the daemon takes for a call.
    var daemonTime = Duration.zero
    /// True: etcd has no user for this host any more. A watch that stands goes on.
    var isRefused = false

    init() {
        var settings = BridgeSettings(host: "a")
        settings.address = "192.0.2.1"
        bridge = Bridge(settings: settings, identity: BridgeIdentity(instance: "x"), seed: 1)
    }

    mutating func join() {
        events = [.attached, .local(Attach.Reply(session: 1)), .local(Attach.Reply(synced: true))]
        settle()
    }

    mutating func put(_ key: String, _ value: String) {
        store.commit([.put(key: Array("/intercom/v1/\(key)".utf8), value: Array(value.utf8), lease: 0)])
        settle()
    }

    mutating func delete(_ key: String) {
        store.commit([.delete(key: Array("/intercom/v1/\(key)".utf8))])
        settle()
    }

    /// Lets time pass, with a tick whenever one is due.
    mutating func pass(_ time: Duration) {
        let end = now + time
        while let deadline = bridge.nextDeadline, deadline <= end {
            now = max(now, deadline)
            events.append(.tick)
            settle()
        }
        now = end
    }

    /// Handles events until there are none.
    mutating func settle() {
        events.append(.tick)
        repeat {
            while !events.isEmpty {
                let event = events.removeFirst()
                if case .told = event { now += daemonTime }
                bridge.handle(event, now: now)
                bridge.takeEffects().forEach { perform($0) }
            }
            guard let revision = watch else { continue }
            events += store.replies(from: revision).map { .watch($0) }
            watch = store.revision + 1
        } while !events.isEmpty
    }

    private mutating func perform(_ effect: BridgeEffect) {
        switch effect {
        case .call(let number, let call):
            do throws(EtcdFailure) {
                if isRefused, case .range = call {
                    throw .status(GRPCStatus(number: 7, message: "etcdserver: permission denied"))
                }
                events.append(.reply(number, try store.perform(call, now: now)))
            } catch {
                events.append(.failed(number, error))
            }
        case .watch(_, let revision):
            watch = revision
            events.append(.watch(WatchReply(header: EtcdHeader(cluster: 1, revision: store.revision), isCreated: true)))
        case .askProgress: events.append(.watch(WatchReply(header: EtcdHeader(cluster: 1, revision: store.revision))))
        case .endWatch, .disconnect: watch = nil
        case .tell(.apply(let apply)):
            for entry in apply.put ?? [] { names.insert(entry.key) }
            for key in apply.gone ?? [] { names.remove(key.key) }
            events.append(.told)
        case .tell: events.append(.told)
        case .report(let state, let message, let lag): reports.append((state, message, lag))
        case .log(true, let text): warnings.append(text)
        case .log, .save: break
        }
    }
}

private func entry(_ name: String, _ addresses: String...) -> String {
    String(
        decoding: EntryValue(name: name, places: [.init(network: "frontend", addresses: addresses)]).octets,
        as: UTF8.self)
}

@Suite("A bridge and its store")
struct BridgeTests {
    /// A bridge that knows three containers of host b.
    private func makeDesk() -> Desk {
        var desk = Desk()
        desk.join()
        desk.put("h/b", #"{"v":1,"i":"y","a":["192.0.2.2"],"s":true,"c":3}"#)
        desk.put("e/b/web", entry("web", "10.1.0.2", "fd00:1::2"))
        desk.put("e/b/db", entry("db", "10.1.0.3"))
        desk.put("e/b/far", entry("far", "10.9.0.4"))
        return desk
    }

    @Test(
        "A record of a network says which containers of other hosts are believed, from its change to its removal",
        arguments: [
            (#"{"v":1,"subnets":["10.1.0.0/16","fd00:1::/64"]}"#, ["db", "web"]),
            (#"{"v":1,"subnets":["10.1.0.0/16"]}"#, ["db"]),
            (#"{"v":1,"subnets":["10.0.0.0/8"],"hosts":["b*"]}"#, ["db", "far"]),
            (#"{"v":1,"hosts":["a","c"]}"#, []), (#"{"v":1,"hosts":["*"],"vni":256}"#, ["db", "far", "web"]),
            (#"{"v":1,"hosts":[],"subnets":[]}"#, ["db", "far", "web"]),
            (#"{"v":1,"subnets":["nonsense"]}"#, ["db", "far", "web"]), ("torn", ["db", "far", "web"]),
            (#"{"v":3,"hosts":["c"]}"#, ["db", "far", "web"]),
        ])
    func networkRecords(_ record: String, _ believed: [String]) {
        var desk = makeDesk()
        #expect(desk.names.sorted() == ["db", "far", "web"])
        desk.put("n/frontend", record)
        #expect(desk.names.sorted() == believed)
        desk.put("n/other", #"{"v":1,"hosts":["nobody"]}"#)
        #expect(desk.names.sorted() == believed)
        desk.put("n/frontend", "torn")
        #expect(desk.names.sorted() == believed, "a record that is torn changes nothing")
        desk.delete("n/frontend")
        #expect(desk.names.sorted() == ["db", "far", "web"])
    }

    @Test("A container that a record does not allow is logged with the reason")
    func refusals() {
        var desk = makeDesk()
        desk.put("n/frontend", #"{"v":1,"subnets":["10.1.0.0/16","fd00:1::/64"]}"#)
        desk.pass(.seconds(61))
        #expect(
            desk.warnings.contains {
                $0.contains("e/b/far has address 10.9.0.4, which is outside the subnets of network frontend")
            }, "\(desk.warnings)")
    }

    @Test("A living host whose keys are all deleted at once has a second to write them again: no name goes meanwhile")
    func keysDeletedAtOnce() {
        var desk = makeDesk()
        let all = ["web", "db", "far"].map { Transaction.Change.delete(key: Array("/intercom/v1/e/b/\($0)".utf8)) }
        desk.store.commit(all)
        desk.settle()
        #expect(desk.names.count == 3)
        desk.pass(.milliseconds(900))
        desk.put("e/b/web", entry("web", "10.1.0.2", "fd00:1::2"))
        #expect(desk.names.count == 3)
        desk.pass(.milliseconds(200))
        #expect(desk.names == ["web"], "what is not written again goes")
        desk.delete("e/b/web")
        #expect(desk.names.isEmpty, "one container alone goes at once")
    }

    @Test("Records outlive the bridge in its snapshot")
    func recordsInSnapshot() throws {
        var desk = makeDesk()
        desk.put("n/frontend", #"{"v":1,"hosts":["c"]}"#)
        let octets = try #require(desk.bridge.snapshot).octets
        let snapshot = try #require(BridgeSnapshot(octets))
        var next = Desk()
        next.bridge = Bridge(
            settings: BridgeSettings(host: "a"), identity: BridgeIdentity(instance: "x"), snapshot: snapshot, seed: 1)
        next.isRefused = true
        next.join()
        #expect(next.names.isEmpty)
    }

    @Test(
        "Patterns of hosts stand for the names that they say",
        arguments: [
            ("node*", "node17", true), ("node*", "anode", false), ("*", "", true), ("*.eu.*", "a.eu.b", true),
            ("*.eu.*", "a.eu", false), ("a*b", "ab", true), ("a*b", "a", false), ("ab*b", "ab", false),
            ("node1", "node11", false),
            ("*a*a", "aba", true), ("*a*a", "a", false),
        ])
    func patterns(_ pattern: String, _ name: String, _ isMatch: Bool) {
        #expect(NetworkRule.matches(name, pattern) == isMatch)
    }

    @Test("The time that a change takes from its receipt until it is in force is reported, once in ten seconds")
    func lag() {
        var desk = makeDesk()
        desk.pass(.seconds(11))
        desk.daemonTime = .milliseconds(7)
        desk.put("e/b/web", entry("web", "10.1.0.5"))
        #expect(desk.reports.last?.lag == 7)
        let count = desk.reports.count
        desk.put("e/b/web", entry("web", "10.1.0.6"))
        #expect(desk.reports.count == count)
        desk.pass(.seconds(11))
        desk.daemonTime = .milliseconds(3)
        desk.put("e/b/web", entry("web", "10.1.0.7"))
        #expect(desk.reports.last?.lag == 3)
    }

    @Test("A host that etcd refuses says so within 90 seconds, keeps the names, and goes on when it may")
    func deletedUser() {
        var desk = makeDesk()
        #expect(desk.reports.last?.state == .connected)
        desk.isRefused = true
        desk.pass(.seconds(91))
        #expect(desk.reports.last?.state == .away)
        #expect(desk.reports.last?.message?.contains("etcd refuses this host") == true, "\(desk.reports)")
        #expect(desk.names.count == 3)
        desk.isRefused = false
        desk.put("e/b/late", entry("late", "10.1.0.9"))
        desk.pass(.seconds(5))
        #expect(desk.reports.last?.state == .connected)
        #expect(desk.names.count == 4)
    }
}
